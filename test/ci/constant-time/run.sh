#!/bin/bash
# Whether the kernel that is shipped is constant-time: see README.md.
#
#   bash run.sh
#
# Needs Debian or a relative of it on x86-64: node, gcc and valgrind (installed when missing and this is root), and wabt
# of Debian 13, which is unpacked aside. DEBIAN_MIRROR names a mirror where the system's own sources have none; KEEP=1
# keeps what has been built, and memcheck's findings.
set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
kernels="$root/src/engine/wasm"
work=$(mktemp -d)
[ -n "${KEEP:-}" ] && echo "working in $work" || trap 'rm -rf "$work"' EXIT
passed=0
failed=0
STAGES=13

not_run() {
  echo "not run: constant time ($1)"
  exit 2
}

pass() {
  passed=$((passed + 1))
  echo "passed  $1"
}

fail() {
  failed=$((failed + 1))
  echo "FAILED  $1"
}

# ---- tools

# shellcheck source=tools.sh
. "$here/tools.sh"

ensure_tools() {
  [ "$(uname -m)" = x86_64 ] || not_run "x86-64 only, not $(uname -m)"
  local tool missing=
  for tool in node apt-get dpkg-deb; do
    command -v "$tool" >"$work/log" || not_run "$tool is missing"
  done
  for tool in gcc valgrind; do
    command -v "$tool" >"$work/log" || missing="$missing $tool"
  done
  [ -z "$missing" ] && return
  [ "$(id -u)" = 0 ] || not_run "missing:$missing"
  # shellcheck disable=SC2086
  { apt-get update && apt-get install -y --no-install-recommends $missing libc6-dev libc6-dbg; } >"$work/log" 2>&1 ||
    not_run "cannot be installed:$missing"
}

# ---- building

# build <folder> <module> <options of gcc>: the module as C, and the harness over it.
build() {
  local folder=$1 module=$2
  shift 2
  local options=("$@" -std=gnu11 -g -march=x86-64-v2 -DWASM_RT_USE_MMAP=0 -DWASM_RT_MEMCHECK_BOUNDS_CHECK=1
    -DWASM_RT_TRAP_HANDLER=kernel_trapped -I. -I"$here" -isystem "$usr/include" -isystem "$usr/src/wasm2c")
  mkdir -p "$folder" && cd "$folder" || return 1
  {
    wasm2c -n frame -o frame.c "$module" &&
      sed -i '/^#define REM_U(/a #include "divisions.h"' frame.c &&
      grep -q '^#include "divisions.h"' frame.c &&
      gcc "${options[@]}" -include hook.h -c frame.c &&
      gcc "${options[@]}" -Wall -Wextra -c "$here/harness.c" &&
      gcc "${options[@]}" frame.o harness.o "$usr/src/wasm2c/wasm-rt-impl.c" "$usr/src/wasm2c/wasm-rt-mem-impl.c" \
        -lm -o harness
  } >build.log 2>&1 && return
  tail -5 build.log
  return 1
}

# watch <folder> <arguments of the harness>: its lines in watched, its exit code.
watch() {
  local folder=$1
  shift
  valgrind -q --error-limit=no --log-file="$folder/findings" "$folder/harness" "$@" >"$folder/watched"
}

# ---- checks

check_one_module() {
  local others
  others=$(find "$kernels" -name '*.wasm' ! -name frame.wasm -printf ' %f')
  if [ -n "$others" ]; then fail "modules that are not looked at:$others"; else pass "frame.wasm is the only module"; fi
  if node --input-type=module -e '
    import { readFileSync } from "node:fs";
    const [wasm, text] = process.argv.slice(1).map((file) => readFileSync(file));
    const [, hex] = /FRAME_HEX: string =\s*\x27([^\x27]*)\x27/.exec(text);
    process.exit(wasm.equals(Buffer.from(hex, "hex")) ? 0 : 1);
  ' "$work/frame.wasm" "$work/frame-bytes.gen.ts"; then
    pass "frame-bytes.gen.ts has the bytes of frame.wasm, sha256 $(sha256sum "$work/frame.wasm" | cut -c1-16)..."
  else
    fail "frame-bytes.gen.ts and frame.wasm are not the same bytes"
  fi
}

