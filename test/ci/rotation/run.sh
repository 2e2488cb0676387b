#!/usr/bin/env bash
# A rotation of a folder that is killed again and again, and gone on with by its journal until it is done. Needs the build.
#   run.sh [--messages N] [--kills N] [--seed N]     150 and 25 unless told; the seed is printed
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ -e "$here/../../../dist/node/index.js" ] || { echo 'not run: npm run build comes first'; exit 1; }
exec node "$here/rotation.mjs" "$@"
