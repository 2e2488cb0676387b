import { describe, expect, it } from 'vitest';
import { quantile, summarize } from '../../src/bench/index.ts';

describe('quantiles', () => {
  it.each([
    [[7], 0.25, 7],
    [[1, 2], 0.5, 1.5],
    [[4, 1, 3, 2, 5], 0.25, 2],
    [[4, 1, 3, 2, 5], 0.5, 3],
    [[4, 1, 3, 2, 5], 1, 5],
    [[1, 2, 3, 4], 0.75, 3.25],
  ])('of %j at %d is %d', (values, share, expected) => expect(quantile(values, share)).toBe(expected));

  it('leave the values as they are', () => {
    const values = [3, 1, 2];
    quantile(values, 0.5);
    expect(values).toEqual([3, 1, 2]);
  });
});

describe('a summary', () => {
  it('has median, quartiles, and the samples in order', () => {
    const samples = [10, 14, 12, 11, 13];
    expect(summarize(samples)).toEqual({ median: 12, low: 11, high: 13, samples, outliers: [] });
  });

  it('names the rounds that lie far outside, on both sides', () => {
    // Quartiles 11 and 13: what lies beyond 8 and 16 is an outlier, 8 and 16 themselves are none.
    expect(summarize([11, 12, 13, 11, 13, 12, 16.1, 12, 7.9, 11, 13]).outliers).toEqual([6, 8]);
    expect(summarize([11, 12, 13, 11, 13, 12, 16, 12, 8, 11, 13]).outliers).toEqual([]);
  });

  it('is not moved by a few disturbed samples', () => {
    const { median, low, high } = summarize([10, 10, 10, 10, 10, 10, 10, 9000]);
    expect({ median, low, high }).toEqual({ median: 10, low: 10, high: 10 });
  });

  it('of one sample is that sample', () => {
    expect(summarize([5])).toEqual({ median: 5, low: 5, high: 5, samples: [5], outliers: [] });
  });
});
