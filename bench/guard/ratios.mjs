/**
 * What interleaved samples say of two versions: how many times the previous one's time the present one takes, and whether
 * that is more than noise.
 */

/** Smaller differences come and go with how code happens to be compiled and where it lies. */
const LEAST = 0.03;

/**
 * @param candidates summaries of `present`, `previous` and `again`, which is a second copy of the previous version.
 * @param summarize of the library's `bench`.
 * @returns { ratio, same, noise, text }: the ratio and the one of equal versions, each with its quartiles; the least difference
 *   from 1 that is told.
 */
export function judge({ present, previous, again }, summarize) {
  const ours = ratios(present, previous, summarize);
  const same = ratios(again, previous, summarize);
  const noise = Math.max(LEAST, 2 * Math.abs(same.median - 1), ours.doubt, same.doubt);
  const difference = ours.median - 1;
  const percent = (value) => `${(100 * Math.abs(value)).toFixed(1)} %`;
  const word = difference > 0 ? 'slower' : 'faster';
  const text =
    Math.abs(difference) > noise
      ? `${word} by ${percent(difference)}`
      : `no difference beyond the noise (${percent(noise)})`;
  return { ratio: ours, same, noise, text };
}

// Round by round: what disturbs a whole round disturbs both. The doubt about a median of n values is, as in notched box
// plots, 1.57 times their quartiles' distance over the root of n.
function ratios(one, other, summarize) {
  const { median, low, high } = summarize(one.samples.map((time, round) => time / other.samples[round]));
  return { median, low, high, doubt: (1.57 * (high - low)) / Math.sqrt(one.samples.length) };
}

/** What two counts of instructions say: they repeat, but for what `noise` is, as a share. */
export function difference(present, previous, noise = 0) {
  if (present === previous) return 'the same';
  const share = present / previous - 1;
  const text = `${share >= 0 ? '+' : ''}${(100 * share).toFixed(2)} %`;
  return Math.abs(share) <= noise ? `${text}, no difference beyond the noise` : text;
}
