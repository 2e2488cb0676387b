/**
 * Sidecars that somebody else has changed: an error with the code that is written here, and never another plaintext.
 */
import { publicEncrypt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { parseSidecar } from '../../src/format/sidecar.ts';
import {
  addWrappingKeys,
  type DecryptOptions,
  decrypt,
  decryptRange,
  decryptStream,
  type EncryptedDataKey,
  encrypt,
  type FramesealError,
  type Keyring,
  multiKeyring,
  parseHeader,
  rawRsaKeyring,
} from '../../src/index.ts';
import {
  aesKeyring,
  bytes,
  failure,
  failureCode,
  flip,
  policyFor,
  rsaPem,
  SUITE_ROWS,
} from '../support/messages.ts';
import { fieldsOf, flipOutcome } from '../support/sidecar-fields.ts';
import { sidecarVector, vectorKeyring } from '../support/sidecar-vectors.ts';
import { malleableKeyring, spied, withSidecar } from '../support/sidecars.ts';
import { randomNumbers, through, whole } from '../support/streams.ts';

const first = aesKeyring(1);
const added = aesKeyring(2);
const SOME = ['0178', '0378', '0478', '0578'];

describe.each(SOME)('each bit of a sidecar of suite %s flipped', (suite) => {
  const { message, sidecars, options } = sidecarVector(`${suite}-aes-256`);
  const sidecar = sidecars[0]!;
  const fields = fieldsOf(sidecar);

  it.each([
    ['a key of the header', 'aes-128', false],
    ['a key of the sidecar alone', 'aes-256', true],
  ])('opened by %s', async (_, wrapping, alone) => {
    const keyring = vectorKeyring(wrapping);
    const told = new Map<string, number>();
    for (let bit = 0; bit < 8 * sidecar.length; bit++) {
      const altered = flip(sidecar, bit >> 3, bit & 7);
      const expected = alone ? flipOutcome(fields, bit) : 'SIDECAR_MISMATCH';
      const code = await failureCode(decrypt(message, { ...options, keyring, sidecar: altered }));
      if (code !== expected) expect(`bit ${bit}: ${code}`).toBe(`bit ${bit}: ${expected}`);
      told.set(code, (told.get(code) ?? 0) + 1);
    }
    const nameAndKey = fields.id.length * 7 + fields.info.length * 8 + fields.ciphertext.length * 8;
    expect(Object.fromEntries(told)).toEqual({
      SIDECAR_MISMATCH: 8 * sidecar.length - (alone ? nameAndKey : 0),
      ...(alone && { NO_DATA_KEY: nameAndKey }),
    });
  });

  it('cut off anywhere, or with something behind it: no keyring is asked', async () => {
    const keyring = spied(vectorKeyring('aes-128'));
    const wrong = [...sidecar.keys()].map((length) => sidecar.subarray(0, length));
    for (const altered of [
      ...wrong,
      new Uint8Array([...sidecar, 0]),
      new Uint8Array([...sidecar, ...sidecar]),
    ]) {
      const code = await failureCode(decrypt(message, { ...options, keyring, sidecar: altered }));
      expect(code).toBe('SIDECAR_MISMATCH');
    }
    expect(keyring.requests).toEqual([]);
  });
});

describe('the wrapped data key altered', () => {
  // Raw AES and KMS keys tell; under these any bytes unwrap to some key, and only the message says which is its own.
  it.each(SUITE_ROWS)('%s: a key that unwraps to something else is not used', async (_, { id, ...suite }) => {
    const written = { algorithmSuite: id, commitmentPolicy: policyFor({ id, ...suite }) };
    const { ciphertext, sidecar } = await withSidecar({ ...written, add: malleableKeyring() });
    const { ciphertext: field, info } = fieldsOf(sidecar);
    const read = (at: number, keyring: Keyring) =>
      failureCode(decrypt(ciphertext, { ...written, keyring, sidecar: flip(sidecar, at, at & 7) }));
    for (let at = field.at; at < field.at + field.length; at++) {
      expect(await read(at, malleableKeyring())).toBe('AUTHENTICATION_FAILED');
      expect(await read(at, first)).toBe('SIDECAR_MISMATCH');
    }
    // Its provider information is nothing to this keyring: the data key is right, and the MAC is not.
    expect(await read(info.at, malleableKeyring())).toBe('SIDECAR_MISMATCH');
  });

  it('under RSA PKCS#1 v1.5 too', async () => {
    const keyring = rawRsaKeyring({ keyNamespace: 'rsa', keyName: 'k', padding: 'pkcs1', ...rsaPem() });
    const { ciphertext, sidecar } = await withSidecar({ add: keyring });
    const field = fieldsOf(sidecar).ciphertext;
    for (let at = field.at; at < field.at + field.length; at += 17) {
      const options = { keyring, sidecar: flip(sidecar, at) };
      expect(await failureCode(decrypt(ciphertext, options))).toBe('AUTHENTICATION_FAILED');
    }
  });
});

describe.each(SUITE_ROWS)('suite %s: a data key of a stranger, wrapped for an RSA key', (_, suite) => {
  const pem = rsaPem();
  const keyring = rawRsaKeyring({ keyNamespace: 'rsa', keyName: 'k', padding: 'oaep-sha256', ...pem });
  const written = { algorithmSuite: suite.id, commitmentPolicy: policyFor(suite) };
  const wrapped = (dataKey: Uint8Array) =>
    publicEncrypt({ key: pem.publicKey, oaepHash: 'sha256' }, Buffer.from(dataKey));

  it('opens nothing', async () => {
    const { ciphertext, sidecar } = await withSidecar({ ...written, add: keyring });
    const field = fieldsOf(sidecar).ciphertext;
    const altered = sidecar.slice();
    altered.set(wrapped(bytes(suite.keyLength, 99)), field.at);
    const options = { ...written, sidecar: altered };
    expect(await failureCode(decrypt(ciphertext, { ...options, keyring }))).toBe('AUTHENTICATION_FAILED');
    expect(await failureCode(decrypt(ciphertext, { ...options, keyring: first }))).toBe('SIDECAR_MISMATCH');
    const stream = await through(decryptStream({ ...options, keyring }), whole(ciphertext));
    expect(stream).toMatchObject({ error: { code: 'AUTHENTICATION_FAILED' }, pieces: [] });
    const range = { ...options, keyring, start: 0, end: 10, allowUnverifiedSignature: true };
    expect(await failureCode(decryptRange(new Blob([ciphertext]), range))).toBe('AUTHENTICATION_FAILED');
    const adding = { ...options, keyring, add: added };
    expect(await failureCode(addWrappingKeys(ciphertext, adding))).toBe('AUTHENTICATION_FAILED');
  });

  it('of another length is no data key', async () => {
    const { ciphertext, sidecar } = await withSidecar({ ...written, add: keyring });
    const altered = sidecar.slice();
    altered.set(wrapped(bytes(suite.keyLength - 1, 99)), fieldsOf(sidecar).ciphertext.at);
    expect(await failureCode(decrypt(ciphertext, { ...written, keyring, sidecar: altered }))).toBe(
      'NO_DATA_KEY',
    );
  });
});

describe('very many entries', () => {
  const empty: EncryptedDataKey = { providerId: '', providerInfo: bytes(0), ciphertext: bytes(0) };
  const crowd = (count: number): Keyring => ({
    onEncrypt: async (materials) => ({ ...materials, encryptedDataKeys: Array(count).fill(empty) }),
    onDecrypt: async (materials) => materials,
  });

  it('of one kind are one entry', async () => {
    const { sidecar } = await withSidecar({ add: crowd(1000) });
    expect(parseSidecar(sidecar, 1).encryptedDataKeys).toEqual([empty]);
  });

  const MOST = 65_534; // one is in the header
  const numbered: Keyring = {
    ...crowd(0),
    onEncrypt: async (materials) => {
      const edks = Array.from({ length: MOST }, (_, i) => ({ ...empty, providerId: `${i}` }));
      return { ...materials, encryptedDataKeys: edks };
    },
  };

  it('are written and read, as many as a message may have, and no more', async () => {
    const { ciphertext, sidecar, plaintext } = await withSidecar({ add: numbered });
    expect((await decrypt(ciphertext, { keyring: first, sidecar })).plaintext).toEqual(plaintext);
    const error = await failure(decrypt(ciphertext, { keyring: added, sidecar }));
    expect(error.code).toBe('NO_DATA_KEY');
    expect(error.attempts.length).toBeLessThanOrEqual(1025);
    expect(error.message.length).toBeLessThan(1000);
    const more = { keyring: first, sidecar, add: added };
    expect(await failureCode(addWrappingKeys(ciphertext, more))).toBe('LIMIT_EXCEEDED');
    const twice = { keyring: first, sidecar: [sidecar, sidecar] };
    expect(await failureCode(decrypt(ciphertext, twice))).toBe('LIMIT_EXCEEDED');
    const two = await encrypt(bytes(1), { keyring: multiKeyring({ generator: first, children: [added] }) });
    const tooMany = { keyring: first, add: numbered };
    expect(await failureCode(addWrappingKeys(two.ciphertext, tooMany))).toBe('LIMIT_EXCEEDED');
  });

  it('are counted before the first is read', async () => {
    const { ciphertext, sidecar } = await withSidecar();
    const { count } = fieldsOf(sidecar);
    const claims = sidecar.slice();
    claims.fill(0xff, count.at, count.at + 2);
    const keyring = spied(first);
    const limited = { keyring, sidecar: claims, maxEncryptedDataKeys: 10 };
    expect(await failureCode(decrypt(ciphertext, limited))).toBe('LIMIT_EXCEEDED');
    expect(await failureCode(decrypt(ciphertext, { keyring, sidecar: claims }))).toBe('SIDECAR_MISMATCH');
    expect(keyring.requests).toEqual([]);
  });
});

it('text of a stranger is escaped wherever it is told', async () => {
  const name = '\u001b[2J\r\n\u202egnp.exe\u0000\u009b';
  const add: Keyring = {
    ...malleableKeyring(),
    onEncrypt: async (materials) => {
      const providerInfo = new TextEncoder().encode(name);
      const edk = { providerId: name, providerInfo, ciphertext: bytes(4) };
      return { ...materials, encryptedDataKeys: [edk] };
    },
  };
  const { ciphertext, sidecar } = await withSidecar({ add });
  const error = await failure(decrypt(ciphertext, { keyring: added, sidecar }));
  const shown = [error.message, ...error.attempts.flatMap((one) => [one.providerId, one.keyName])].join('');
  expect(error.attempts).toHaveLength(2);
  expect(shown).toContain('\\u{1b}[2J\\u{d}\\u{a}\\u{202e}gnp.exe\\u{0}\\u{9b}');
  expect(shown).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});

it('no change of any kind makes another plaintext, or an error that is none of ours', async () => {
  const { message, plaintext, sidecars, options } = sidecarVector('0178-two-entries');
  const draw = randomNumbers(7);
  const codes = new Set<string>();
  for (let i = 0; i < 4000; i++) {
    const sidecar = scrambled(sidecars[0]!, draw);
    const wrapping = ['aes-128', 'aes-256', 'aes-192'][draw(3)]!;
    const given: DecryptOptions = { ...options, sidecar, keyring: vectorKeyring(wrapping) };
    const outcome = await decrypt(message, given).catch(
      (error: FramesealError) => error.code ?? String(error),
    );
    if (typeof outcome === 'string') codes.add(outcome);
    else expect(outcome.plaintext).toEqual(plaintext);
  }
  expect([...codes].sort()).toEqual(['NO_DATA_KEY', 'SIDECAR_MISMATCH']);
  expect(parseHeader(message).encryptedDataKeys).toHaveLength(1);
});

// A few bytes changed, moved, taken out or put in.
function scrambled(sidecar: Uint8Array, draw: (below: number) => number): Uint8Array {
  const changed = [...sidecar];
  for (let times = 1 + draw(3); times > 0; times--) {
    const at = draw(changed.length);
    const some = Array.from({ length: draw(4) }, () => draw(256));
    if (draw(2) === 0)
      for (const [i, byte] of some.entries()) changed[Math.min(at + i, changed.length - 1)] = byte;
    else changed.splice(at, draw(5), ...some);
  }
  return Uint8Array.from(changed);
}
