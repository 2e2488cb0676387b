/**
 * Messages through streams: in chunks of any size, the signature included, released before and after it.
 */

import { lacksCipher, policyFor, SUITES } from '../suites.mjs';
import { bytes, equal, refused, same, suiteName, through } from '../support.mjs';

export function cases(library, environment) {
  const { decrypt, decryptStream, encrypt, encryptStream, rawAesKeyring } = library;
  const keyring = rawAesKeyring({ keyNamespace: 'streamed', keyName: 'k', wrappingKey: bytes(32) });
  const engines = ['auto', ...environment.engines];

  async function bothWays(suite, engine) {
    const plaintext = bytes(100_000, 3);
    const options = { keyring, engine, commitmentPolicy: policyFor(suite.id) };
    const writing = encryptStream({ ...options, algorithmSuite: suite.id, frameLength: 1000 });
    const message = await through(writing, plaintext, 7777);
    equal((await writing.result).header.suiteId, suite.id, 'suite');
    same((await decrypt(message, options)).plaintext, plaintext, 'whole');
    const reading = decryptStream(options);
    same(await through(reading, message, 3333), plaintext, 'streamed');
    equal((await reading.result).header.frameLength, 1000, 'frame length');
  }

  async function byteByByte(suite) {
    const options = { keyring, commitmentPolicy: policyFor(suite) };
    const { ciphertext } = await encrypt(bytes(300), { ...options, algorithmSuite: suite, frameLength: 64 });
    same(await through(decryptStream(options), ciphertext, 1), bytes(300));
  }

  async function ended() {
    const { ciphertext } = await encrypt(bytes(50_000), { keyring });
    const cut = ciphertext.subarray(0, 30_000);
    await refused(library, ['TRUNCATED'], () => through(decryptStream({ keyring }), cut, 5000));
    const { signal, abort } = abortable();
    const stream = decryptStream({ keyring, signal });
    abort();
    return refused(library, ['ABORTED'], () => through(stream, ciphertext, 5000));
  }

  return [
    ...SUITES.flatMap((suite) =>
      engines.map((engine) => ({
        name: `${suiteName(suite.id)} ${engine}`,
        run: () =>
          lacksCipher(environment, engine, suite)
            ? refused(library, ['UNSUPPORTED'], () => bothWays(suite, engine))
            : bothWays(suite, engine),
      })),
    ),
    ...[0x0014, 0x0378, 0x0478, 0x0578].map((suite) => ({
      name: `${suiteName(suite)} byte by byte`,
      run: () => byteByByte(suite),
    })),
    ...['hold-final-frame', 'hold-all'].map((signedStreams) => ({
      name: `signed, ${signedStreams}`,
      async run() {
        const { ciphertext } = await encrypt(bytes(20_000), { keyring });
        same(await through(decryptStream({ keyring, signedStreams }), ciphertext, 999), bytes(20_000));
      },
    })),
    { name: 'ended early, and aborted', run: ended },
  ];
}

function abortable() {
  const controller = new AbortController();
  return { signal: controller.signal, abort: () => controller.abort() };
}
