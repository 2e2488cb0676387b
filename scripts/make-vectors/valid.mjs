/**
 * Messages that open: each suite under each wrapping key, and legal shapes that are rare.
 */
import { edit, integer, number, ORDER } from './der.mjs';
import { draw } from './draw.mjs';
import { edk, masterKey, WRAPPING } from './keys.mjs';
import { makeMessage, SUITES } from './message.mjs';

const PAIRS = [
  ['purpose', 'test vectors'],
  ['\u{1f600}', 'behind U+FFFD in UTF-8, before it in UTF-16'],
  ['\ufffd', ''],
];
const MULTI = ['aes-256', 'rsa-oaep-sha256', 'aes-128'];

/** All of them, as tests of the manifest. */
export function validTests(keys) {
  return [...everySuite(keys), ...shapes(keys)];
}

function everySuite(keys) {
  return Object.keys(SUITES).flatMap((suite) => {
    const spec = { suite, pairs: PAIRS };
    const multi = test(keys, `${suite}-multi`, MULTI, spec);
    const only = (one, i) => ({
      ...multi,
      name: `${multi.name}-only-${i + 1}`,
      masterKeys: [masterKey(one)],
    });
    return [
      ...WRAPPING.map((wrapping) => test(keys, `${suite}-${wrapping}`, [wrapping], spec)),
      multi,
      ...MULTI.map(only),
    ];
  });
}

function shapes(keys) {
  const make = (suite, name, spec) => test(keys, `${suite}-${name}`, ['aes-256'], { suite, ...spec });
  return ['0178', '0378', '0478', '0578'].flatMap((suite) => [
    make(suite, 'empty', { plaintext: Buffer.alloc(0) }),
    make(suite, 'one-frame', { plaintext: text(suite, 16) }),
    make(suite, 'full-final-frame', { plaintext: text(suite, 48) }),
    make(suite, 'empty-final-frame', { plaintext: text(suite, 48), emptyFinal: true }),
    make(suite, 'one-byte-frames', { plaintext: text(suite, 5), frameLength: 1 }),
    make(suite, 'non-framed', { plaintext: text(suite, 40), frameLength: 0 }),
    make(suite, 'non-framed-empty', { plaintext: Buffer.alloc(0), frameLength: 0 }),
    make(suite, 'non-framed-random-iv', {
      plaintext: text(suite, 40),
      frameLength: 0,
      block: { iv: draw(`${suite} block iv`, 12) },
    }),
    make(suite, 'required-context', {
      plaintext: text(suite, 20),
      pairs: [['a', '1']],
      unstored: [['b', '2']],
    }),
    ...(suite < '04' ? [randomIvs(make, suite)] : []),
    ...(SUITES[suite].curve ? signatures(make, suite) : []),
  ]);
}

// A signature (r, s) is as good as (r, n - s).
function signatures(make, suite) {
  const withS = (isHigh) => ({
    signature: ({ der }) =>
      edit(der(), ([r, s]) => [r, number(s) > ORDER / 2n === isHigh ? s : integer(ORDER - number(s))]),
  });
  return [
    make(suite, 'signature-high-s', { plaintext: text(suite, 20), ...withS(true) }),
    make(suite, 'signature-low-s', { plaintext: text(suite, 20), ...withS(false) }),
  ];
}

// As they were drawn before August 2017.
function randomIvs(make, suite) {
  return make(suite, 'random-ivs', {
    plaintext: text(suite, 40),
    headerIv: draw(`${suite} header iv`, 12),
    planFrames: (frames) => frames.map((f) => ({ ...f, iv: draw(`${suite} frame iv ${f.seq}`, 12) })),
  });
}

function test(keys, name, wrappings, spec) {
  const plaintext = spec.plaintext ?? text(name, 70);
  const edks = (materials) => wrappings.map((wrapping) => edk(keys, wrapping, materials));
  const { bytes } = makeMessage({ name, edks, ...spec, plaintext });
  const reproduced = Object.fromEntries(spec.unstored ?? []);
  return {
    name,
    message: bytes,
    plaintext,
    masterKeys: wrappings.map(masterKey),
    ...(spec.unstored && { encryptionContext: reproduced }),
  };
}

function text(label, length) {
  return draw(`${label} plaintext`, length);
}
