/**
 * Streams where there is no `node:crypto`: the built-in is hidden before its first use.
 */
import { beforeAll, describe, expect, it } from 'vitest';
import { nativeCrypto } from '../../src/crypto/default-crypto.ts';
import { decrypt, decryptStream, encrypt, encryptStream } from '../../src/index.ts';
import { aesKeyring, bytes, flip, policyFor, SUITE_ROWS } from '../support/messages.ts';
import { frames, writeNaively } from '../support/naive.ts';
import {
  collect,
  every,
  inOneShot,
  randomly,
  regularBytes,
  streamed,
  through,
  whole,
} from '../support/streams.ts';

const CUTS = [whole, every(1), randomly(4)];
const keyring = aesKeyring();

beforeAll(() => {
  (process as { getBuiltinModule?: unknown }).getBuiltinModule = undefined;
});

describe.each(['auto', 'native', 'wasm'] as const)('without node:crypto, engine %s', (engine) => {
  it('takes WebCrypto', () => expect(nativeCrypto().name).toBe('webcrypto'));

  it.each(SUITE_ROWS)('%s: writes, reads, refuses', async (_, suite) => {
    const common = { keyring, engine, commitmentPolicy: policyFor(suite) };
    const options = { ...common, algorithmSuite: suite.id, frameLength: 16 };
    for (const length of [0, 16, 700]) {
      const sealed = (await encrypt(bytes(length), options)).ciphertext;
      for (const cut of CUTS) {
        const written = await through(encryptStream(options), cut(bytes(length)));
        expect(written.bytes.length).toBe(sealed.length);
        expect((await decrypt(written.bytes, common)).plaintext).toEqual(bytes(length));
        const read = await streamed(written.bytes, common, cut, await inOneShot(written.bytes, common));
        expect(read.bytes).toEqual(bytes(length));
        const wrong = flip(written.bytes, written.bytes.length - 2); // in the signature, or in the last tag
        const { error, bytes: released } = await through(decryptStream(common), cut(wrong));
        expect(error!.code).toBe('AUTHENTICATION_FAILED');
        expect(released).toEqual(bytes(regularBytes(sealed, length)));
      }
    }
    const naive = {
      wrappingKey: bytes(32),
      keyNamespace: 'test',
      keyName: 'aes-1',
      suite,
      context: { a: 'b' },
    };
    const foreign = writeNaively({ ...naive, frameLength: 16, body: frames(bytes(70), 16) });
    expect((await through(decryptStream(common), randomly(2)(foreign))).bytes).toEqual(bytes(70));
  });

  it('goes through a chain of both', async () => {
    for (const algorithmSuite of [0x0478, 0x0578]) {
      const chain = new Blob([bytes(300_000)])
        .stream()
        .pipeThrough(encryptStream({ keyring, engine, algorithmSuite, frameLength: 4096 }))
        .pipeThrough(decryptStream({ keyring, engine }));
      expect(Buffer.compare(await collect(chain), bytes(300_000))).toBe(0);
    }
  });

  it('gives every signed message its exact length', async () => {
    const lengths = new Set<number>();
    for (let i = 0; i < 30; i++) {
      const { bytes: message, header } = await through(encryptStream({ keyring, engine }), [bytes(20, i)]);
      lengths.add(message.length - header!.headerLength);
    }
    expect([...lengths]).toEqual([20 + 40 + 2 + 103]);
  });
});
