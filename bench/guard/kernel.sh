#!/bin/bash
# Counts the instructions of the kernel's work, repeatably whatever else the machine does: wasm2c translates the module to C,
# and valgrind's callgrind runs kernel.c over it.
#
#   bash kernel.sh FOLDER MODULE...    a line for each module and piece of work: number of the module, name, instructions
#
# Tabs are between them. A module of another make has no lines, and why goes to the standard error. Needs gcc and valgrind,
# Debian or a relative of it, x86-64. FOLDER is for what is built.
set -u

here=$(cd "$(dirname "$0")" && pwd)
work=$1
shift

not_run() {
  echo "not run: instructions of the kernel ($1)"
  exit 2
}

[ "$(uname -m)" = x86_64 ] || not_run "x86-64 only, not $(uname -m)"
for tool in gcc valgrind apt-get dpkg-deb; do
  command -v "$tool" >"$work/log" || not_run "$tool is missing"
done
# shellcheck source=../../test/ci/constant-time/tools.sh
. "$here/../../test/ci/constant-time/tools.sh"

# count <number> <module>
count() {
  local folder=$work/module$1
  mkdir -p "$folder" && cd "$folder" || return 1
  {
    wasm2c -n frame -o frame.c "$2" &&
      gcc -std=gnu11 -O2 -march=x86-64-v2 -DWASM_RT_USE_MMAP=0 -DWASM_RT_MEMCHECK_BOUNDS_CHECK=1 \
        -DWASM_RT_TRAP_HANDLER=kernel_trapped -include simde/wasm/simd128.h -I. -isystem "$usr/include" \
        -isystem "$usr/src/wasm2c" frame.c "$here/kernel.c" "$usr/src/wasm2c/wasm-rt-impl.c" \
        "$usr/src/wasm2c/wasm-rt-mem-impl.c" -lm -o kernel &&
      valgrind -q --tool=callgrind --callgrind-out-file=out ./kernel
  } >log 2>&1 || return 1
  # Each dump names its piece, and what it came to.
  cat out.* | awk -v module="$1" -v OFS='\t' '
    sub(/^desc: Trigger: Client Request: /, "") { name = $0 }
    $1 == "totals:" { print module, name, $2 }'
}

unpack_wabt
number=0
for module in "$@"; do
  number=$((number + 1))
  count $number "$module" || tail -5 "$work/module$number/log" >&2
done
