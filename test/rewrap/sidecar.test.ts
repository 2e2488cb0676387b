/**
 * What decrypt and addWrappingKeys do with sidecars: two requests, one limit, a MAC that is checked in any case, sidecars
 * that are merged.
 */
import { describe, expect, it } from 'vitest';
import {
  addWrappingKeys,
  type CryptographicMaterialsManager,
  type DecryptOptions,
  decrypt,
  decryptStream,
  defaultCmm,
  encrypt,
  FramesealError,
  type Keyring,
  multiKeyring,
  rawRsaKeyring,
} from '../../src/index.ts';
import { aesKeyring, bytes, failure, failureCode, flip, rsaPem } from '../support/messages.ts';
import { spied, withSidecar } from '../support/sidecars.ts';

const [first, added, third, stranger] = [1, 2, 3, 4].map((seed) => aesKeyring(seed)) as [
  Keyring,
  Keyring,
  Keyring,
  Keyring,
];
const FORBID = 'FORBID_ENCRYPT_ALLOW_DECRYPT';
/** With and without commitment. */
const BOTH = [
  ['0x0478', { algorithmSuite: 0x0478 }],
  ['0x0178', { algorithmSuite: 0x0178, commitmentPolicy: FORBID }],
] as const;

const plaintextOf = (message: Uint8Array, options: DecryptOptions) =>
  decrypt(message, options).then(({ plaintext }) => plaintext);
/** As a request shows them: the names of the raw AES keys. */
const namesOf = (edks: readonly { readonly providerInfo: Uint8Array }[]) =>
  edks.map(({ providerInfo }) => new TextDecoder().decode(providerInfo.subarray(0, 5)));

describe.each(BOTH)('two requests, %s', (_, written) => {
  const policy = 'commitmentPolicy' in written ? { commitmentPolicy: written.commitmentPolicy } : {};
  const header = multiKeyring({ generator: first, children: [third] });

  it('asks for the keys of the header alone, and for no others when one opens', async () => {
    const { ciphertext, sidecar, plaintext } = await withSidecar({ ...written, keyring: header });
    const keyring = spied(multiKeyring({ children: [added, third] }));
    expect(await plaintextOf(ciphertext, { ...policy, keyring, sidecar })).toEqual(plaintext);
    expect(keyring.requests.map(namesOf)).toEqual([['aes-1', 'aes-3']]);
  });

  it('asks for the keys of all sidecars alone when none of the header opens', async () => {
    const { ciphertext, sidecar, plaintext } = await withSidecar({ ...written, keyring: header });
    const more = await addWrappingKeys(ciphertext, { ...policy, keyring: first, add: aesKeyring(5) });
    const keyring = spied(added);
    const both = [more.sidecar, sidecar];
    expect(await plaintextOf(ciphertext, { ...policy, keyring, sidecar: both })).toEqual(plaintext);
    expect(keyring.requests.map(namesOf)).toEqual([
      ['aes-1', 'aes-3'],
      ['aes-5', 'aes-2'],
    ]);
  });

  it.each([
    ['answers a key that is not the message’s', async () => bytes(32)],
    ['answers a key of another length', async () => bytes(31)],
    ['throws an error of its own', () => Promise.reject(new Error('no key'))],
    ...(['NO_DATA_KEY', 'AUTHENTICATION_FAILED', 'KMS_FAILED', 'TIMEOUT'] as const).map(
      (code) => [`fails with ${code}`, () => Promise.reject(new FramesealError(code, code))] as const,
    ),
  ] as const)('goes on to the sidecar when the first %s', async (_, answer) => {
    const { ciphertext, sidecar, plaintext } = await withSidecar(written);
    const requests: number[] = [];
    const keyring: Keyring = {
      ...added,
      onDecrypt: async (materials, edks, options) => {
        requests.push(edks.length);
        if (requests.length === 1) return { ...materials, plaintextDataKey: await answer() };
        return added.onDecrypt(materials, edks, options);
      },
    };
    expect(await plaintextOf(ciphertext, { ...policy, keyring, sidecar })).toEqual(plaintext);
    expect(requests).toEqual([1, 1]);
  });

  it.each(['CONTEXT_MISMATCH', 'INVALID_ARGUMENT', 'UNSUPPORTED', 'COMMITMENT_POLICY', 'ABORTED'] as const)(
    'does not go on after %s',
    async (code) => {
      const { ciphertext, sidecar } = await withSidecar(written);
      let requests = 0;
      const cmm: CryptographicMaterialsManager = {
        ...defaultCmm({ keyring: added }),
        decryptMaterials: () => {
          requests++;
          return Promise.reject(new FramesealError(code, code));
        },
      };
      expect(await failureCode(decrypt(ciphertext, { ...policy, cmm, sidecar }))).toBe(code);
      expect(requests).toBe(1);
    },
  );

  it('goes on behind a PKCS#1 v1.5 key that proves to be another', async () => {
    const names = { keyNamespace: 'rsa', keyName: 'k', padding: 'pkcs1' } as const;
    const keyring = rawRsaKeyring({ ...names, ...rsaPem() });
    const other = multiKeyring({ children: [rawRsaKeyring({ ...names, ...rsaPem() }), added] });
    const { ciphertext, sidecar, plaintext } = await withSidecar({ ...written, keyring });
    expect(await plaintextOf(ciphertext, { ...policy, keyring: other, sidecar })).toEqual(plaintext);
    expect(await failureCode(decrypt(ciphertext, { ...policy, keyring: other }))).toBe(
      'AUTHENTICATION_FAILED',
    );
  });

  it('says of both why nothing opened', async () => {
    const { ciphertext, sidecar } = await withSidecar(written);
    const error = await failure(decrypt(ciphertext, { ...policy, keyring: stranger, sidecar }));
    expect(error.code).toBe('NO_DATA_KEY');
    expect(error.attempts.map(({ keyName }) => keyName)).toEqual(['aes-1', 'aes-2']);
    const wrong = { ...stranger, onDecrypt: () => Promise.reject(new Error('gone')) };
    const both = await failure(decrypt(ciphertext, { ...policy, keyring: wrong, sidecar }));
    expect(both.code).toBe('NO_DATA_KEY');
    expect((both.cause as AggregateError).errors.map(String)).toEqual(['Error: gone', 'Error: gone']);
  });
});

