/**
 * Long headers and odd shapes: what takes other ways through engines and primitives than a small message does.
 */
import { aesKeyring } from '../keys.mjs';
import { lacksCipher, policyFor, SUITES } from '../suites.mjs';
import { bytes, refused, same, suiteName, through } from '../support.mjs';

/** Bytes of one pair's value; with them the header is beyond what the kernel takes in one step, and near the format's end. */
const VALUES = [2000, 10_000, 60_000];

export function cases(library, environment) {
  const { decrypt, decryptStream, encrypt, rawAesKeyring } = library;
  const engines = ['auto', ...environment.engines];

  async function longHeader(suite, engine) {
    for (const length of VALUES) {
      const keyring = rawAesKeyring({ keyNamespace: 'limits', keyName: 'k', wrappingKey: bytes(32) });
      const encryptionContext = { long: 'v'.repeat(length) };
      const options = { keyring, engine, encryptionContext, commitmentPolicy: policyFor(suite.id) };
      const { ciphertext } = await encrypt(bytes(100), { ...options, algorithmSuite: suite.id });
      same((await decrypt(ciphertext, options)).plaintext, bytes(100));
    }
  }

  async function longContextAes192() {
    const keyring = aesKeyring(library, environment, 24);
    const encryptionContext = { long: 'v'.repeat(60_000) };
    const { ciphertext } = await encrypt(bytes(100), { keyring, encryptionContext });
    same((await decrypt(ciphertext, { keyring })).plaintext, bytes(100));
  }

  async function views() {
    const keyring = aesKeyring(library, environment, 32);
    const plaintext = bytes(5000).subarray(13, 4013);
    const { ciphertext } = await encrypt(plaintext, { keyring });
    const within = new Uint8Array(ciphertext.length + 50).fill(7);
    within.set(ciphertext, 21);
    const message = within.subarray(21, 21 + ciphertext.length);
    same((await decrypt(message, { keyring })).plaintext, plaintext);
    same(await through(decryptStream({ keyring }), message, 700), plaintext);
  }

  async function longFrame() {
    const keyring = aesKeyring(library, environment, 32);
    const plaintext = bytes(3_000_000);
    for (const engine of engines) {
      const { ciphertext } = await encrypt(plaintext, { keyring, engine, frameLength: 2_000_000 });
      same((await decrypt(ciphertext, { keyring, engine })).plaintext, plaintext);
    }
  }

  const refusedIf = (lacking, work) => (lacking ? refused(library, ['UNSUPPORTED'], work) : work());
  return [
    ...SUITES.filter(({ id }) => [0x0014, 0x0146, 0x0578].includes(id)).flatMap((suite) =>
      engines.map((engine) => ({
        name: `long header, ${suiteName(suite.id)} ${engine}`,
        run: () => refusedIf(lacksCipher(environment, engine, suite), () => longHeader(suite, engine)),
      })),
    ),
    {
      name: 'long context under a raw AES-192 key',
      run: () => refusedIf(environment.lacks.includes('aes-192'), longContextAes192),
    },
    { name: 'views into larger buffers', run: views },
    { name: 'frames of 2 MB', run: longFrame },
  ];
}
