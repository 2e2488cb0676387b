/**
 * Faults of the header: version, type, suite, context, content type, frame length, commitment, authentication.
 */
import { ECDH } from 'node:crypto';
import { draw } from './draw.mjs';
import { ALL, fault, flip, SIGNED, UNSIGNED, V1, V2 } from './fault.mjs';
import { rawContext, SUITES, serialize, signingKey } from './message.mjs';

export function headerFaults() {
  return [...identity(), ...context(), ...verificationKey(), ...layout(), ...authentication()];
}

function identity() {
  return [
    fault('version-0', 'INVALID_MESSAGE', ALL, { versionField: 0 }),
    fault('version-3', 'INVALID_MESSAGE', ALL, { versionField: 3 }),
    fault('type-00', 'INVALID_MESSAGE', V1, { type: 0 }),
    fault('suite-0000', 'INVALID_MESSAGE', ALL, { suiteField: '0000' }),
    fault('suite-unknown', 'INVALID_MESSAGE', ALL, { suiteField: '0679' }),
    fault('suite-of-version-2', 'INVALID_MESSAGE', V1, { suiteField: '0478' }),
    fault('suite-of-version-1', 'INVALID_MESSAGE', V2, { suiteField: '0178' }),
    fault(
      'policy-requires-commitment',
      'COMMITMENT_POLICY',
      V1,
      {},
      {
        options: { commitmentPolicy: 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT' },
      },
    ),
  ];
}

function context() {
  const key = Buffer.from('key');
  const value = Buffer.from('value');
  const withContext = (field) => ({ contextField: field });
  const pairs = (...list) => withContext(rawContext(list));
  return [
    fault('context-count-too-high', 'INVALID_MESSAGE', UNSIGNED, withContext(rawContext([[key, value]], 2))),
    fault('context-count-too-low', 'INVALID_MESSAGE', UNSIGNED, withContext(rawContext([[key, value]], 0))),
    fault('context-one-byte', 'INVALID_MESSAGE', UNSIGNED, withContext(Buffer.of(0))),
    fault(
      'context-trailing-byte',
      'INVALID_MESSAGE',
      UNSIGNED,
      withContext(Buffer.concat([rawContext([[key, value]]), Buffer.of(0)])),
    ),
    fault('context-key-repeated', 'INVALID_MESSAGE', UNSIGNED, pairs([key, value], [key, value])),
    fault('context-key-not-utf8', 'INVALID_MESSAGE', UNSIGNED, pairs([Buffer.of(0xff), value])),
    fault('context-key-overlong', 'INVALID_MESSAGE', UNSIGNED, pairs([Buffer.of(0xc0, 0x80), value])),
    fault('context-value-not-utf8', 'INVALID_MESSAGE', UNSIGNED, pairs([key, Buffer.of(0xe2, 0x82)])),
    fault('context-value-surrogate', 'INVALID_MESSAGE', UNSIGNED, pairs([key, Buffer.of(0xed, 0xa0, 0x80)])),
    // The key was wrapped under the other value; header tag and signature are right.
    fault('context-not-the-wrapped-one', 'NO_DATA_KEY', UNSIGNED, (sound) => ({
      contextField: serialize([['purpose', 'something else']]),
      pairs: sound.pairs,
    })),
    fault(
      'context-required-other-value',
      'CONTEXT_MISMATCH',
      ALL,
      {},
      {
        options: { encryptionContext: { purpose: 'something else' } },
      },
    ),
    fault(
      'context-unstored-other-value',
      'CONTEXT_MISMATCH',
      ALL,
      { unstored: [['tenant', '1']] },
      {
        options: { encryptionContext: { tenant: '2' } },
      },
    ),
    fault('context-unstored-not-reproduced', 'NO_DATA_KEY', ALL, { unstored: [['tenant', '1']] }),
    fault(
      'context-unstored-made-up',
      'CONTEXT_MISMATCH',
      ALL,
      {},
      {
        options: { encryptionContext: { tenant: '1' } },
      },
    ),
  ];
}

function verificationKey() {
  const keyOf = (suite) => signingKey(SUITES[suite].curve, 'another verification key');
  const withKey = (make) => (_, suite) => ({ publicKey: make(keyOf(suite)) });
  const p256 = signingKey(SUITES['0214'].curve, 'a key of the other curve');
  return [
    fault('public-key-in-unsigned-suite', 'INVALID_MESSAGE', UNSIGNED, () => ({
      publicKey: signingKey(SUITES['0378'].curve, 'a verification key').point.toString('base64'),
    })),
    fault('public-key-missing', 'INVALID_MESSAGE', SIGNED, (sound) => ({
      contextField: serialize(sound.pairs),
    })),
    fault(
      'public-key-not-base64',
      'INVALID_MESSAGE',
      SIGNED,
      withKey(() => '*'),
    ),
    fault(
      'public-key-no-padding',
      'INVALID_MESSAGE',
      SIGNED,
      withKey(({ point }) => point.toString('base64url')),
    ),
    fault(
      'public-key-uncompressed',
      'INVALID_MESSAGE',
      SIGNED,
      withKey((k) => k.uncompressed.toString('base64')),
    ),
    fault('public-key-other-curve', 'INVALID_MESSAGE', SIGNED, { publicKey: p256.point.toString('base64') }),
    fault(
      'public-key-another',
      'AUTHENTICATION_FAILED',
      SIGNED,
      withKey(({ point }) => point.toString('base64')),
    ),
    fault('public-key-not-on-curve', 'AUTHENTICATION_FAILED', SIGNED, { publicKey: offCurve() }),
    fault('public-key-other-sign', 'AUTHENTICATION_FAILED', SIGNED, (sound, suite) => {
      const point = Buffer.from(signingKey(SUITES[suite].curve, `${sound.name} signing key`).point);
      point[0] ^= 1;
      return { publicKey: point.toString('base64') };
    }),
  ];
}

function layout() {
  return [
    fault('content-type-0', 'INVALID_MESSAGE', ALL, { contentType: 0 }),
    fault('content-type-3', 'INVALID_MESSAGE', ALL, { contentType: 3 }),
    fault('reserved-not-zero', 'INVALID_MESSAGE', V1, { reserved: 1 }),
    fault('iv-length-0', 'INVALID_MESSAGE', V1, { ivLength: 0 }),
    fault('iv-length-16', 'INVALID_MESSAGE', V1, { ivLength: 16 }),
    fault('framed-without-frame-length', 'INVALID_MESSAGE', ALL, { frameLengthField: 0 }),
    fault('non-framed-with-frame-length', 'INVALID_MESSAGE', ALL, { frameLength: 0, frameLengthField: 16 }),
    fault('frame-length-above-limit', 'LIMIT_EXCEEDED', ALL, {}, { options: { maxFrameLength: 15 } }),
    fault('frame-length-4-gib', 'LIMIT_EXCEEDED', ALL, { frameLengthField: 0xffff_ffff }),
  ];
}

function authentication() {
  return [
    fault('commitment-zero', 'AUTHENTICATION_FAILED', V2, { commitField: Buffer.alloc(32) }),
    fault('commitment-random', 'AUTHENTICATION_FAILED', V2, { commitField: draw('a commitment', 32) }),
    fault('header-tag-bit', 'AUTHENTICATION_FAILED', UNSIGNED, {
      editBytes: (bytes, { body }) => flip(bytes, body - 1),
    }),
    fault('header-iv-bit', 'AUTHENTICATION_FAILED', ['0178'], {
      editBytes: (bytes, { headerAuth }) => flip(bytes, headerAuth),
    }),
    fault('message-id-bit', 'AUTHENTICATION_FAILED', UNSIGNED, {
      editBytes: (bytes) => flip(bytes, bytes[0] === 1 ? 4 : 3),
    }),
  ];
}

// The first x that no point of P-384 has.
function offCurve() {
  for (let x = 1; ; x++) {
    const point = Buffer.concat([Buffer.of(2), Buffer.alloc(47), Buffer.of(x)]);
    if (!isPoint(point)) return point.toString('base64');
  }
}

function isPoint(point) {
  try {
    return ECDH.convertKey(point, 'secp384r1').length > 0;
  } catch {
    return false;
  }
}
