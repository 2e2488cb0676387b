/**
 * What is said of a candidate's samples: medians and quartiles, which a few disturbed samples do not move.
 */

/** All in microseconds of one call. */
export interface Summary {
  readonly median: number;
  /** Half of the samples lie between these quartiles. */
  readonly low: number;
  readonly high: number;
  /** One for each round, in order. */
  readonly samples: readonly number[];
  /** The rounds, from 0, whose sample lies farther outside of the quartiles than 1.5 times their distance (Tukey). */
  readonly outliers: readonly number[];
}

/** @param samples microseconds of a call, at least one. */
export function summarize(samples: readonly number[]): Summary {
  const [low, middle, high] = [0.25, 0.5, 0.75].map((share) => quantile(samples, share)) as [
    number,
    number,
    number,
  ];
  const reach = 1.5 * (high - low);
  const outliers = samples.flatMap((value, round) =>
    value < low - reach || value > high + reach ? [round] : [],
  );
  return { median: middle, low, high, samples, outliers };
}

/** The value that this share of the values, 0 to 1, does not exceed; between two of them in proportion. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (sorted.length - 1) * share;
  const below = Math.floor(at);
  const above = sorted[below + 1] ?? sorted[below]!;
  return sorted[below]! + (above - sorted[below]!) * (at - below);
}
