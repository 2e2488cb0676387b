#!/usr/bin/env bash
# The example page (test/examples/browser) in real browsers, against the packed package: see run.mjs for its options.
# Tools are those of test/runtimes. With CI=true browsers are installed; without it those that are missing are not run.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
runtimes="$here/../../runtimes"

[ "$runtimes/node_modules/.package-lock.json" -nt "$runtimes/package-lock.json" ] ||
  npm ci --silent --no-audit --no-fund --ignore-scripts --prefix "$runtimes"

missing=()
[ -x /usr/bin/chromium ] || missing+=(chromium)
[ -x /usr/bin/firefox-esr ] || missing+=(firefox-esr)
if [ "${CI:-}" = true ] && [ ${#missing[@]} -gt 0 ] && command -v apt-get > /dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq > /dev/null || true
  apt-get install -qq -y --no-install-recommends "${missing[@]}" > /dev/null || true # what is missing is named by run.mjs
fi

exec node "$here/run.mjs" "$@"
