#!/usr/bin/env bash
# What takes too long for every change: memory of GiBs, thousands of streams, a million messages. Builds first, then runs each part, and
# closes with the sum of what passed and failed. With --reduced each part runs at a tenth or less, so that none rots.
set -u
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
if [ "${1:-}" = --reduced ]; then
  memory=(--mebibytes 512 --slow 16) streams=(--aborts 1000 --at-once 200) keys=(--messages 10000) files=()
else
  memory=() streams=() keys=() files=(--count 200)
fi
output=$(mktemp)
trap 'rm -f "$output"' EXIT
npm run --silent build || exit 1
status=0
part() {
  printf '\n--- %s\n' "$*"
  "$@" 2>&1 | tee -a "$output"
  [ "${PIPESTATUS[0]}" -eq 0 ] || status=1
}
part node test/long/memory.mjs "${memory[@]}"
part node test/long/streams.mjs "${streams[@]}"
part node test/long/shared-keys.mjs "${keys[@]}"
# CI runs the reduced count of this one as a stage of its own.
[ ${#files[@]} -eq 0 ] || part bash test/ci/files/run.sh "${files[@]}"
sum() { grep -E '^[0-9]+ passed, [0-9]+ failed$' "$output" | grep -oE "[0-9]+ $1" | awk '{ n += $1 } END { print n + 0 }'; }
printf '\n%d passed, %d failed\n' "$(sum passed)" "$(sum failed)"
[ "$status" -eq 0 ]
