import { webcrypto } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  decrypt,
  encrypt,
  type Keyring,
  multiKeyring,
  rawAesKeyring,
  rawRsaKeyring,
} from '../../src/index.ts';
import {
  aesKeyring,
  bytes,
  failure,
  failureCode,
  policyFor,
  rsaPem,
  SUITE_ROWS,
} from '../support/messages.ts';

const pem = rsaPem();
const OAEP = ['oaep-sha1', 'oaep-sha256', 'oaep-sha384', 'oaep-sha512'] as const;
const rsa = (padding: (typeof OAEP)[number] | 'pkcs1', keys: object = pem) =>
  rawRsaKeyring({ keyNamespace: 'escrow', keyName: 'rsa', padding, ...keys });

describe('rawAesKeyring', () => {
  it.each([16, 24, 32] as const)('wraps under a key of %i bytes, for every suite', async (length) => {
    const keyring = aesKeyring(1, length);
    for (const [, suite] of SUITE_ROWS) {
      const options = { keyring, commitmentPolicy: policyFor(suite) };
      const { ciphertext } = await encrypt(bytes(5), { ...options, algorithmSuite: suite.id });
      expect((await decrypt(ciphertext, options)).plaintext).toEqual(bytes(5));
    }
  });

  it('takes a CryptoKey that is not extractable', async () => {
    const wrappingKey = (await webcrypto.subtle.importKey('raw', bytes(32), 'AES-GCM', false, [
      'encrypt',
      'decrypt',
    ])) as CryptoKey;
    const keyring = rawAesKeyring({ keyNamespace: 'test', keyName: 'aes-1', wrappingKey });
    const { ciphertext } = await encrypt(bytes(5), { keyring });
    expect((await decrypt(ciphertext, { keyring: aesKeyring(1) })).plaintext).toEqual(bytes(5));
    const other = await encrypt(bytes(6), { keyring: aesKeyring(1) });
    expect((await decrypt(other.ciphertext, { keyring })).plaintext).toEqual(bytes(6));
  });

  it.each([
    ['15 bytes', { wrappingKey: bytes(15) }],
    ['text', { wrappingKey: 'secret' }],
    ['a reserved namespace', { keyNamespace: 'aws-kms' }],
    ['a namespace that begins with a reserved one', { keyNamespace: 'aws-kms-mine' }],
    ['no name', { keyName: '' }],
    ['a name with a lone surrogate', { keyName: '\ud800' }],
  ])('refuses %s', async (_, change) => {
    const options = { keyNamespace: 'n', keyName: 'k', wrappingKey: bytes(32), ...change };
    const error = await failure(() => rawAesKeyring(options as never));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).not.toContain('secret');
  });

  it('does not tell a wrong tag from a wrong length', async () => {
    const { ciphertext, header } = await encrypt(bytes(5), { keyring: aesKeyring() });
    const { providerInfo } = header.encryptedDataKeys[0]!;
    const reasons = [];
    const lengthAt =
      2 + 2 + 32 + 2 + serializedContextLength(ciphertext) + 2 + 2 + 4 + 2 + providerInfo.length;
    const wrongTag = new Uint8Array(ciphertext);
    wrongTag[lengthAt + 2]! ^= 1;
    for (const message of [wrongTag])
      reasons.push((await failure(decrypt(message, { keyring: aesKeyring() }))).attempts[0]?.reason);
    const shorter = {
      ...header.encryptedDataKeys[0]!,
      ciphertext: header.encryptedDataKeys[0]!.ciphertext.slice(1),
    };
    const materials = {
      algorithmSuite: SUITE_ROWS.at(-1)![1],
      encryptionContext: {},
      requiredEncryptionContextKeys: [],
    };
    reasons.push((await failure(aesKeyring().onDecrypt(materials, [shorter], {}))).attempts[0]?.reason);
    expect(new Set(reasons).size).toBe(1);
    expect(reasons[0]).toBeDefined();
  });
});

