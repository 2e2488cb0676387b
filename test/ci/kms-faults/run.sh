#!/usr/bin/env bash
# KMS keyrings over a KMS that fails in every way that is known: regions, keys, answers, connections, time, aborts. Needs
# the build. The last line is `N passed, N failed`.
#   run.sh [TEXT]     only cases whose name contains the text
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ -e "$here/../../../dist/keyring/aws-kms/index.js" ] || { echo 'not run: npm run build comes first'; exit 1; }
exec node "$here/check.mjs" "$@"
