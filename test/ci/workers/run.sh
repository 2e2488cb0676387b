#!/usr/bin/env bash
# The Workers of test/examples as a reader deploys them: the packed package, bundled by wrangler as it comes, in workerd with R2 and
# Queues of miniflare, and the local KMS behind them. Both tools are those of test/runtimes.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
tools="$here/../../runtimes/node_modules"
for tool in miniflare wrangler; do
  if [ ! -d "$tools/$tool" ]; then
    echo "not run: workers ($tool is not installed: npm ci --prefix test/runtimes)"
    exit 1
  fi
done
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
node "$here/run.mjs" "$folder"
