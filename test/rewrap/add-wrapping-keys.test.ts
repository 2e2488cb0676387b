/**
 * Keys added to finished messages: the sidecar opens them, in every suite, and nothing else changes.
 */
import { describe, expect, it } from 'vitest';
import { addWrappingKeys, decrypt, encrypt } from '../../src/index.ts';
import { aesKeyring, bytes, failureCode, policyFor, SUITE_ROWS } from '../support/messages.ts';

const first = aesKeyring(1);
const added = aesKeyring(2);

describe.each(SUITE_ROWS)('suite %s', (_, suite) => {
  const commitmentPolicy = policyFor(suite);
  const encryptionContext = { tenant: 'a' };

  it('opens by a key of the sidecar, and as before by those of the header', async () => {
    const options = { keyring: first, commitmentPolicy, encryptionContext, algorithmSuite: suite.id };
    const { ciphertext } = await encrypt(bytes(5000), options);
    const before = ciphertext.slice();
    const { sidecar } = await addWrappingKeys(ciphertext, { keyring: first, commitmentPolicy, add: added });
    expect(ciphertext).toEqual(before);
    const read = (keyring = added, more = {}) => decrypt(ciphertext, { keyring, commitmentPolicy, ...more });
    expect((await read(added, { sidecar })).plaintext).toEqual(bytes(5000));
    expect((await read(first, { sidecar })).plaintext).toEqual(bytes(5000));
    expect((await read(first)).plaintext).toEqual(bytes(5000));
    expect(await failureCode(read(added))).toBe('NO_DATA_KEY');
    expect(await failureCode(read(aesKeyring(3), { sidecar }))).toBe('NO_DATA_KEY');
  });
});
