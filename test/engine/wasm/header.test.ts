/**
 * Headers sealed and opened in one call of the kernel, against `node:crypto`.
 */
import { createCipheriv, hkdfSync, randomBytes, randomInt } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { KeyDerivation } from '../../../src/crypto/crypto.ts';
import { loadKernel } from '../../../src/engine/wasm/kernel.ts';
import { HASH_LENGTH, type KernelHash } from '../../../src/engine/wasm/kernel-calls.ts';
import { ALGORITHM_SUITES } from '../../../src/suite/algorithm-suites.ts';
import { bytes } from '../../support/messages.ts';

const kernel = loadKernel()!;
const NONE = new Uint8Array(0);
/** Bytes of data that fit into the kernel's memory before it grows. */
const ROOM = 0x80000 - 0x13400;

const random = (length: number) => Uint8Array.from(randomBytes(length));
const hex = (value: Uint8Array | undefined) => value && Buffer.from(value).toString('hex');

interface Header {
  readonly derivation: KeyDerivation;
  readonly iv: Uint8Array;
  readonly body: Uint8Array;
  readonly rest: Uint8Array;
}

interface Drawn {
  readonly hash: KernelHash;
  readonly keyLength: number;
  readonly commits: boolean;
  readonly bodyLength?: number;
  readonly restLength?: number;
}

function draw({ hash, keyLength, commits, bodyLength = 290, restLength = 60 }: Drawn): Header {
  const derivation = {
    hash,
    dataKey: random(keyLength),
    salt: commits ? random(32) : NONE,
    info: random(commits ? 11 : 18),
    keyLength,
    commitInfo: commits ? random(9) : undefined,
  };
  return { derivation, iv: random(12), body: random(bodyLength), rest: random(restLength) };
}

// What the header must be sealed with, by the platform, and its body with the commit key in it.
function expected({ derivation, iv, body, rest }: Header) {
  const { hash, dataKey, salt, info, keyLength, commitInfo } = derivation;
  const derive = (label: Uint8Array, length: number) =>
    new Uint8Array(hkdfSync(hash.toLowerCase().replace('-', ''), dataKey, salt, label, length));
  const derivedKey = derive(info, keyLength);
  const commitKey = commitInfo === undefined ? NONE : derive(commitInfo, 32);
  const whole = body.slice();
  whole.set(commitKey, body.length - commitKey.length);
  const cipher = createCipheriv(`aes-${8 * keyLength}-gcm` as 'aes-256-gcm', derivedKey, iv);
  cipher.setAAD(Buffer.concat([whole, rest]));
  cipher.final();
  return { derivedKey, commitKey, tag: new Uint8Array(cipher.getAuthTag()), body: whole };
}

// Seals and opens by the kernel what the platform has sealed.
function check(header: Header): void {
  const { derivation, iv, body, rest } = header;
  const platform = expected(header);
  const before = body.slice();
  const sealed = kernel.sealHeader(derivation, iv, body, rest);
  const name = `${derivation.hash} ${derivation.keyLength} ${body.length} ${rest.length}`;
  for (const part of ['derivedKey', 'commitKey', 'tag'] as const)
    expect(hex(sealed[part]), `${part} ${name}`).toBe(hex(platform[part]));
  expect(Buffer.compare(body, before)).toBe(0);
  const opened = kernel.openHeader(derivation, iv, platform.body, rest, platform.tag);
  expect(hex(opened), name).toBe(hex(platform.derivedKey));
}

const HASHES = Object.keys(HASH_LENGTH) as KernelHash[];
const FORMS = HASHES.flatMap((hash) =>
  [16, 24, 32].flatMap((keyLength) =>
    [false, true].map(
      (commits) =>
        [`${hash}, ${keyLength} bytes, commit key: ${commits}`, { hash, keyLength, commits }] as const,
    ),
  ),
);

describe('a header, by the kernel', () => {
  it.each(FORMS)('agrees with the platform at every length: %s', (_, form) => {
    for (let length = form.commits ? 32 : 0; length <= 200; length++)
      check(draw({ ...form, bodyLength: length, restLength: randomInt(130) }));
    for (const [bodyLength, restLength] of [
      [32, 0],
      [290, 0],
      [40, 5000],
      [7001, 900],
    ] as const)
      check(draw({ ...form, bodyLength, restLength }));
  });

  it.each(
    ALGORITHM_SUITES.filter(({ kdf }) => kdf !== undefined).map((suite) => [suite.name, suite] as const),
  )('agrees with the platform for %s', (_, { id, kdf, keyLength, committing, messageIdLength }) => {
    const messageId = random(messageIdLength);
    const suite = [id >> 8, id & 0xff];
    const derivation = committing
      ? { salt: messageId, info: Uint8Array.of(...suite, ...Buffer.from('DERIVEKEY')) }
      : { salt: NONE, info: Uint8Array.of(...suite, ...messageId) };
    const commitInfo = committing ? Uint8Array.from(Buffer.from('COMMITKEY')) : undefined;
    const dataKey = random(keyLength);
    check({
      derivation: { ...derivation, hash: kdf!, dataKey, keyLength, commitInfo },
      iv: new Uint8Array(12),
      body: random(330),
      rest: random(57),
    });
  });

  it('agrees with the platform at the limit of the memory and beyond', () => {
    const form = { hash: 'SHA-512', keyLength: 32, commits: true } as const;
    const fixed = 28 + 32 + 32 + 11 + 9;
    for (const bodyLength of [ROOM - fixed - 100, ROOM - fixed - 99, ROOM - fixed, ROOM + 1, 3_000_000])
      check(draw({ ...form, bodyLength, restLength: 100 }));
    check(draw({ ...form, restLength: 1_000_000 }));
    check(draw(form));
  });

  it('takes salts and infos of any length, and views into larger buffers', () => {
    for (let length = 0; length <= 300; length += 7) {
      const header = draw({ hash: HASHES[length % 3]!, keyLength: 32, commits: true });
      const derivation = {
        ...header.derivation,
        dataKey: random(length + 3).subarray(3),
        salt: random(300 - length),
        info: random(length),
        commitInfo: random(length >> 1),
      };
      check({ ...header, derivation, body: random(500).subarray(13, 413), rest: random(90).subarray(1) });
    }
  });

  it('gives results with buffers of their own, which nothing shares', () => {
    const { derivation, iv, body, rest } = draw({ hash: 'SHA-512', keyLength: 32, commits: true });
    const sealed = kernel.sealHeader(derivation, iv, body, rest);
    for (const [part, length] of [
      [sealed.derivedKey, 32],
      [sealed.commitKey, 32],
      [sealed.tag, 16],
    ] as const)
      expect(part.buffer.byteLength).toBe(length);
    const again = kernel.sealHeader(derivation, iv, body, rest);
    sealed.derivedKey.fill(0);
    expect(hex(kernel.sealHeader(derivation, iv, body, rest).derivedKey)).toBe(hex(again.derivedKey));
  });

  it('has no commit key in a header that is too short for one, and goes on', () => {
    const { derivation, iv, rest } = draw({ hash: 'SHA-512', keyLength: 32, commits: true });
    expect(() => kernel.sealHeader(derivation, iv, random(31), rest)).toThrow('please report');
    expect(() => kernel.openHeader(derivation, iv, random(31), rest, random(16))).toThrow('please report');
    check(draw({ hash: 'SHA-512', keyLength: 32, commits: true }));
  });
});

