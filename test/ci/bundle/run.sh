#!/usr/bin/env bash
# What bundlers make of the packed package, without configuration: how much of it there is, what is not in it, and that it
# works. Needs the bundlers of test/runtimes.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
if [ ! -d "$root/test/runtimes/node_modules/esbuild" ]; then
  echo 'not run: bundles (no bundlers: npm ci --prefix test/runtimes)'
  exit 1
fi
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm pack --silent --prefix "$root" --pack-destination "$folder" "$root" > /dev/null
cd "$folder"
printf '{ "private": true, "type": "module" }\n' > package.json
npm install --silent --no-audit --no-fund --omit=dev ./frameseal-*.tgz
node "$here/check.mjs" "$folder"
