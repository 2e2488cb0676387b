/**
 * The cache entry identifier, computed a second time from the specification's formula, and what is added to it.
 */
import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import {
  algorithmSuite,
  type DecryptionMaterialsRequest,
  type EncryptedDataKey,
  type EncryptionMaterialsRequest,
} from '../../src/index.ts';
import {
  decryptionEntryId,
  decryptionKey,
  encryptionEntryId,
  encryptionKey,
} from '../../src/materials/cache-id.ts';
import { bytes, failureCode } from '../support/messages.ts';

const POLICY = 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT';
const sha384 = (...parts: (Buffer | string)[]) => {
  const hash = createHash('sha384');
  for (const part of parts) hash.update(typeof part === 'string' ? Buffer.from(part, 'latin1') : part);
  return hash.digest('hex');
};
const hex = (id: Uint8Array) => Buffer.from(id).toString('hex');
const edk = (providerId: string, seed: number, length = 3): EncryptedDataKey => ({
  providerId,
  providerInfo: bytes(length, seed),
  ciphertext: bytes(length, seed + 1),
});
const entry = ({ providerId, providerInfo, ciphertext }: EncryptedDataKey) =>
  Buffer.concat(
    [Buffer.from(providerId), providerInfo, ciphertext].flatMap((field) => [
      Buffer.from([field.length >> 8, field.length & 255]),
      field,
    ]),
  );

describe('the identifier is SHA-384 of', () => {
  // 2 pairs, sorted by the bytes of their keys: "a" -> "1", "é" -> "2"
  const context = '\x00\x02\x00\x01a\x00\x011\x00\x02\xc3\xa9\x00\x012';
  const encryptionContext = { é: '2', a: '1' };

  it('encryption materials without a suite', async () => {
    const request = { encryptionContext, commitmentPolicy: POLICY } as const;
    expect(hex(await encryptionEntryId('tenant ü', request))).toBe(
      sha384('\x01\x00\x01\x00', Buffer.from('tenant ü'), '\x00\x00\x00', context),
    );
    expect(hex(await encryptionEntryId('p', { ...request, encryptionContext: {} }))).toBe(
      sha384('\x01\x00\x01\x00p\x00\x00\x00'),
    );
  });

  it('encryption materials with a suite', async () => {
    const request = {
      encryptionContext,
      commitmentPolicy: POLICY,
      algorithmSuite: algorithmSuite(0x0478),
    } as const;
    expect(hex(await encryptionEntryId('p', request))).toBe(
      sha384('\x01\x00\x01\x00p\x00\x01\x00\x04\x78\x00', context),
    );
  });

  it('decryption materials, whose entries are sorted by their bytes', async () => {
    const [a, b, c] = [edk('aws-kms', 1), edk('aws-kms', 1, 2), edk('z', 0, 300)];
    const sorted = Buffer.concat([entry(c), entry(b), entry(a)]); // "00 01 z", then "00 07 aws-kms 00 02", then "... 00 03"
    for (const encryptedDataKeys of [
      [a, b, c],
      [c, a, b],
      [b, c, a],
    ]) {
      const request = {
        encryptionContext,
        commitmentPolicy: POLICY,
        algorithmSuite: algorithmSuite(0x0578),
      } as const;
      expect(hex(await decryptionEntryId('p', { ...request, encryptedDataKeys }))).toBe(
        sha384('\x01\x00\x02\x00p\x00\x05\x78\x00', sorted, '\x00', context),
      );
    }
  });
});

