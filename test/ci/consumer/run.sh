#!/usr/bin/env bash
# The package as users install it: packed, installed into an empty folder, imported, and compiled against with the
# declarations themselves checked.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
npm pack --silent --prefix "$root" --pack-destination "$folder" "$root" > /dev/null
cd "$folder"
printf '{ "private": true, "type": "module" }\n' > package.json
npm install --silent --no-audit --no-fund --omit=dev ./frameseal-*.tgz
cp "$here"/use* .
node use.mjs

# Only the declarations of this package count: the AWS SDK's are not ours to check.
compiles() {
  "$root/node_modules/.bin/tsc" --noEmit --strict --exactOptionalPropertyTypes --skipLibCheck false --module nodenext \
    --target es2022 --lib es2023,dom,esnext.disposable "$@" > tsc.log || true
  if grep -E '^(error|use|node_modules/frameseal)' tsc.log; then exit 1; fi
}
compiles use.mts
compiles --types node --typeRoots "$root/node_modules/@types" use-node.mts
echo 'the packed package imports, runs and compiles'