describe('rawRsaKeyring', () => {
  it.each([...OAEP, 'pkcs1'] as const)('%s wraps and opens data keys of every length', async (padding) => {
    const keyring = rsa(padding);
    for (const suiteId of [0x0014, 0x0146, 0x0478]) {
      const suite = SUITE_ROWS.find(([, { id }]) => id === suiteId)![1];
      const options = { keyring, commitmentPolicy: policyFor(suite) };
      const { ciphertext } = await encrypt(bytes(5), { ...options, algorithmSuite: suiteId });
      expect((await decrypt(ciphertext, options)).plaintext).toEqual(bytes(5));
    }
  });

  it('takes CryptoKeys whose hash is the padding’s, and no others', async () => {
    const { publicKey, privateKey } = (await webcrypto.subtle.generateKey(
      { name: 'RSA-OAEP', modulusLength: 2048, publicExponent: Uint8Array.of(1, 0, 1), hash: 'SHA-256' },
      false,
      ['encrypt', 'decrypt'],
    )) as CryptoKeyPair;
    const keys = { publicKey, privateKey };
    const keyring = rsa('oaep-sha256', keys);
    const { ciphertext } = await encrypt(bytes(5), { keyring });
    expect((await decrypt(ciphertext, { keyring })).plaintext).toEqual(bytes(5));
    expect(await failureCode(encrypt(bytes(5), { keyring: rsa('oaep-sha512', keys) }))).toBe(
      'INVALID_ARGUMENT',
    );
    expect(await failureCode(encrypt(bytes(5), { keyring: rsa('pkcs1', keys) }))).toBe('UNSUPPORTED');
  });

  it('works with half a pair', async () => {
    const writer = rsa('oaep-sha256', { publicKey: pem.publicKey });
    const reader = rsa('oaep-sha256', { privateKey: pem.privateKey });
    const { ciphertext } = await encrypt(bytes(5), { keyring: writer });
    expect((await decrypt(ciphertext, { keyring: reader })).plaintext).toEqual(bytes(5));
    expect(await failureCode(encrypt(bytes(5), { keyring: reader }))).toBe('INVALID_ARGUMENT');
    const error = await failure(decrypt(ciphertext, { keyring: writer }));
    expect([error.code, error.attempts[0]!.reason]).toEqual(['NO_DATA_KEY', 'the keyring has no privateKey']);
  });

  it.each([
    ['neither key', {}],
    ['a private key in place of the public one', { publicKey: pem.privateKey }],
    ['text that is no PEM', { publicKey: 'hello' }],
    ['PEM whose DER is no key', { publicKey: '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----' }],
  ])('refuses %s', async (_, keys) => {
    const error = await failure(() => rsa('oaep-sha256', keys));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).not.toMatch(/MII/);
  });

  it('gives one reason for padding, length and wrong key alike, and no inner cause', async () => {
    const edk = { providerId: 'escrow', providerInfo: new TextEncoder().encode('rsa') };
    const materials = {
      algorithmSuite: SUITE_ROWS.at(-1)![1],
      encryptionContext: {},
      requiredEncryptionContextKeys: [],
    };
    const other = rawRsaKeyring({
      keyNamespace: 'escrow',
      keyName: 'rsa',
      padding: 'oaep-sha256',
      publicKey: rsaPem().publicKey,
    });
    const wrongKey = (await other.onEncrypt({ ...materials, encryptedDataKeys: [] }, {}))
      .encryptedDataKeys[0]!.ciphertext;
    const short = { ...materials, algorithmSuite: SUITE_ROWS[0]![1], encryptedDataKeys: [] };
    const wrongLength = (await rsa('oaep-sha256').onEncrypt(short, {})).encryptedDataKeys[0]!.ciphertext;
    const texts = new Set<string>();
    for (const ciphertext of [wrongKey, wrongLength, bytes(256), bytes(255), bytes(0)]) {
      const error = await failure(
        rsa('oaep-sha256').onDecrypt(materials, [{ ...edk, ciphertext } as never], {}),
      );
      expect(error.cause).toBeUndefined();
      texts.add(`${error.code} ${error.attempts[0]!.reason} ${error.message}`);
    }
    expect(texts.size).toBe(1);
  });
});

