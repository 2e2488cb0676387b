/**
 * Files of the Wycheproof project: groups of tests, each with a verdict.
 */
import { fileJson } from '../../support/vectors.ts';

/** A test. Byte strings are hexadecimal. */
export interface WycheproofTest {
  readonly tcId: number;
  readonly comment: string;
  readonly result: 'valid' | 'invalid' | 'acceptable';
}

/** Calls back for each test of a file, in order. */
export async function wycheproof<G, T>(
  file: string,
  judge: (group: G, test: T & WycheproofTest, name: string) => unknown,
): Promise<void> {
  const { testGroups } = fileJson<{ testGroups: (G & { tests: (T & WycheproofTest)[] })[] }>(
    `wycheproof/${file}.json`,
  );
  for (const group of testGroups) {
    for (const test of group.tests) await judge(group, test, `${test.tcId} ${test.comment}`);
  }
}
