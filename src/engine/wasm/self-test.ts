/**
 * Known answers: a kernel is trusted only after it has given them, whoever compiled it.
 *
 * Long outputs are compared by a fingerprint, HKDF-SHA-256 over them, which itself is checked first. The answers come
 * from other implementations: `test/engine/wasm/self-test.test.ts` computes them again.
 */
import { type Bytes, equal, hex } from '../../bytes.ts';
import type { KeyDerivation } from '../../crypto/crypto.ts';
import { FRAME_OVERHEAD } from '../../format/message-body.ts';
import { type FrameJob, frameCount, jobPlaintextLength, jobSealedLength } from '../frame-layout.ts';
import { HASH_LENGTH, type Kernel, type KernelHash } from './kernel-calls.ts';

/** The name of the first check that fails; `undefined` for a kernel that may be trusted. */
export function failedCheck(kernel: Kernel): string | undefined {
  return CHECKS.find(([, holds]) => !holds(kernel))?.[0];
}

/** Frames of several lengths: some longer than a chunk of keystream; some many, across sequence number 255. */
export const SHAPES: Record<'LONG' | 'SMALL', FrameJob> = {
  LONG: { frameLength: 2064, first: 1, regular: 3, finalLength: 33 },
  SMALL: { frameLength: 17, first: 250, regular: 8, finalLength: 0 },
};

/** How the keys of two headers are derived, one with a commit key and one without. */
export const DERIVATIONS: Record<'COMMITTING' | 'PLAIN', KeyDerivation> = {
  COMMITTING: {
    hash: 'SHA-512',
    dataKey: counting(32),
    salt: counting(32, 32),
    info: counting(11, 200),
    keyLength: 32,
    commitInfo: counting(9, 220),
  },
  PLAIN: {
    hash: 'SHA-256',
    dataKey: counting(16),
    salt: counting(0),
    info: counting(18, 200),
    keyLength: 16,
    commitInfo: undefined,
  },
};

type Answer =
  | KernelHash
  | `${KernelHash} in steps`
  | `${'LONG' | 'SMALL'} ${KeyLength}`
  | 'GCM'
  | keyof typeof DERIVATIONS;

/** The answers, hexadecimal. */
export const ANSWERS: Readonly<Record<Answer, string>> = {
  'SHA-256': 'aa056bbd78156c75513abd6f796ad15b6de9e97715f039689e520e302ddecff4',
  'SHA-384':
    'fecd15fda9a72dd9c69e6fd7a6922492cef9a889acae96b9127f65608e5ee50523c46d45fad60e5e9a596296fed523b3',
  'SHA-512':
    '874ddb36b367fbc6e248610f7f3cb86c6e4f6bfe2728a280ffa7b8193f7e1714' +
    '5f9b87de52bbfcc475c49f5348085c3ef7a00ee89dd89d21372f0483e25221f6',
  'SHA-256 in steps': '8a6b2159bcb392e9050f093d7cea1010993973eb3164d0099d2961c3610fb4d7',
  'SHA-384 in steps':
    '7263a7745daacbecd55d2c7ac6a8f4a809bc55f96e0ca54b0e8cd391e8b2992d848d49444e52ae6ee43dc135fad249c6',
  'SHA-512 in steps':
    'a496013faccd4c2cc09c214736811521533c2feb200ccbc241728f3af2831b14' +
    'c1b44b7ff6eabefb62cbed6528a609e9248e9eef9949474c5888d1f8ca6262de',
  'LONG 16': '0139b5a0fc41c4ca80da586806cacaf6',
  'LONG 24': '5a44aba980beff7eca418c71073e55e5',
  'LONG 32': '27d68c2b2a6ee15fded86a38b8b1cae3',
  'SMALL 16': 'a3958e5ee5c48a8dfa46a96a85928da4',
  'SMALL 24': '8c55b4ca27014a866cb70d0e7396f3c5',
  'SMALL 32': 'f7f2479928873b17a2f19104800378ea',
  COMMITTING:
    '8f92187772d611b66f285fcb95524996bd145651b24a173af24fc9cc69dc7b83' +
    '3dc9ff9a63e780c5c135184363a3ac9e8127f450051b068b09ddf7f9503fe8be' +
    'ee7879b1686c6187f63c74ec3c2e3774',
  PLAIN: 'a47073ee116e7ba1c3792f3f50b5dc91fab5393d3a3ff56d1931cdd67d448cb7',
  GCM: '4703d418c1e0c41c85489d80bde4766293c7951c84c0c619e88ff3ccc7ae332c3ad83d',
};

