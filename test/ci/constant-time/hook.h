// Put before the C that wasm2c writes (gcc -include): where the secrets end, and what memcheck does not look at itself.
#ifndef HOOK_H
#define HOOK_H

#include <simde/wasm/simd128.h>
#include <stdint.h>
#include <valgrind/memcheck.h>

// The verdict of a comparison is public, and any_true is where the kernel makes it. The harness counts the verdicts: one
// more than tags were compared is one about something else.
extern unsigned verdicts;

static inline uint32_t public_verdict(uint32_t verdict) {
  VALGRIND_MAKE_MEM_DEFINED(&verdict, sizeof verdict);
  verdicts++;
  return verdict;
}

#define simde_wasm_v128_any_true(v) public_verdict(simde_wasm_v128_any_true(v))

// Division takes a time that depends on its operands on many processors.
#define PUBLIC(x)                                   \
  ({                                                \
    __typeof__(x) value_ = (x);                     \
    VALGRIND_CHECK_MEM_IS_DEFINED(&value_, sizeof value_); \
    value_;                                         \
  })

#endif