describe('RSA PKCS#1 v1.5', () => {
  const keyring = rsa('pkcs1');

  it('goes on to the next entry when a key it opened proves to be another message’s', async () => {
    const two = multiKeyring({ generator: keyring, children: [rsa('pkcs1')] });
    const { ciphertext, header } = await encrypt(bytes(5), { keyring: two, algorithmSuite: 0x0478 });
    const first = header.encryptedDataKeys[0]!.ciphertext;
    const at = ciphertext.findIndex((_, i) => first.every((byte, j) => ciphertext[i + j] === byte));
    const spoiled = new Uint8Array(ciphertext);
    spoiled[at + 100]! ^= 1;
    // The header tag covers the entries, so even the second key opens a message that is not authentic.
    expect(await failureCode(decrypt(spoiled, { keyring }))).toBe('AUTHENTICATION_FAILED');
    const asked: boolean[] = [];
    const materials = {
      algorithmSuite: SUITE_ROWS.at(-2)![1],
      encryptionContext: {},
      requiredEncryptionContextKeys: [],
    };
    const edks = header.encryptedDataKeys.map((edk, i) =>
      i === 0 ? { ...edk, ciphertext: spoiled.slice(at, at + 256) } : edk,
    );
    const answer = await keyring.onDecrypt(materials, edks, {
      confirmDataKey: async () => asked.push(asked.length > 0) === 2,
    });
    expect(asked).toEqual([false, true]);
    expect(answer.plaintextDataKey).toHaveLength(32);
  });

  it('answers the same substitute for the same wrong block, and another for another', async () => {
    const materials = {
      algorithmSuite: SUITE_ROWS.at(-2)![1],
      encryptionContext: {},
      requiredEncryptionContextKeys: [],
    };
    const open = async (ciphertext: Uint8Array) => {
      const edk = {
        providerId: 'escrow',
        providerInfo: new TextEncoder().encode('rsa'),
        ciphertext,
      } as never;
      return (await keyring.onDecrypt(materials, [edk], {})).plaintextDataKey!;
    };
    const wrong = bytes(256).fill(1, 0, 1);
    expect(await open(wrong)).toEqual(await open(wrong));
    expect(await open(wrong)).not.toEqual(await open(bytes(256, 3).fill(1, 0, 1)));
    expect(await open(wrong)).toHaveLength(32);
  });

  it('reports a wrong private key as the common authentication error, alone and among others', async () => {
    const { ciphertext } = await encrypt(bytes(5), { keyring });
    const wrong = rsa('pkcs1', rsaPem());
    const alone = await failure(decrypt(ciphertext, { keyring: wrong }));
    const among = await failure(
      decrypt(ciphertext, { keyring: multiKeyring({ children: [wrong, aesKeyring()] }) }),
    );
    const altered = new Uint8Array((await encrypt(bytes(5), { keyring: aesKeyring() })).ciphertext);
    altered[altered.length - 1]! ^= 1;
    const common = await failure(decrypt(altered, { keyring: aesKeyring() }));
    expect([alone.code, alone.message]).toEqual([common.code, common.message]);
    expect([among.code, among.message]).toEqual([common.code, common.message]);
  });
});

