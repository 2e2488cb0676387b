// Put behind wasm2c's own definitions: the same divisions, of public operands only.
#undef I32_DIV_S
#undef I64_DIV_S
#undef I32_REM_S
#undef I64_REM_S
#undef DIV_U
#undef REM_U
#define I32_DIV_S(x, y) DIV_S(u32, INT32_MIN, (s32)PUBLIC(x), (s32)PUBLIC(y))
#define I64_DIV_S(x, y) DIV_S(u64, INT64_MIN, (s64)PUBLIC(x), (s64)PUBLIC(y))
#define I32_REM_S(x, y) REM_S(u32, INT32_MIN, (s32)PUBLIC(x), (s32)PUBLIC(y))
#define I64_REM_S(x, y) REM_S(u64, INT64_MIN, (s64)PUBLIC(x), (s64)PUBLIC(y))
#define DIV_U(x, y) DIVREM_U(/, PUBLIC(x), PUBLIC(y))
#define REM_U(x, y) DIVREM_U(%, PUBLIC(x), PUBLIC(y))
