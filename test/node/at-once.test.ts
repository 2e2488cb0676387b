/**
 * Several changes of one file at the same time, in one process: one is done, and the others say that they were not.
 */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { decrypt } from '../../src/index.ts';
import { addWrappingKeysToFile, rewrapFile } from '../../src/node/index.ts';
import { aesKeyring } from '../support/messages.ts';
import { folder, keyring, messageFile } from './helpers.ts';

const others = [2, 3, 4, 5].map((seed) => aesKeyring(seed));

/** Which of them succeeded; the rest failed with `IO`. */
async function succeeded(calls: readonly Promise<unknown>[]): Promise<number[]> {
  const ends = await Promise.allSettled(calls);
  for (const end of ends) if (end.status === 'rejected') expect(end.reason.code).toBe('IO');
  return ends.flatMap((end, i) => (end.status === 'fulfilled' ? [i] : []));
}

describe.each(Array.from({ length: 5 }, (_, i) => i + 1))('round %d', () => {
  test('a message that is rewritten in place is under the keys of the one that says so', async () => {
    const path = folder().file('m');
    await messageFile(path, 1000, { algorithmSuite: 0x0478 });
    const done = await succeeded(others.map((to) => rewrapFile(path, undefined, { keyring, to })));
    expect(done).toHaveLength(1);
    await decrypt(readFileSync(path), { keyring: others[done[0]!]! });
  });

  test('a sidecar has the keys of everyone who says so', async () => {
    const made = folder();
    const [path, sidecar] = [made.file('m'), made.file('m.sidecar')];
    const message = await messageFile(path, 1000);
    await addWrappingKeysToFile(path, sidecar, { keyring, add: aesKeyring(9) });
    const done = await succeeded(others.map((add) => addWrappingKeysToFile(path, sidecar, { keyring, add })));
    expect(done.length).toBeGreaterThan(0);
    const options = { sidecar: readFileSync(sidecar) };
    for (const i of done) await decrypt(message, { keyring: others[i]!, ...options });
    await decrypt(message, { keyring: aesKeyring(9), ...options });
  });
});