describe('an altered header', () => {
  // Every bit of these, one after the other; the commit key is the end of the body.
  const PARTS = ['body', 'rest', 'tag', 'iv'] as const;

  it.each([
    ['with a commit key', { hash: 'SHA-512', keyLength: 32, commits: true }],
    ['without a commit key', { hash: 'SHA-256', keyLength: 16, commits: false }],
  ] as const)('is refused in any bit of it, %s', (_, form) => {
    const header = draw({ ...form, bodyLength: 75, restLength: 21 });
    const { body, tag, derivedKey } = expected(header);
    const parts = { body, rest: header.rest, tag, iv: header.iv };
    const open = (one: typeof parts) =>
      kernel.openHeader(header.derivation, one.iv, one.body, one.rest, one.tag);
    for (const part of PARTS) {
      for (let bit = 0; bit < 8 * parts[part].length; bit++) {
        const altered = parts[part].slice();
        altered[bit >> 3]! ^= 1 << (bit & 7);
        expect(open({ ...parts, [part]: altered }), `${part} ${bit}`).toBeUndefined();
      }
    }
    expect(hex(open(parts))).toBe(hex(derivedKey));
  });

  it('is refused for its commit key alone: the tag is right', () => {
    const header = draw({ hash: 'SHA-512', keyLength: 32, commits: true });
    const { derivation, iv, rest } = header;
    const { commitKey } = expected(header);
    for (let bit = 0; bit < 256; bit++) {
      const body = header.body.slice();
      body.set(commitKey, body.length - 32);
      body[body.length - 32 + (bit >> 3)]! ^= 1 << (bit & 7);
      const plain = { ...derivation, commitInfo: undefined };
      const { tag } = kernel.sealHeader(plain, iv, body, rest);
      expect(kernel.openHeader(plain, iv, body, rest, tag)).toBeDefined();
      expect(kernel.openHeader(derivation, iv, body, rest, tag)).toBeUndefined();
    }
  });

  it('is refused for its tag alone: the commit key is right', () => {
    const header = draw({ hash: 'SHA-512', keyLength: 32, commits: true });
    const { derivation, iv, rest } = header;
    const { body, tag } = expected(header);
    expect(
      kernel.openHeader(
        derivation,
        iv,
        body,
        rest,
        tag.map((byte) => ~byte),
      ),
    ).toBeUndefined();
    expect(kernel.openHeader(derivation, iv, body, rest, new Uint8Array(16))).toBeUndefined();
  });

  it('is refused with a tag of another length', () => {
    const header = draw({ hash: 'SHA-384', keyLength: 24, commits: false });
    const { body, tag } = expected(header);
    for (const length of [0, 12, 15, 17, 32]) {
      const other = new Uint8Array(length);
      other.set(tag.subarray(0, length));
      expect(kernel.openHeader(header.derivation, header.iv, body, header.rest, other)).toBeUndefined();
    }
  });

  it('is refused when a byte has gone over from its body to what is authenticated with it', () => {
    const { derivation, iv, body, rest } = draw({ hash: 'SHA-512', keyLength: 32, commits: true });
    const { body: sealed, tag } = expected({ derivation, iv, body, rest });
    const over = Uint8Array.of(sealed[sealed.length - 1]!, ...rest);
    expect(kernel.openHeader(derivation, iv, sealed.subarray(0, -1), over, tag)).toBeUndefined();
  });

  it('is refused under keys that come from anything else', () => {
    const header = draw({ hash: 'SHA-512', keyLength: 32, commits: true });
    const { derivation, iv, rest } = header;
    const { body, tag } = expected(header);
    const others: Partial<KeyDerivation>[] = [
      { dataKey: bytes(32) },
      { salt: bytes(32) },
      { salt: NONE },
      { info: bytes(11) },
      { commitInfo: bytes(9) },
      { hash: 'SHA-384' },
      { keyLength: 16 },
    ];
    for (const other of others)
      expect(kernel.openHeader({ ...derivation, ...other }, iv, body, rest, tag)).toBeUndefined();
  });
});