describe('multiKeyring', () => {
  it('opens with each of its keys alone', async () => {
    const members = [aesKeyring(1), aesKeyring(2, 16), rsa('oaep-sha256')];
    const keyring = multiKeyring({ generator: members[0]!, children: members.slice(1) });
    const { ciphertext, header } = await encrypt(bytes(99), { keyring, encryptionContext: { a: 'b' } });
    expect(header.encryptedDataKeys.map(({ providerId }) => providerId)).toEqual(['test', 'test', 'escrow']);
    for (const member of [...members, keyring]) {
      expect((await decrypt(ciphertext, { keyring: member })).plaintext).toEqual(bytes(99));
    }
  });

  it('lists every entry and why it did not open', async () => {
    const keyring = multiKeyring({ generator: aesKeyring(1), children: [rsa('oaep-sha256'), aesKeyring(3)] });
    const { ciphertext } = await encrypt(bytes(1), { keyring });
    const wrongAes = rawAesKeyring({ keyNamespace: 'test', keyName: 'aes-1', wrappingKey: bytes(32, 99) });
    const error = await failure(
      decrypt(ciphertext, { keyring: multiKeyring({ children: [wrongAes, rsa('oaep-sha256', rsaPem())] }) }),
    );
    expect(error.code).toBe('NO_DATA_KEY');
    expect(error.attempts.map(({ providerId, keyName, keyring: by }) => [providerId, keyName, by])).toEqual([
      ['test', 'aes-1', 'rawAesKeyring'],
      ['escrow', 'rsa', 'rawRsaKeyring'],
      ['test', 'aes-3', 'none'],
    ]);
    for (const { reason } of error.attempts) expect(error.message).toContain(reason);
  });

  it("runs a caller's keyring in sequence, with the entries before it in sight; ours in parallel", async () => {
    const log: string[] = [];
    const own = (name: string): Keyring => ({
      onEncrypt: async (materials) => {
        log.push(`${name} sees ${materials.encryptedDataKeys.length}`);
        await new Promise((resolve) => setTimeout(resolve, 5));
        log.push(`${name} done`);
        const edk = { providerId: name, providerInfo: bytes(0), ciphertext: bytes(1) };
        return { ...materials, encryptedDataKeys: [...materials.encryptedDataKeys, edk] };
      },
      onDecrypt: async (materials) => materials,
    });
    const keyring = multiKeyring({
      generator: aesKeyring(1),
      children: [aesKeyring(2), aesKeyring(3), own('x'), own('y'), aesKeyring(4)],
    });
    const { header } = await encrypt(bytes(1), { keyring, algorithmSuite: 0x0478 });
    expect(log).toEqual(['x sees 3', 'x done', 'y sees 4', 'y done']);
    expect(header.encryptedDataKeys.map(({ providerId }) => providerId)).toEqual([
      'test',
      'test',
      'test',
      'x',
      'y',
      'test',
    ]);
  });

  it('goes on when a member throws anything at all', async () => {
    const broken: Keyring = {
      onEncrypt: () => Promise.reject(new Error('no')),
      onDecrypt: () => Promise.reject(new Error('broken')),
    };
    const { ciphertext } = await encrypt(bytes(1), { keyring: aesKeyring() });
    expect(
      (await decrypt(ciphertext, { keyring: multiKeyring({ children: [broken, aesKeyring()] }) })).plaintext,
    ).toEqual(bytes(1));
    const error = await failure(decrypt(ciphertext, { keyring: multiKeyring({ children: [broken] }) }));
    expect([error.code, error.attempts[0]!.reason]).toEqual(['NO_DATA_KEY', 'broken']);
  });

  it('needs a generator to encrypt alone', async () => {
    expect(await failureCode(() => multiKeyring({}))).toBe('INVALID_ARGUMENT');
    const wrapOnly: Keyring = {
      onEncrypt: async (materials) => materials,
      onDecrypt: async (materials) => materials,
    };
    expect(await failureCode(encrypt(bytes(1), { keyring: multiKeyring({ children: [wrapOnly] }) }))).toBe(
      'INVALID_ARGUMENT',
    );
  });
});

describe('maxEncryptedDataKeys', () => {
  const three = multiKeyring({ generator: aesKeyring(1), children: [aesKeyring(2), aesKeyring(3)] });

  it('fails decrypt while parsing, before any keyring is called', async () => {
    const { ciphertext } = await encrypt(bytes(1), { keyring: three });
    let called = 0;
    const counting: Keyring = {
      onEncrypt: three.onEncrypt,
      onDecrypt: (...all) => {
        called++;
        return three.onDecrypt(...all);
      },
    };
    expect(await failureCode(decrypt(ciphertext, { keyring: counting, maxEncryptedDataKeys: 2 }))).toBe(
      'LIMIT_EXCEEDED',
    );
    expect(called).toBe(0);
    await decrypt(ciphertext, { keyring: counting, maxEncryptedDataKeys: 3 });
    expect(called).toBe(1);
    // Enough of the header to know the count is enough to refuse it.
    const upToCount = ciphertext.subarray(0, 2 + 2 + 32 + 2 + serializedContextLength(ciphertext) + 2);
    expect(await failureCode(decrypt(upToCount, { keyring: three, maxEncryptedDataKeys: 2 }))).toBe(
      'LIMIT_EXCEEDED',
    );
  });

  it('fails encrypt before a header is built', async () => {
    expect(await failureCode(encrypt(bytes(1), { keyring: three, maxEncryptedDataKeys: 2 }))).toBe(
      'LIMIT_EXCEEDED',
    );
    await encrypt(bytes(1), { keyring: three, maxEncryptedDataKeys: 3 });
  });
});

// Bytes of the context in a version 2 message, less one: version 2 has no type byte.
function serializedContextLength(message: Uint8Array): number {
  return message[35]! * 256 + message[36]! - 1;
}