/** Lengths of a header and of what is authenticated with it. */
export const HEADER: Record<'BODY' | 'REST', number> = { BODY: 103, REST: 37 };

/** Lengths of the pieces of a hash: within a block, to its end, over several, and a padding that has no room. */
export const PIECES: readonly number[] = [1, 127, 0, 300, 77, 6];

type Check = readonly [name: string, holds: (kernel: Kernel) => boolean];
type KeyLength = 16 | 24 | 32;

const CHECKS: readonly Check[] = [
  ['HKDF with SHA-256', (kernel) => derives(kernel, 'SHA-256')],
  ['HKDF with SHA-384', (kernel) => derives(kernel, 'SHA-384')],
  ['HKDF with SHA-512', (kernel) => derives(kernel, 'SHA-512')],
  ['SHA-256 in steps', (kernel) => hashes(kernel, 'SHA-256')],
  ['SHA-384 in steps', (kernel) => hashes(kernel, 'SHA-384')],
  ['SHA-512 in steps', (kernel) => hashes(kernel, 'SHA-512')],
  ['AES-128 frames', (kernel) => seals(kernel, 'LONG', 16) && seals(kernel, 'SMALL', 16)],
  ['AES-192 frames', (kernel) => seals(kernel, 'LONG', 24) && seals(kernel, 'SMALL', 24)],
  ['AES-256 frames', (kernel) => seals(kernel, 'LONG', 32) && seals(kernel, 'SMALL', 32)],
  ['frames that were not altered', (kernel) => opens(kernel, 'LONG') && opens(kernel, 'SMALL')],
  ['a frame with an altered IV', (kernel) => stopsAt(kernel, 4, 15)],
  ['a frame with an altered ciphertext', (kernel) => stopsAt(kernel, 5, 16)],
  ['a frame with an altered tag', (kernel) => stopsAt(kernel, 6, FRAME_OVERHEAD + 16)],
  ['a frame of another message', (kernel) => opened(kernel, SHAPES.SMALL, 33) === 0],
  ['a frame of another place', (kernel) => opened(kernel, { ...SHAPES.SMALL, first: 251 }) === 0],
  ['GCM', (kernel) => hex(gcmSealed(kernel)) === ANSWERS.GCM],
  ['GCM of an unaltered message', (kernel) => gcmOpens(kernel, -1) === hex(counting(19))],
  ['GCM of an altered ciphertext', (kernel) => gcmOpens(kernel, 18) === undefined],
  ['GCM of an altered tag', (kernel) => gcmOpens(kernel, 34) === undefined],
  ['GCM of altered associated data', (kernel) => gcmOpens(kernel, -1, 22) === undefined],
  ['a header with a commit key', (kernel) => headerSealed(kernel, 'COMMITTING') === ANSWERS.COMMITTING],
  ['a header without a commit key', (kernel) => headerSealed(kernel, 'PLAIN') === ANSWERS.PLAIN],
  ['a header that was not altered', (kernel) => headerOpens(kernel) && headerOpens(kernel, 'PLAIN')],
  ['a header with an altered tag', (kernel) => !headerOpens(kernel, 'COMMITTING', 'tag')],
  ['a header with an altered body', (kernel) => !headerOpens(kernel, 'COMMITTING', 'body')],
  ['a header with an altered rest', (kernel) => !headerOpens(kernel, 'COMMITTING', 'rest')],
  ['a header with an altered commit key', (kernel) => !committed(kernel, 1) && !committed(kernel, 32)],
];

// The salt is longer than any block, so that it is hashed.
function derives(kernel: Kernel, hash: KernelHash): boolean {
  const outputs = [{ info: counting(13, 200), length: HASH_LENGTH[hash] }];
  return hex(kernel.hkdf(hash, counting(32), counting(140, 32), outputs)[0]!) === ANSWERS[hash];
}

function seals(kernel: Kernel, shape: 'LONG' | 'SMALL', keyLength: KeyLength): boolean {
  const fingerprint = kernel.hkdf('SHA-256', sealed(kernel, SHAPES[shape], keyLength), new Uint8Array(0), [
    { info: new Uint8Array(0), length: 16 },
  ]);
  return hex(fingerprint[0]!) === ANSWERS[`${shape} ${keyLength}`];
}

function opens(kernel: Kernel, shape: 'LONG' | 'SMALL'): boolean {
  const job = SHAPES[shape];
  const output = new Uint8Array(jobPlaintextLength(job));
  const count = kernel.openFrames(counting(32), counting(32, 32), {
    ...job,
    frames: sealed(kernel, job),
    output,
  });
  return count === frameCount(job) && equal(output, counting(output.length));
}

