#!/usr/bin/env bash
# The packed package in every runtime: installs what is missing, then runs run.mjs with the same arguments.
# With CI=true browsers are installed too; without it those that are missing are not run.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)

install() {
  npm ci --silent --no-audit --no-fund --ignore-scripts --prefix "$1"
}

# Nothing to do where the last install is younger than the lock file.
[ "$here/node_modules/.package-lock.json" -nt "$here/package-lock.json" ] || install "$here"
[ -d "$here/../interop/node_modules" ] || install "$here/../interop"

minibrowser=(/usr/lib/*/webkit2gtk-4.1/MiniBrowser)
missing=()
[ -x /usr/bin/chromium ] || missing+=(chromium)
[ -x /usr/bin/firefox-esr ] || missing+=(firefox-esr)
[ -x "${minibrowser[0]}" ] || missing+=(webkit2gtk-driver)
[ -x /usr/bin/xvfb-run ] || missing+=(xvfb xauth)
[ -x /usr/bin/cog ] || missing+=(cog wpewebkit-driver)
if [ "${CI:-}" = true ] && [ ${#missing[@]} -gt 0 ] && command -v apt-get > /dev/null; then
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq > /dev/null || true
  apt-get install -qq -y --no-install-recommends "${missing[@]}" > /dev/null || true # what is missing is named by run.mjs
fi

exec node "$here/run.mjs" "$@"