describe('the MAC', () => {
  it.each(BOTH)('%s: is checked whichever key opened', async (_, written) => {
    const { ciphertext, sidecar } = await withSidecar(written);
    const last = flip(sidecar, sidecar.length - 1);
    for (const keyring of [spied(first), spied(added)]) {
      const options = { ...written, keyring };
      expect(await failureCode(decrypt(ciphertext, { ...options, sidecar: last }))).toBe('SIDECAR_MISMATCH');
      expect(await failureCode(decrypt(ciphertext, { ...options, sidecar: [sidecar, last] }))).toBe(
        'SIDECAR_MISMATCH',
      );
      await decrypt(ciphertext, { ...options, sidecar: [sidecar, sidecar] });
    }
  });

  it('does not let a holder of another data key say what it covers', async () => {
    const { ciphertext } = await withSidecar();
    const { sidecar } = await withSidecar();
    const keyring = spied(first);
    expect(await failureCode(decrypt(ciphertext, { keyring, sidecar }))).toBe('SIDECAR_MISMATCH');
    expect(keyring.requests).toEqual([]); // another message: that is seen before any key is asked for
  });
});

describe('maxEncryptedDataKeys', () => {
  const two = multiKeyring({ generator: first, children: [third] });
  const add = multiKeyring({ children: [added, aesKeyring(5), aesKeyring(6)] });

  it('counts header and sidecars, before any keyring is asked', async () => {
    const { ciphertext, sidecar, plaintext } = await withSidecar({ keyring: two, add });
    for (const keyring of [spied(first), spied(added)]) {
      const options = { keyring, sidecar };
      const limited = (maxEncryptedDataKeys: number) =>
        decrypt(ciphertext, { ...options, maxEncryptedDataKeys });
      for (const max of [1, 2, 3, 4]) expect(await failureCode(limited(max))).toBe('LIMIT_EXCEEDED');
      expect(keyring.requests).toEqual([]);
      expect((await limited(5)).plaintext).toEqual(plaintext);
      const twice = { ...options, sidecar: [sidecar, sidecar] };
      expect(await failureCode(decrypt(ciphertext, { ...twice, maxEncryptedDataKeys: 7 }))).toBe(
        'LIMIT_EXCEEDED',
      );
      await decrypt(ciphertext, { ...twice, maxEncryptedDataKeys: 8 });
    }
  });

  it('limits what is added', async () => {
    const { ciphertext, sidecar } = await withSidecar({ keyring: two, add });
    const one = spied(stranger);
    const adding = (maxEncryptedDataKeys: number) =>
      addWrappingKeys(ciphertext, { keyring: first, sidecar, add: one, maxEncryptedDataKeys });
    expect(await failureCode(adding(4))).toBe('LIMIT_EXCEEDED');
    expect(one.wraps.count).toBe(0);
    expect(await failureCode(adding(5))).toBe('LIMIT_EXCEEDED');
    expect((await adding(6)).encryptedDataKeys).toHaveLength(4);
  });
});

