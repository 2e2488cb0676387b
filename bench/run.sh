#!/usr/bin/env bash
# The benchmark suite, with what it needs: builds the library, installs the peers, then runs run.mjs with the same arguments.
# The other runtimes take part where test/runtimes is installed and browsers are there; those that are not are named.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

# Nothing to do where the last install is younger than the lock file.
for folder in peers peers-browser report; do
  [ "$here/$folder/node_modules/.package-lock.json" -nt "$here/$folder/package-lock.json" ] ||
    npm ci --silent --no-audit --no-fund --ignore-scripts --prefix "$here/$folder"
done
npm run --silent build --prefix "$here/.."
exec node "$here/run.mjs" "$@"
