/**
 * Messages in one shot: every suite by every engine, read by every other.
 */

import { lacksCipher, policyFor, SUITES } from '../suites.mjs';
import { bytes, equal, refused, same, suiteName } from '../support.mjs';

/** Bytes of the plaintext and of a frame: none, one short frame, a full one, many short ones, long ones. */
const SHAPES = [
  [0, 4096],
  [100, 4096],
  [4096, 4096],
  [20_000, 100],
  [200_000, 65_536],
];
const CONTEXT = { purpose: 'conformance', 'schlüssel \u{1f511}': '\u{ffee}' };

export function cases(library, environment) {
  const { ciphertextLength, decrypt, encrypt, parseHeader, rawAesKeyring } = library;
  const keyring = rawAesKeyring({ keyNamespace: 'whole', keyName: 'k', wrappingKey: bytes(32) });
  const engines = ['auto', ...environment.engines];

  async function exchange(suite, engine, [length, frameLength]) {
    const plaintext = bytes(length, frameLength);
    const commitmentPolicy = policyFor(suite.id);
    const options = { keyring, commitmentPolicy, encryptionContext: CONTEXT };
    const writing = { ...options, algorithmSuite: suite.id, frameLength, engine };
    const { ciphertext } = await encrypt(plaintext, writing);
    const parsed = parseHeader(ciphertext);
    equal(parsed.suiteId, suite.id, 'suite');
    equal(ciphertextLength(length, parsed), ciphertext.length, 'length');
    for (const reader of engines) {
      const opened = decrypt(ciphertext, { ...options, engine: reader });
      if (lacksCipher(environment, reader, suite)) await refused(library, ['UNSUPPORTED'], () => opened);
      else same((await opened).plaintext, plaintext);
    }
  }

  return SUITES.flatMap((suite) =>
    engines.map((engine) => ({
      name: `${suiteName(suite.id)} ${engine}`,
      async run() {
        if (lacksCipher(environment, engine, suite)) {
          const options = {
            keyring,
            engine,
            algorithmSuite: suite.id,
            commitmentPolicy: policyFor(suite.id),
          };
          return refused(library, ['UNSUPPORTED'], () => encrypt(bytes(100), options));
        }
        for (const shape of SHAPES) await exchange(suite, engine, shape);
      },
    })),
  );
}