describe('the key of the cache', () => {
  it('is SHA-384 of the identifier and of what it leaves out', async () => {
    const request = {
      encryptionContext: { a: '1', b: '2' },
      commitmentPolicy: POLICY,
      requiredEncryptionContextKeys: ['b', 'a'],
    } as const;
    const id = Buffer.from(await encryptionEntryId('p', request));
    const suffix = `\x00\x00\x00\x1f${POLICY}\x00\x00\x00\x02\x00\x00\x00\x01a\x00\x00\x00\x01b`;
    const key = await encryptionKey('p', request);
    expect(Buffer.from(key, 'base64').toString('hex')).toBe(sha384(id, suffix));
  });

  it('differs for encryption requests that differ in anything but order', async () => {
    const base: EncryptionMaterialsRequest = {
      encryptionContext: { a: '1', b: '2' },
      commitmentPolicy: POLICY,
    };
    const requests: EncryptionMaterialsRequest[] = [
      base,
      { ...base, commitmentPolicy: 'REQUIRE_ENCRYPT_ALLOW_DECRYPT' },
      { ...base, commitmentPolicy: 'FORBID_ENCRYPT_ALLOW_DECRYPT' },
      { ...base, algorithmSuite: algorithmSuite(0x0478) },
      { ...base, algorithmSuite: algorithmSuite(0x0578) },
      { ...base, encryptionContext: { a: '1' } },
      { ...base, encryptionContext: { a: '2', b: '1' } },
      { ...base, encryptionContext: {} },
      { ...base, requiredEncryptionContextKeys: ['a'] },
      { ...base, requiredEncryptionContextKeys: ['b'] },
      { ...base, requiredEncryptionContextKeys: ['a', 'b'] },
      { ...base, requiredEncryptionContextKeys: ['ab'] },
    ];
    const keys = await Promise.all(requests.map((request) => encryptionKey('p', request)));
    expect(new Set(keys).size).toBe(requests.length);
    for (const partition of ['q', 'P', 'p ', 'pp'])
      expect(keys).not.toContain(await encryptionKey(partition, base));
    const same = [
      { ...base, encryptionContext: { b: '2', a: '1' } },
      { ...base, requiredEncryptionContextKeys: [] },
      { ...base, maxPlaintextLength: 5, streamed: true },
    ];
    for (const request of same) expect(await encryptionKey('p', request)).toBe(keys[0]);
    const twice = { ...base, requiredEncryptionContextKeys: ['b', 'a', 'b'] };
    expect(await encryptionKey('p', twice)).toBe(keys[10]);
  });

  it('differs for decryption requests that differ in anything but order', async () => {
    const base: DecryptionMaterialsRequest = {
      encryptionContext: { a: '1' },
      commitmentPolicy: POLICY,
      algorithmSuite: algorithmSuite(0x0478),
      encryptedDataKeys: [edk('x', 1), edk('y', 2)],
    };
    const requests: DecryptionMaterialsRequest[] = [
      base,
      { ...base, commitmentPolicy: 'REQUIRE_ENCRYPT_ALLOW_DECRYPT' },
      { ...base, algorithmSuite: algorithmSuite(0x0578) },
      { ...base, encryptionContext: {} },
      { ...base, encryptedDataKeys: [edk('x', 1)] },
      { ...base, encryptedDataKeys: [edk('x', 1), edk('x', 1)] },
      { ...base, encryptedDataKeys: [edk('x', 1), edk('y', 3)] },
      { ...base, reproducedEncryptionContext: { a: '1' } },
      { ...base, reproducedEncryptionContext: { b: '1' } },
      { ...base, reproducedEncryptionContext: { b: '2' } },
    ];
    const keys = await Promise.all(requests.map((request) => decryptionKey('p', request)));
    expect(new Set(keys).size).toBe(requests.length);
    const same = [
      { ...base, encryptedDataKeys: [edk('y', 2), edk('x', 1)] },
      { ...base, reproducedEncryptionContext: {} },
    ];
    for (const request of same) expect(await decryptionKey('p', request)).toBe(keys[0]);
  });

  it('differs where the identifier does not: a list of entries that runs into the context', async () => {
    // Behind the first entry: the mark 00 and a context of one pair, or another entry, the mark and no context.
    const [key, value] = ['k'.repeat(100), `${'v'.repeat(153)}\0A${'c'.repeat(65)}\0`];
    const first = { providerId: '', providerInfo: new Uint8Array(0), ciphertext: new Uint8Array(0) };
    const second = {
      providerId: '',
      providerInfo: new Uint8Array(Buffer.from(`\x64${key}\0\xdd${'v'.repeat(153)}`, 'latin1')),
      ciphertext: new Uint8Array(Buffer.from('c'.repeat(65))),
    };
    const base = { commitmentPolicy: POLICY, algorithmSuite: algorithmSuite(0x0478) } as const;
    const one = { ...base, encryptedDataKeys: [first], encryptionContext: { [key]: value } };
    const two = { ...base, encryptedDataKeys: [first, second], encryptionContext: {} };
    expect(hex(await decryptionEntryId('p', one))).toBe(hex(await decryptionEntryId('p', two)));
    expect(await decryptionKey('p', one)).not.toBe(await decryptionKey('p', two));
  });

  it('is asked for with text, and with contexts that the format holds', async () => {
    const base: EncryptionMaterialsRequest = { encryptionContext: {}, commitmentPolicy: POLICY };
    for (const key of [5, '\ud800', undefined]) {
      const request = { ...base, requiredEncryptionContextKeys: [key as string] };
      expect(await failureCode(encryptionKey('p', request))).toBe('INVALID_ARGUMENT');
    }
    const large = { ...base, encryptionContext: { a: 'x'.repeat(65_530) } };
    expect(await failureCode(encryptionKey('p', large))).toBe('LIMIT_EXCEEDED');
  });
});
