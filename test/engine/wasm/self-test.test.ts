import { createCipheriv, createHash, hkdfSync } from 'node:crypto';
import { expect, it } from 'vitest';
import { jobPlaintextLength, jobSealedLength } from '../../../src/engine/frame-layout.ts';
import { createNodeEngine } from '../../../src/engine/node-engine.ts';
import { ANSWERS, DERIVATIONS, HEADER, PIECES, SHAPES } from '../../../src/engine/wasm/self-test.ts';

const counting = (length: number, from = 0) => Uint8Array.from({ length }, (_, i) => from + i);
const hex = (bytes: ArrayBuffer | Uint8Array) => Buffer.from(bytes as Uint8Array).toString('hex');
const node = await import('node:crypto');

it.each(['SHA-256', 'SHA-384', 'SHA-512'] as const)('knows HKDF with %s', (hash) => {
  const name = hash.toLowerCase().replace('-', '');
  const length = Number(hash.slice(4)) / 8;
  expect(hex(hkdfSync(name, counting(32), counting(140, 32), counting(13, 200), length))).toBe(ANSWERS[hash]);
});

it.each([16, 24, 32] as const)('knows frames under a key of %i bytes', (keyLength) => {
  for (const shape of ['LONG', 'SMALL'] as const) {
    const job = SHAPES[shape];
    const output = new Uint8Array(jobSealedLength(job));
    const cipher = createNodeEngine(node).cipher(counting(keyLength), counting(32, 32));
    cipher.seal({ ...job, plaintext: counting(jobPlaintextLength(job)), output });
    const fingerprint = hkdfSync('sha256', output, new Uint8Array(0), new Uint8Array(0), 16);
    expect(hex(fingerprint)).toBe(ANSWERS[`${shape} ${keyLength}`]);
  }
});

it('knows GCM', () => {
  const cipher = createCipheriv('aes-256-gcm', counting(32), counting(12));
  cipher.setAAD(counting(21));
  const sealed = [cipher.update(counting(19)), cipher.final(), cipher.getAuthTag()];
  expect(hex(Buffer.concat(sealed))).toBe(ANSWERS.GCM);
});

it.each(['COMMITTING', 'PLAIN'] as const)('knows a header, %s', (form) => {
  const { hash, dataKey, salt, info, keyLength, commitInfo } = DERIVATIONS[form];
  const derive = (label: Uint8Array, length: number) =>
    Buffer.from(hkdfSync(hash.toLowerCase().replace('-', ''), dataKey, salt, label, length));
  const derivedKey = derive(info, keyLength);
  const commitKey = commitInfo ? derive(commitInfo, 32) : Buffer.alloc(0);
  const body = counting(HEADER.BODY);
  body.set(commitKey, body.length - commitKey.length);
  const cipher = createCipheriv(`aes-${8 * keyLength}-gcm` as 'aes-256-gcm', derivedKey, counting(12));
  cipher.setAAD(Buffer.concat([body, counting(HEADER.REST, 150)]));
  cipher.final();
  expect(hex(Buffer.concat([derivedKey, commitKey, cipher.getAuthTag()]))).toBe(ANSWERS[form]);
});

it.each(['SHA-256', 'SHA-384', 'SHA-512'] as const)('knows %s', (hash) => {
  const length = PIECES.reduce((sum, piece) => sum + piece, 0);
  const digest = createHash(hash.toLowerCase().replace('-', '')).update(counting(length)).digest('hex');
  expect(digest).toBe(ANSWERS[`${hash} in steps`]);
});
