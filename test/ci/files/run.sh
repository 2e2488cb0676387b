#!/usr/bin/env bash
# Files whole or not at all, shown on processes that are killed, told to end, or refused by the system. Needs the build.
#   run.sh [--count N] [--seed N] [--size MIB]     N kills, 15 unless told; the seed is printed
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ -e "$here/../../../dist/node/index.js" ] || { echo 'not run: npm run build comes first'; exit 1; }
exec node "$here/files.mjs" "$@"
