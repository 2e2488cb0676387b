/**
 * Parts of messages, read from a Blob and from a source of bytes.
 */

import { lacksCipher, policyFor, SUITES } from '../suites.mjs';
import { bytes, refused, same, suiteName } from '../support.mjs';

const LENGTH = 50_000;
/** First byte, and behind the last: within a frame, across frames, the last bytes, all of it, nothing. */
const RANGES = [
  [10, 20],
  [990, 5010],
  [LENGTH - 1500, LENGTH],
  [0, LENGTH],
  [700, 700],
];

export function cases(library, environment) {
  const { decryptRange, encrypt, rawAesKeyring } = library;
  const keyring = rawAesKeyring({ keyNamespace: 'ranged', keyName: 'k', wrappingKey: bytes(32) });
  const engines = ['auto', ...environment.engines];
  const plaintext = bytes(LENGTH, 5);

  async function ranges(suite, engine) {
    const options = { keyring, engine, commitmentPolicy: policyFor(suite.id) };
    const { ciphertext } = await encrypt(plaintext, {
      ...options,
      algorithmSuite: suite.id,
      frameLength: 1000,
    });
    const reading = { ...options, allowUnverifiedSignature: suite.signed };
    for (const source of [new Blob([ciphertext]), sourceOf(ciphertext)]) {
      for (const [start, end] of RANGES) {
        const part = await decryptRange(source, { ...reading, start, end });
        same(part.plaintext, plaintext.subarray(start, end));
      }
    }
  }

  return [
    ...SUITES.flatMap((suite) =>
      engines.map((engine) => ({
        name: `${suiteName(suite.id)} ${engine}`,
        run: () =>
          lacksCipher(environment, engine, suite)
            ? refused(library, ['UNSUPPORTED'], () => ranges(suite, engine))
            : ranges(suite, engine),
      })),
    ),
    {
      name: 'a signed message needs leave',
      async run() {
        const { ciphertext } = await encrypt(plaintext, { keyring });
        const options = { keyring, start: 0, end: 10 };
        return refused(library, ['UNSUPPORTED'], () => decryptRange(new Blob([ciphertext]), options));
      },
    },
    {
      name: 'past the end',
      async run() {
        const { ciphertext } = await encrypt(plaintext, { keyring, algorithmSuite: 0x0478 });
        const options = { keyring, start: LENGTH - 1, end: LENGTH + 1 };
        return refused(library, ['INVALID_ARGUMENT'], () => decryptRange(sourceOf(ciphertext), options));
      },
    },
  ];
}

function sourceOf(message) {
  return { size: message.length, read: async (start, end) => message.slice(start, end) };
}