// With one bit of that byte of that small frame altered, the frames before it are opened and nothing else is written.
function stopsAt(kernel: Kernel, frame: number, byte: number): boolean {
  const job = SHAPES.SMALL;
  const frames = sealed(kernel, job);
  frames[frame * (job.frameLength + FRAME_OVERHEAD) + byte]! ^= 1;
  const output = new Uint8Array(jobPlaintextLength(job));
  const count = kernel.openFrames(counting(32), counting(32, 32), { ...job, frames, output });
  const expected = new Uint8Array(output.length);
  expected.set(counting(frame * job.frameLength));
  return count === frame && equal(output, expected);
}

function opened(kernel: Kernel, job: FrameJob, messageId = 32): number {
  const output = new Uint8Array(jobPlaintextLength(job));
  const frames = sealed(kernel, SHAPES.SMALL);
  return kernel.openFrames(counting(32), counting(32, messageId), { ...job, frames, output });
}

function sealed(kernel: Kernel, job: FrameJob, keyLength: KeyLength = 32): Bytes {
  const output = new Uint8Array(jobSealedLength(job));
  const plaintext = counting(jobPlaintextLength(job));
  kernel.sealFrames(counting(keyLength), counting(32, 32), { ...job, plaintext, output });
  return output;
}

function hashes(kernel: Kernel, hash: KernelHash): boolean {
  const hasher = kernel.createHash(hash);
  let from = 0;
  for (const length of PIECES) {
    hasher.update(counting(length, from));
    from += length;
  }
  return hex(hasher.digest()) === ANSWERS[`${hash} in steps`];
}

function headerSealed(kernel: Kernel, form: keyof typeof DERIVATIONS): string {
  const [body, rest] = [counting(HEADER.BODY), counting(HEADER.REST, 150)];
  const { derivedKey, commitKey, tag } = kernel.sealHeader(DERIVATIONS[form], counting(12), body, rest);
  return hex(derivedKey) + hex(commitKey) + hex(tag);
}

// With one bit of a part altered.
function headerOpens(
  kernel: Kernel,
  form: keyof typeof DERIVATIONS = 'COMMITTING',
  altered?: 'tag' | 'body' | 'rest',
): boolean {
  const [body, rest] = [counting(HEADER.BODY), counting(HEADER.REST, 150)];
  const { commitKey, tag } = kernel.sealHeader(DERIVATIONS[form], counting(12), body, rest);
  body.set(commitKey, body.length - commitKey.length);
  if (altered === 'tag') tag[15]! ^= 0x80;
  if (altered === 'body') body[0]! ^= 1;
  if (altered === 'rest') rest[HEADER.REST - 1]! ^= 1;
  const derivedKey = kernel.openHeader(DERIVATIONS[form], counting(12), body, rest, tag);
  return derivedKey !== undefined && ANSWERS[form].startsWith(hex(derivedKey));
}

// With one bit of the commit key altered, so many bytes from its end, under a tag that is right: without commitInfo the
// end of a body is as good as any other part of it.
function committed(kernel: Kernel, fromEnd: number): boolean {
  const derivation = DERIVATIONS.COMMITTING;
  const [body, rest] = [counting(HEADER.BODY), counting(HEADER.REST, 150)];
  const { commitKey } = kernel.sealHeader(derivation, counting(12), body, rest);
  body.set(commitKey, body.length - commitKey.length);
  body[body.length - fromEnd]! ^= 1;
  const { tag } = kernel.sealHeader({ ...derivation, commitInfo: undefined }, counting(12), body, rest);
  return kernel.openHeader(derivation, counting(12), body, rest, tag) !== undefined;
}

function gcmSealed(kernel: Kernel): Bytes {
  return kernel.gcmSeal(counting(32), counting(12), counting(21), counting(19));
}

function gcmOpens(kernel: Kernel, alteredByte: number, aadLength = 21): string | undefined {
  const message = gcmSealed(kernel);
  if (alteredByte >= 0) message[alteredByte]! ^= 0x80;
  const plaintext = kernel.gcmOpen(counting(32), counting(12), counting(aadLength), message);
  return plaintext === undefined ? undefined : hex(plaintext);
}

// 0, 1, 2 and so on, from `from`.
function counting(length: number, from = 0): Bytes {
  return Uint8Array.from({ length }, (_, i) => from + i);
}