describe('sidecars that are given to addWrappingKeys', () => {
  it('are verified and go into the new one, each entry once, the new ones last', async () => {
    const { ciphertext, sidecar, plaintext } = await withSidecar();
    const adding = (seed: number, given: Uint8Array | Uint8Array[], keyring = first) =>
      addWrappingKeys(ciphertext, { keyring, sidecar: given, add: aesKeyring(seed) });
    const a = await adding(5, sidecar);
    const b = await adding(6, sidecar, added); // opened by the sidecar's own key
    expect(namesOf(a.encryptedDataKeys)).toEqual(['aes-2', 'aes-5']);
    const all = await adding(7, [b.sidecar, a.sidecar, sidecar, b.sidecar]);
    expect(namesOf(all.encryptedDataKeys)).toEqual(['aes-2', 'aes-6', 'aes-5', 'aes-7']);
    for (const seed of [1, 2, 5, 6, 7]) {
      const options = { keyring: aesKeyring(seed), sidecar: all.sidecar };
      expect(await plaintextOf(ciphertext, options)).toEqual(plaintext);
    }
    const keyring = aesKeyring(7);
    expect(await failureCode(decrypt(ciphertext, { keyring, sidecar: [a.sidecar, b.sidecar] }))).toBe(
      'NO_DATA_KEY',
    );
  });

  it('are refused when altered or of another message, before anything is wrapped', async () => {
    const { ciphertext, sidecar } = await withSidecar();
    const other = await withSidecar();
    const add = spied(third);
    for (const wrong of [flip(sidecar, 120), flip(sidecar, sidecar.length - 1), other.sidecar, ciphertext]) {
      const given = { keyring: first, sidecar: [sidecar, wrong], add };
      expect(await failureCode(addWrappingKeys(ciphertext, given))).toBe('SIDECAR_MISMATCH');
    }
    expect(add.wraps.count).toBe(0);
  });
});

describe('the option', () => {
  it('takes one, several or none', async () => {
    const { ciphertext, sidecar, plaintext } = await withSidecar();
    for (const given of [sidecar, [sidecar], Object.freeze([sidecar, sidecar])]) {
      expect(await plaintextOf(ciphertext, { keyring: added, sidecar: given })).toEqual(plaintext);
    }
    for (const given of [undefined, []]) {
      expect(await plaintextOf(ciphertext, { keyring: first, sidecar: given })).toEqual(plaintext);
      expect(await failureCode(decrypt(ciphertext, { keyring: added, sidecar: given }))).toBe('NO_DATA_KEY');
    }
  });

  it('refuses what is no bytes', async () => {
    const { ciphertext, sidecar } = await withSidecar();
    const gone = sidecar.slice();
    structuredClone(gone, { transfer: [gone.buffer] });
    for (const wrong of [
      'text',
      null,
      5,
      {},
      [sidecar, 'text'],
      [sidecar.buffer],
      gone,
      [gone],
      new Set([sidecar]),
    ]) {
      const options = { keyring: added, sidecar: wrong as Uint8Array };
      const error = await failure(decrypt(ciphertext, options));
      expect(error).toMatchObject({ code: 'INVALID_ARGUMENT' });
      expect(error.message).toMatch(/^"sidecar" expected a Uint8Array, got/);
    }
  });

  it('is copied at once: what becomes of the bytes meanwhile does not matter', async () => {
    const { ciphertext, sidecar, plaintext } = await withSidecar();
    const keyring: Keyring = {
      ...added,
      onDecrypt: (materials, edks, options) => {
        sidecar.fill(0);
        return added.onDecrypt(materials, edks, options);
      },
    };
    expect(await plaintextOf(ciphertext, { keyring, sidecar })).toEqual(plaintext);
  });

  it('is checked when a stream is made, and does not hinder encrypt', async () => {
    const { sidecar } = await withSidecar();
    const options = { keyring: first, sidecar: sidecar.subarray(1) };
    expect(await failureCode(() => decryptStream(options))).toBe('SIDECAR_MISMATCH');
    await encrypt(bytes(1), { ...options, sidecar } as never);
  });

  it('is of use to those who have no key of the header, and not to those who have none at all', async () => {
    const required = { keyring: first, add: added, encryptionContext: { tenant: 'a' } };
    const { ciphertext, sidecar } = await withSidecar(required);
    const read = (tenant: string, keyring = added) =>
      decrypt(ciphertext, { keyring, sidecar, encryptionContext: { tenant } });
    expect((await read('a')).plaintext).toEqual(bytes(100));
    expect(await failureCode(read('b'))).toBe('CONTEXT_MISMATCH');
    expect(await failureCode(read('a', stranger))).toBe('NO_DATA_KEY');
  });
});

it('takes a policy that reads suites without commitment', async () => {
  const written = { algorithmSuite: 0x0178, commitmentPolicy: FORBID } as const;
  const { ciphertext, sidecar, plaintext } = await withSidecar(written);
  const keyring = spied(added);
  expect(await failureCode(decrypt(ciphertext, { keyring, sidecar }))).toBe('COMMITMENT_POLICY');
  expect(keyring.requests).toEqual([]);
  for (const commitmentPolicy of [FORBID, 'REQUIRE_ENCRYPT_ALLOW_DECRYPT'] as const) {
    expect(await plaintextOf(ciphertext, { keyring, sidecar, commitmentPolicy })).toEqual(plaintext);
  }
});
