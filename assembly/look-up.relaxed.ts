/**
 * A look-up of sixteen indices in a register of sixteen bytes. Indices are below 16: beyond, what this instruction does
 * is left to the processor, and so it need not be corrected on any.
 */
export function lookUp(table: v128, index: v128): v128 {
  return i8x16.relaxed_swizzle(table, index);
}
