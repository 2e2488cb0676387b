#!/usr/bin/env bash
# The examples of test/examples as a reader would run them: copied into an empty folder, against the packed package and the
# local KMS. Each checks itself; it passes if it ends well and says so.
set -u
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
examples='three-regions stream-file rsa-escrow add-regions data-key-caching rotation two-partitions fixed-data-key git-secret'
npm pack --silent --prefix "$root" --pack-destination "$folder" "$root" > /dev/null || exit 1
cd "$folder" || exit 1
printf '{ "private": true, "type": "module" }\n' > package.json
npm install --silent --no-audit --no-fund --omit=dev ./frameseal-*.tgz || exit 1
passed=0
failed=0
for name in $examples; do
  cp "$root/test/examples/$name.mjs" . || exit 1
  if said=$(timeout 60 node "$name.mjs" 2>"$name.log") && [ -n "$said" ]; then
    passed=$((passed + 1))
    printf '%-18s %s\n' "$name" "$said"
  else
    failed=$((failed + 1))
    printf '%-18s FAILED\n' "$name"
    cat "$name.log"
  fi
done
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" -eq 0 ]
