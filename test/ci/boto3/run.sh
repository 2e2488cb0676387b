#!/usr/bin/env bash
# The local KMS driven by a second client that shares no code with the first: Debian's boto3. Needs the build.
# Installs python3-boto3 where it is missing. The last line counts the checks.
set -eu
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
[ -e "$here/../../../dist/local-kms/index.js" ] || { echo 'not run: npm run build comes first'; exit 1; }

has_boto3() { [ -x /usr/bin/python3 ] && /usr/bin/python3 -c 'import boto3' 2> /dev/null; }
install_boto3() {
  [ "$(id -u)" -eq 0 ] && command -v apt-get > /dev/null || return 1
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq && apt-get install -y -qq --no-install-recommends python3-boto3
}
has_boto3 || install_boto3 > /dev/null 2>&1 || true
has_boto3 || { echo 'not run: python3-boto3 is missing and cannot be installed here'; exit 1; }
exec node "$here/serve.mjs" /usr/bin/python3 "$here/check.py"
