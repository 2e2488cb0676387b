#!/usr/bin/env bash
# The package as workers use it: packed, installed into an empty folder, bundled for workerd and run there.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm ci --silent --ignore-scripts --prefix "$here"
npm pack --silent --prefix "$root" --pack-destination "$folder" "$root" > /dev/null
cd "$folder"
printf '{ "private": true, "type": "module" }\n' > package.json
npm install --silent --no-audit --no-fund --omit=dev ./frameseal-*.tgz
node "$here/check.mjs" "$folder"
