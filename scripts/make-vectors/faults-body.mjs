/**
 * Faults of the body: order of frames, their IVs and lengths, what is authenticated with them; non-framed bodies.
 */
import { draw } from './draw.mjs';
import { ALL, fault, flip, SIGNED, UNSIGNED, V2 } from './fault.mjs';
import { FINAL_FRAME, FRAME, sealFrame } from './message.mjs';

export function bodyFaults() {
  return [...order(), ...ivs(), ...lengths(), ...authentication(), ...nonFramed()];
}

// Of 40 bytes in frames of 16: frames 1 and 2, and a final frame 3 of 8 bytes.
function order() {
  const frames = (name, code, suites, editFrames) => fault(name, code, suites, { editFrames });
  const numbered = (name, numbers) =>
    fault(name, 'INVALID_MESSAGE', ALL, {
      planFrames: (list) => list.map((frame, i) => ({ ...frame, seq: numbers[i] })),
    });
  return [
    frames('frames-swapped', 'INVALID_MESSAGE', ALL, ([a, b, end]) => [b, a, end]),
    frames('frame-twice', 'INVALID_MESSAGE', ALL, ([a, b, end]) => [a, a, b, end]),
    frames('first-frame-missing', 'INVALID_MESSAGE', ALL, ([, b, end]) => [b, end]),
    frames('last-regular-frame-missing', 'INVALID_MESSAGE', ALL, ([a, , end]) => [a, end]),
    frames('final-frame-first', 'INVALID_MESSAGE', ALL, ([a, b, end]) => [end, a, b]),
    frames('final-frame-missing', 'TRUNCATED', UNSIGNED, ([a, b]) => [a, b]),
    frames('final-frame-missing-before-footer', 'INVALID_MESSAGE', SIGNED, ([a, b]) => [a, b]),
    frames('no-frames', 'TRUNCATED', UNSIGNED, () => []),
    frames('final-frame-twice', 'TRAILING_BYTES', UNSIGNED, ([a, b, end]) => [a, b, end, end]),
    frames('frame-behind-final', 'TRAILING_BYTES', UNSIGNED, ([a, b, end], plan) => [
      a,
      b,
      end,
      sealFrame(plan, { seq: 4, final: false, text: Buffer.alloc(16) }),
    ]),
    numbered('sequence-from-0', [0, 1, 2]),
    numbered('sequence-from-2', [2, 3, 4]),
    numbered('sequence-with-gap', [1, 3, 4]),
    numbered('sequence-repeated', [1, 1, 2]),
    numbered('final-sequence-wrong', [1, 2, 2]),
    numbered('final-sequence-0', [1, 2, 0]),
  ];
}

// The tags are right under these IVs.
function ivs() {
  const withIv = (index) => ({
    planFrames: (list) => list.map((frame, i) => (i === index ? { ...frame, iv: draw('an IV', 12) } : frame)),
  });
  return [
    fault('frame-iv-not-sequence-number', 'INVALID_MESSAGE', V2, withIv(1)),
    fault('final-frame-iv-not-sequence-number', 'INVALID_MESSAGE', V2, withIv(2)),
    fault('frame-iv-bit', 'AUTHENTICATION_FAILED', ['0178'], {
      editFrames: ([a, b, end]) => [a, flip(b, 4 + 11), end],
    }),
  ];
}

function lengths() {
  const final = (change) => ({ planFrames: ([a, b, end]) => [a, b, { ...end, ...change }] });
  return [
    fault('final-frame-longer-than-frames', 'INVALID_MESSAGE', ALL, final({ text: draw('17 bytes', 17) })),
    fault('final-length-4-gib', 'INVALID_MESSAGE', ALL, final({ lengthField: 0xffff_ffff })),
    fault('final-length-1-more', 'TRUNCATED', UNSIGNED, final({ lengthField: 9 })),
    fault('final-length-1-less', 'TRAILING_BYTES', UNSIGNED, final({ lengthField: 7 })),
    fault('final-aad-length', 'AUTHENTICATION_FAILED', UNSIGNED, final({ aadLength: 16 })),
  ];
}

function authentication() {
  const first = (change) => ({ planFrames: ([a, ...rest]) => [{ ...a, ...change }, ...rest] });
  const final = (change) => ({ planFrames: ([a, b, end]) => [a, b, { ...end, ...change }] });
  const last = (change) => ({ editFrames: ([a, b, end]) => [a, b, change(end)] });
  const wrong = (name, spec) => fault(name, 'AUTHENTICATION_FAILED', ALL, spec);
  return [
    wrong('frame-aad-says-final', first({ aadText: FINAL_FRAME })),
    wrong('final-frame-aad-says-regular', final({ aadText: FRAME })),
    wrong('frame-aad-sequence', first({ aadSeq: 2 })),
    wrong('frame-aad-length', first({ aadLength: 15 })),
    wrong('frame-aad-message-id', (_, suite) =>
      first({ aadId: draw('another message id', suite < '04' ? 16 : 32) }),
    ),
    wrong('frame-ciphertext-bit', { editFrames: ([a, ...rest]) => [flip(a, 16), ...rest] }),
    wrong('frame-tag-bit', { editFrames: ([a, ...rest]) => [flip(a, a.length - 1), ...rest] }),
    wrong(
      'final-frame-ciphertext-bit',
      last((end) => flip(end, 24)),
    ),
    wrong(
      'final-frame-tag-bit',
      last((end) => flip(end, end.length - 1)),
    ),
  ];
}

function nonFramed() {
  const block = (name, code, suites, change, options) =>
    fault(`non-framed-${name}`, code, suites, { frameLength: 0, block: change }, { options });
  const edited = (name, suites, at) =>
    fault(`non-framed-${name}`, 'AUTHENTICATION_FAILED', suites, {
      frameLength: 0,
      editFrames: ([sealed]) => [flip(sealed, at < 0 ? sealed.length + at : at)],
    });
  return [
    block('aad-says-frame', 'AUTHENTICATION_FAILED', ALL, { aadText: FRAME }),
    block('aad-sequence', 'AUTHENTICATION_FAILED', ALL, { aadSeq: 2 }),
    block('length-1-more', 'TRUNCATED', UNSIGNED, { lengthField: 41 }),
    block('length-1-less', 'TRAILING_BYTES', UNSIGNED, { lengthField: 39 }),
    block('length-above-format', 'INVALID_MESSAGE', ALL, { lengthField: 2 ** 36 - 31 }),
    block('length-2-to-63', 'INVALID_MESSAGE', ALL, { lengthField: 2n ** 63n }),
    block('length-above-limit', 'LIMIT_EXCEEDED', ALL, {}, { maxFrameLength: 39 }),
    edited('iv-bit', ALL, 0),
    edited('ciphertext-bit', ALL, 12 + 8),
    edited('tag-bit', ALL, -1),
  ];
}
