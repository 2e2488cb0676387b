/**
 * Finished messages under other keys: which data key, which suite, which context, who can read them.
 */
import { describe, expect, it } from 'vitest';
import { decrypt, encrypt, type Keyring, parseHeader, rewrap, rewrapStream } from '../../src/index.ts';
import { aesKeyring, bytes, failureCode, policyFor, SUITE_ROWS } from '../support/messages.ts';
import { every, through } from '../support/streams.ts';

const from = aesKeyring(1);
const to = aesKeyring(2);

describe.each(SUITE_ROWS)('suite %s', (_, suite) => {
  const commitmentPolicy = policyFor(suite);
  const encryptionContext = { tenant: 'a' };
  const keeps = suite.signature === undefined && suite.kdf !== undefined;
  const written = () =>
    encrypt(bytes(10_000), { keyring: from, commitmentPolicy, encryptionContext, algorithmSuite: suite.id });
  const read = (ciphertext: Uint8Array, keyring: Keyring) =>
    decrypt(ciphertext, { keyring, commitmentPolicy });

  it('opens by the new keys alone, as a new message of the same suite and context', async () => {
    const { ciphertext, header: old } = await written();
    const result = await rewrap(ciphertext, { keyring: from, commitmentPolicy, to });
    expect(result.dataKey).toBe(keeps ? 'kept' : 'new');
    expect(result.remaining).toEqual([]);
    expect(result.header.algorithmSuite).toBe(suite.name);
    expect(result.header.messageId).not.toEqual(old.messageId);
    expect(parseHeader(result.ciphertext)).toEqual(result.header);
    const opened = await read(result.ciphertext, to);
    expect(opened.plaintext).toEqual(bytes(10_000));
    expect(opened.header.encryptionContext.tenant).toBe('a');
    expect(await failureCode(read(result.ciphertext, from))).toBe('NO_DATA_KEY');
  });

  it('streamed: the same', async () => {
    const { ciphertext } = await written();
    const stream = rewrapStream({ keyring: from, commitmentPolicy, to });
    const { bytes: whole, result, header } = await through(stream, every(1000)(ciphertext));
    expect((await read(whole, to)).plaintext).toEqual(bytes(10_000));
    expect(result?.dataKey).toBe(keeps ? 'kept' : 'new');
    expect(parseHeader(whole)).toEqual(header);
  });
});
