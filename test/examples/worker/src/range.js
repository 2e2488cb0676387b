// The Range header: `bytes=0-99`, `bytes=100-`, `bytes=-100`. Others are ignored, as HTTP allows.

const ONE_RANGE = /^bytes=(?:(\d+)-(\d*)|-(\d+))$/;

export function isOneRange(header) {
  return ONE_RANGE.test(header ?? '');
}

/**
 * The first byte and the one behind the last; `undefined` if there are no such bytes.
 * @param length bytes that there are.
 */
export function resolveRange(header, length) {
  const [, first, last, suffix] = ONE_RANGE.exec(header);
  const start = suffix === undefined ? Number(first) : Math.max(0, length - Number(suffix));
  const end = last ? Math.min(length, Number(last) + 1) : length;
  return start < end ? { start, end } : undefined;
}
