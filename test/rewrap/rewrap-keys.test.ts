/**
 * Keys of rewrapped messages: which old ones still open, which new ones do, and what goes missing.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  addWrappingKeys,
  type Bytes,
  decrypt,
  type EncryptedDataKey,
  encrypt,
  type Keyring,
  multiKeyring,
  parseHeader,
  type RewrapOptions,
  type RsaPadding,
  rawRsaKeyring,
} from '../../src/index.ts';
import { awsKmsDiscoveryKeyring, awsKmsKeyring } from '../../src/keyring/aws-kms/index.ts';
import { type LocalKms, startLocalKms } from '../../src/local-kms/index.ts';
import { aesKeyring, bytes, failure, failureCode, rsaPem } from '../support/messages.ts';
import { dataKeyOf, WAYS } from '../support/rewrap.ts';
import { malleableKeyring, spied } from '../support/sidecars.ts';

const PLAINTEXT = bytes(300);
const UNSIGNED = { algorithmSuite: 0x0478, encryptionContext: { tenant: 'a' }, frameLength: 100 };
const aes = aesKeyring(1);
const to = aesKeyring(2);
const rsa = rsaPem();
const rsaKeyring = (padding: RsaPadding): Keyring =>
  rawRsaKeyring({ keyNamespace: 'escrow', keyName: padding, padding, ...rsa });

const REGIONS = ['us-east-1', 'eu-west-1'] as const;
let kms: LocalKms;
let arns: Record<(typeof REGIONS)[number], string>;

beforeAll(async () => {
  kms = await startLocalKms({ regions: [...REGIONS] });
  const [east, west] = await Promise.all(REGIONS.map((region) => kms.createKey({ region })));
  arns = { 'us-east-1': east!.arn, 'eu-west-1': west!.arn };
});
afterAll(() => kms.close());

const kmsKeyring = (region: (typeof REGIONS)[number]): Keyring =>
  awsKmsKeyring({ generatorKeyId: arns[region], clientSupplier: kms.clientSupplier });

async function expectOpens(
  message: Uint8Array,
  readers: readonly Keyring[],
  more: object = {},
): Promise<void> {
  for (const keyring of readers)
    expect((await decrypt(message, { keyring, ...more })).plaintext).toEqual(PLAINTEXT);
}

const KINDS: readonly (readonly [string, () => Keyring])[] = [
  ['raw AES', () => aes],
  ['raw AES of 128 bits', () => aesKeyring(5, 16)],
  ['RSA OAEP', () => rsaKeyring('oaep-sha256')],
  ['RSA PKCS#1 v1.5', () => rsaKeyring('pkcs1')],
  ['KMS', () => kmsKeyring('us-east-1')],
  ["a caller's own", () => multiKeyring({ generator: aes, children: [malleableKeyring()] })],
];

describe.each(KINDS)('from and to a key: %s', (_, make) => {
  it.each(WAYS)('%s: keepExisting leaves it', async (_, run) => {
    const old = make();
    const { ciphertext, header } = await encrypt(PLAINTEXT, { keyring: old, ...UNSIGNED });
    const result = await run(ciphertext, { keyring: old, to, keepExisting: true });
    expect(result).toMatchObject({ dataKey: 'kept', remaining: header.encryptedDataKeys });
    await expectOpens(result.ciphertext, [old, to]);
  });

  it.each(WAYS)('%s: it may be the new one, with a data key kept or new', async (_, run) => {
    const { ciphertext } = await encrypt(PLAINTEXT, { keyring: to, ...UNSIGNED });
    for (const freshDataKey of [false, true]) {
      const result = await run(ciphertext, { keyring: to, to: make(), freshDataKey });
      expect(result).toMatchObject({ dataKey: freshDataKey ? 'new' : 'kept', remaining: [] });
      await expectOpens(result.ciphertext, [make()]);
      expect(await failureCode(decrypt(result.ciphertext, { keyring: to }))).toBe('NO_DATA_KEY');
    }
  });
});

describe('several old keys', () => {
  it.each(WAYS)('%s: all of them remain, in their order, and the new one behind them', async (_, run) => {
    const members = [kmsKeyring('us-east-1'), kmsKeyring('eu-west-1'), rsaKeyring('oaep-sha1'), aes];
    const [generator, ...children] = members;
    const keyring = multiKeyring({ generator, children });
    const { ciphertext, header } = await encrypt(PLAINTEXT, { keyring, ...UNSIGNED });
    kms.requests.length = 0;
    const result = await run(ciphertext, { keyring: aes, to, keepExisting: true });
    expect(kms.requests).toEqual([]);
    expect(result.remaining).toEqual(header.encryptedDataKeys);
    expect(result.header.encryptedDataKeys.slice(0, 4)).toEqual(header.encryptedDataKeys);
    expect(result.header.encryptedDataKeys).toHaveLength(5);
    await expectOpens(result.ciphertext, [...members, to]);
  });

  it.each(WAYS)(
    '%s: a new KMS key is asked to wrap or to generate, once and with the whole context',
    async (_, run) => {
      const { ciphertext } = await encrypt(PLAINTEXT, { keyring: aes, ...UNSIGNED });
      const both = awsKmsKeyring({
        generatorKeyId: arns['us-east-1'],
        keyIds: [arns['eu-west-1']],
        clientSupplier: kms.clientSupplier,
      });
      for (const [freshDataKey, first] of [
        [false, 'Encrypt'],
        [true, 'GenerateDataKey'],
      ] as const) {
        kms.requests.length = 0;
        const result = await run(ciphertext, { keyring: aes, to: both, freshDataKey });
        expect(kms.requests.map(({ operation, keyId }) => [operation, keyId])).toEqual([
          [first, arns['us-east-1']],
          ['Encrypt', arns['eu-west-1']],
        ]);
        for (const { encryptionContext } of kms.requests)
          expect({ ...encryptionContext }).toEqual({ tenant: 'a' });
        await expectOpens(result.ciphertext, [kmsKeyring('us-east-1'), kmsKeyring('eu-west-1')]);
      }
    },
  );
});

describe('sidecars', () => {
  const [second, third] = [aesKeyring(3), aesKeyring(4)];
  interface WithSidecars {
    readonly ciphertext: Bytes;
    readonly one: Bytes;
    readonly merged: Bytes;
    readonly entries: readonly EncryptedDataKey[];
  }
  const written = async (): Promise<WithSidecars> => {
    const { ciphertext } = await encrypt(PLAINTEXT, { keyring: aes, ...UNSIGNED });
    const one = await addWrappingKeys(ciphertext, { keyring: aes, add: second });
    const merged = await addWrappingKeys(ciphertext, { keyring: aes, add: third, sidecar: one.sidecar });
    const entries = merged.encryptedDataKeys;
    return { ciphertext, one: one.sidecar, merged: merged.sidecar, entries };
  };

  it.each(WAYS)('%s: open the old message', async (_, run) => {
    const { ciphertext, one } = await written();
    const result = await run(ciphertext, { keyring: second, sidecar: one, to });
    expect(result).toMatchObject({ dataKey: 'kept', remaining: [] });
    await expectOpens(result.ciphertext, [to]);
    for (const keyring of [aes, second])
      expect(await failureCode(decrypt(result.ciphertext, { keyring }))).toBe('NO_DATA_KEY');
    expect(await failureCode(run(ciphertext, { keyring: second, to }))).toBe('NO_DATA_KEY');
  });

  it.each(WAYS)('%s: go into the header with keepExisting, each entry once', async (_, run) => {
    const { ciphertext, one, merged, entries } = await written();
    const [inHeader] = parseHeader(ciphertext).encryptedDataKeys;
    for (const keyring of [aes, second, third]) {
      const result = await run(ciphertext, { keyring, sidecar: [one, merged], to, keepExisting: true });
      expect(result.remaining).toEqual([inHeader, ...entries]);
      expect(result.header.encryptedDataKeys).toHaveLength(4);
      await expectOpens(result.ciphertext, [aes, second, third, to]);
    }
  });

  it.each(WAYS)('%s: are of the old message alone', async (_, run) => {
    const { ciphertext, one } = await written();
    const result = await run(ciphertext, { keyring: aes, to });
    const old = { keyring: to, sidecar: one };
    expect(await failureCode(decrypt(result.ciphertext, old))).toBe('SIDECAR_MISMATCH');
    expect(await failureCode(run(result.ciphertext, { ...old, to: aes }))).toBe('SIDECAR_MISMATCH');
    const fresh = await addWrappingKeys(result.ciphertext, { keyring: to, add: second });
    await expectOpens(result.ciphertext, [second], { sidecar: fresh.sidecar });
  });

  it.each(WAYS)('%s: an altered one fails before a new key is asked, whatever opens', async (_, run) => {
    const { ciphertext, one } = await written();
    const asked = spied(to);
    const altered = one.slice();
    altered[one.length - 1]! ^= 1;
    for (const keyring of [aes, second]) {
      const work = async () => run(ciphertext, { keyring, sidecar: altered, to: asked, keepExisting: true });
      expect(await failureCode(work)).toBe('SIDECAR_MISMATCH');
    }
    expect(asked.wraps.count).toBe(0);
  });
});

describe('the limit of encrypted data keys', () => {
  it.each(WAYS)('%s: holds for the new message too', async (_, run) => {
    const keyring = multiKeyring({ generator: aes, children: [aesKeyring(3)] });
    const { ciphertext } = await encrypt(PLAINTEXT, { keyring, ...UNSIGNED });
    const { sidecar } = await addWrappingKeys(ciphertext, { keyring, add: aesKeyring(4) });
    const three = multiKeyring({ generator: to, children: [aesKeyring(5), aesKeyring(6)] });
    const limited = (maxEncryptedDataKeys: number, more: Partial<RewrapOptions>) =>
      run(ciphertext, { keyring, to, maxEncryptedDataKeys, ...more });
    for (const [max, more] of [
      [1, {}],
      [2, { keepExisting: true }],
      [2, { to: three }],
      [2, { to: three, freshDataKey: true }],
      [4, { to: three, keepExisting: true }],
      [2, { sidecar }],
      [3, { sidecar, keepExisting: true }],
    ] as const) {
      expect(await failureCode(limited(max, more)), `${max}`).toBe('LIMIT_EXCEEDED');
      const least = max === 1 ? 2 : max + 1;
      expect(parseHeader((await limited(least, more)).ciphertext)).toBeDefined();
    }
  });
});

describe('a quorum', () => {
  it.each(WAYS)('%s: says which keys the new message lacks', async (_, run) => {
    const { ciphertext } = await encrypt(PLAINTEXT, { keyring: aes, ...UNSIGNED });
    const keys = { generatorKeyId: arns['us-east-1'], keyIds: [arns['eu-west-1']] };
    const quorum = awsKmsKeyring({ ...keys, clientSupplier: kms.clientSupplier, quorum: { atLeast: 1 } });
    const all = awsKmsKeyring({ ...keys, clientSupplier: kms.clientSupplier });
    try {
      for (const down of REGIONS) {
        kms.setFault(down, { kind: 'down' });
        for (const freshDataKey of [false, true]) {
          const options = { keyring: aes, freshDataKey };
          const result = await run(ciphertext, { ...options, to: quorum });
          expect(result.missingKeys).toMatchObject([{ keyId: arns[down], region: down }]);
          const [up] = REGIONS.filter((region) => region !== down);
          await expectOpens(result.ciphertext, [kmsKeyring(up!)]);
          const error = await failure(run(ciphertext, { ...options, to: all }));
          expect(error).toMatchObject({ code: 'KMS_FAILED', region: down, keyId: arns[down] });
        }
        kms.setFault(down, null);
      }
    } finally {
      for (const region of REGIONS) kms.setFault(region, null);
    }
  });
});

describe('the keyring "to"', () => {
  const both = multiKeyring({ generator: to, children: [rsaKeyring('oaep-sha256')] });
  const around: Keyring = {
    onEncrypt: (materials, options) => both.onEncrypt(materials, options),
    onDecrypt: (materials, edks, options) => both.onDecrypt(materials, edks, options),
  };
  const childrenAlone = multiKeyring({ children: [to, rsaKeyring('oaep-sha256')] });
  const discovery = awsKmsDiscoveryKeyring({ regions: ['us-east-1'], discoveryFilter: 'any-account' });
  const answersNothing: Keyring = { ...malleableKeyring(), onEncrypt: async (materials) => materials };
  const kept = { freshDataKey: false };
  const fresh = { freshDataKey: true };

  it.each(WAYS)('%s: may be a multi-keyring with a generator, which then only wraps', async (_, run) => {
    const { ciphertext } = await encrypt(PLAINTEXT, { keyring: aes, ...UNSIGNED });
    const nested = multiKeyring({ generator: both, children: [aesKeyring(3)] });
    for (const wishes of [kept, fresh, { keepExisting: true }]) {
      const result = await run(ciphertext, { keyring: aes, to: nested, ...wishes });
      await expectOpens(result.ciphertext, [to, rsaKeyring('oaep-sha256'), aesKeyring(3), nested]);
      const old = await dataKeyOf(ciphertext, aes);
      const same = Buffer.compare(await dataKeyOf(result.ciphertext, to), old) === 0;
      expect(same).toBe(wishes !== fresh);
    }
  });

  it.each([
    ["a caller's own around a generator", around, kept, 'the second generator'],
    ['children alone, to generate', childrenAlone, fresh, 'children only wrap'],
    ['one that discovers, to wrap', discovery, kept, 'which only decrypts'],
    ['one that discovers, to generate', discovery, fresh, 'which only decrypts'],
    ['one that adds nothing', answersNothing, kept, 'added nothing'],
    ['one that generates nothing', answersNothing, fresh, 'to generate a data key'],
  ] as const)('may not be %s', async (_, keyring, wishes, text) => {
    const { ciphertext } = await encrypt(PLAINTEXT, { keyring: aes, ...UNSIGNED });
    for (const [, run] of WAYS) {
      const error = await failure(run(ciphertext, { keyring: aes, to: keyring, ...wishes }));
      expect(error.code).toBe('INVALID_ARGUMENT');
      expect(error.message).toMatch(/^"to"/);
      expect(error.message).toContain(text);
    }
  });

  it.each(WAYS)('%s: throws what it throws', async (_, run) => {
    const { ciphertext } = await encrypt(PLAINTEXT, { keyring: aes, ...UNSIGNED });
    const wrong = new Error('no such key');
    const fails: Keyring = { ...malleableKeyring(), onEncrypt: () => Promise.reject(wrong) };
    for (const wishes of [kept, fresh, { keepExisting: true }])
      await expect(run(ciphertext, { keyring: aes, to: fails, ...wishes })).rejects.toBe(wrong);
  });

  it.each(WAYS)('%s: is lent a copy of the data key, which it may spoil', async (_, run) => {
    const { ciphertext } = await encrypt(PLAINTEXT, { keyring: aes, ...UNSIGNED });
    const spoils: Keyring = {
      ...malleableKeyring(),
      onEncrypt: async (materials, options) => {
        const answer = await malleableKeyring().onEncrypt(materials, options);
        materials.plaintextDataKey!.fill(0);
        return { ...answer, plaintextDataKey: materials.plaintextDataKey! };
      },
    };
    const result = await run(ciphertext, { keyring: aes, to: multiKeyring({ children: [spoils, to] }) });
    await expectOpens(result.ciphertext, [malleableKeyring(), to]);
  });
});
