#!/usr/bin/env bash
# The command as users have it: the package packed, installed into an empty folder, and called as a program. First the
# checks of check.mjs, then the examples of docs/command.md.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm pack --silent --prefix "$root" --pack-destination "$folder" "$root" > /dev/null
cd "$folder"
printf '{ "private": true, "type": "module" }\n' > package.json
npm install --silent --no-audit --no-fund --omit=dev ./frameseal-*.tgz
export PATH="$folder/node_modules/.bin:$PATH"
exec node "$here/check.mjs" "$folder" "$root/docs/command.md"