check_kernel() {
  local level=$1 folder=$work/kernel$1 code name findings wrong lines=0
  build "$folder" "$work/frame.wasm" "$level" || {
    fail "$level: the kernel cannot be built"
    return
  }
  watch "$folder" all
  code=$?
  while IFS=$'\t' read -r name findings wrong; do
    lines=$((lines + 1))
    if [ "$findings" = 0 ] && [ -z "$wrong" ]; then pass "$level $name: 0 findings"
    else fail "$level $name: $findings findings${wrong:+; $wrong}"; fi
  done <"$folder/watched"
  [ "$code" = 0 ] && [ "$lines" = $STAGES ] || fail "$level: the harness has ended with $code after $lines stages"
  [ -s "$folder/findings" ] && head -20 "$folder/findings"
}

# The harness must reach all of the kernel's own code: what has not run has not been watched.
check_coverage() {
  local folder=$work/coverage
  if ! build "$folder" "$work/frame.wasm" -O0 --coverage || ! "$folder/harness" all >"$folder/answers"; then
    fail "coverage cannot be measured"
    return
  fi
  # gcov writes "count: line number: text".
  (cd "$folder" && gcov frame.c >gcov.log 2>&1)
  awk -F: '
    /wasm2c_frame_get_func_type\(uint32_t/ { behind = 1 }
    behind && $3 ~ /^}/ { inside = 1 }
    inside && $1 ~ /[0-9#]/ { total++; if ($1 ~ /#/ && $0 !~ /UNREACHABLE/) { missed++; if (missed <= 10) print $2 ":" $3 } }
    END { print "lines", total + 0, missed + 0 }
  ' "$folder/frame.c.gcov" >"$folder/missed"
  local total missed
  read -r _ total missed < <(tail -1 "$folder/missed")
  if [ "$missed" = 0 ] && [ "$total" -gt 1000 ]; then pass "all $total lines of the kernel in C have run"
  else
    fail "$missed of $total lines of the kernel in C have not run"
    head -n -1 "$folder/missed"
  fi
}

# check_leak <level> <number> <who must find it: nobody, memcheck, harness> <name>
check_leak() {
  local level=$1 number=$2 by=$3 name=$4 folder=$work/leaky$1
  watch "$folder" few "$number"
  local code=$? found
  found=$(awk -F'\t' '{ memcheck += $2; if ($3 != "") harness++ } END { print memcheck + 0, harness + 0, NR }' "$folder/watched")
  local memcheck harness lines
  read -r memcheck harness lines <<<"$found"
  local text="$level planted: $name: $memcheck findings, $harness of $lines stages wrong"
  if [ "$code" != 0 ] || [ "$lines" != $STAGES ]; then fail "$text; ended with $code"
  else
    case $by in
      nobody) [ "$memcheck" = 0 ] && [ "$harness" = 0 ] ;;
      memcheck) [ "$memcheck" -gt 0 ] ;;
      harness) [ "$harness" -gt 0 ] ;;
    esac && pass "$text" || fail "$text"
  fi
}

check_leaks() {
  local level
  if ! node "$here/leaky/build.mjs" "$work" >"$work/log" 2>&1; then
    tail -5 "$work/log"
    fail "the leaky kernel cannot be built"
    return
  fi
  for level in -O0 -O2; do
    build "$work/leaky$level" "$work/leaky.wasm" "$level" -DLEAKY || {
      fail "$level: the leaky kernel cannot be built"
      continue
    }
    check_leak $level 0 nobody "nothing"
    check_leak $level 1 memcheck "look-up by a byte of the key"
    check_leak $level 2 memcheck "tags compared until they differ"
    check_leak $level 3 memcheck "branch on a bit of the key"
    # gcc makes a conditional move of it, in which memcheck sees no branch: so -O0 alone must find it.
    [ $level = -O0 ] && check_leak $level 4 memcheck "choice by a byte of the key"
    check_leak $level 5 memcheck "division of a byte of the key"
    check_leak $level 6 harness "comparison that is not of tags"
    check_leak $level 7 memcheck "length from a byte of the key"
    check_leak $level 8 harness "key left in a global"
    check_leak $level 9 memcheck "commit keys compared until they differ"
  done
}

check_times() {
  local line lines=0
  while IFS= read -r line; do
    lines=$((lines + 1))
    case $line in
      passed*) pass "${line#passed  }" ;;
      *) fail "${line#FAILED  }" ;;
    esac
  done < <(node "$here/dudect.mjs" "$work/leaky.wasm" 2>&1)
  [ $lines -gt 0 ] || fail "times in V8 have not been measured"
}

ensure_tools
cp "$kernels/frame.wasm" "$kernels/frame-bytes.gen.ts" "$work" || not_run "the kernel is missing"
unpack_wabt
check_one_module
check_kernel -O0
check_kernel -O2
check_coverage
check_leaks
check_times
echo "$passed passed, $failed failed"
[ $failed = 0 ]
