/**
 * Messages that must not open: a flipped bit, an early end, bytes behind it, another key, policy or context.
 */
import { aesKeyring } from '../keys.mjs';
import { policyFor } from '../suites.mjs';
import { bytes, refused, same, suiteName, through } from '../support.mjs';

const SUITES = [0x0014, 0x0178, 0x0378, 0x0478, 0x0578];
/** One flip in so many bytes: a prime, so that every field is met. */
const STEP = 13;
/** What an altered message may be said to be; never that it opened. */
const ALTERED = [
  'AUTHENTICATION_FAILED',
  'INVALID_MESSAGE',
  'TRUNCATED',
  'TRAILING_BYTES',
  'LIMIT_EXCEEDED',
  'NO_DATA_KEY',
  'COMMITMENT_POLICY',
  'BASE64_MESSAGE',
];

export function cases(library, environment) {
  const { decrypt, decryptStream, encrypt, rawAesKeyring } = library;
  const keyring = aesKeyring(library, environment, 32);
  const engines = ['auto', ...environment.engines];
  const plaintext = bytes(250);

  async function message(suite) {
    const options = { keyring, algorithmSuite: suite, commitmentPolicy: policyFor(suite), frameLength: 100 };
    return (await encrypt(plaintext, { ...options, encryptionContext: { a: 'b' } })).ciphertext;
  }

  async function flips(suite, engine) {
    const sealed = await message(suite);
    const options = { keyring, engine, commitmentPolicy: policyFor(suite) };
    for (let at = 0; at < sealed.length; at += STEP) {
      const altered = sealed.slice();
      altered[at] ^= 1 << (at % 8);
      await refused(library, ALTERED, () => decrypt(altered, options)).catch((error) => {
        throw new Error(`bit ${at % 8} of byte ${at}: ${error.message}`);
      });
    }
    same((await decrypt(sealed, options)).plaintext, plaintext);
  }

  // The last bit of a frame's tag, of the footer's signature where there is one.
  async function lastByte(suite, engine) {
    const altered = await message(suite);
    altered[altered.length - 1] ^= 1;
    const options = { keyring, engine, commitmentPolicy: policyFor(suite) };
    await refused(library, ['AUTHENTICATION_FAILED'], () => through(decryptStream(options), altered, 50));
    return refused(library, ['AUTHENTICATION_FAILED'], () => decrypt(altered, options));
  }

  async function ends(suite) {
    const sealed = await message(suite);
    const options = { keyring, commitmentPolicy: policyFor(suite) };
    for (let length = 0; length < sealed.length; length += STEP) {
      await refused(library, ['TRUNCATED'], () => decrypt(sealed.subarray(0, length), options));
    }
    const longer = new Uint8Array(sealed.length + 1);
    longer.set(sealed);
    return refused(library, ['TRAILING_BYTES'], () => decrypt(longer, options));
  }

  const codes = (name, codesOf, work) => ({ name, run: () => refused(library, codesOf, work) });
  const other = { keyNamespace: 'conformance', keyName: 'aes-256', wrappingKey: bytes(32, 9) };
  return [
    ...SUITES.flatMap((suite) => [
      ...engines.map((engine) => ({
        name: `flipped bits, ${suiteName(suite)} ${engine}`,
        run: () => flips(suite, engine),
      })),
      ...engines.map((engine) => ({
        name: `last byte, ${suiteName(suite)} ${engine}`,
        run: () => lastByte(suite, engine),
      })),
      { name: `early ends, ${suiteName(suite)}`, run: () => ends(suite) },
    ]),
    codes('policy on reading', ['COMMITMENT_POLICY'], async () =>
      decrypt(await message(0x0378), { keyring }),
    ),
    codes('policy on writing', ['COMMITMENT_POLICY'], () =>
      encrypt(plaintext, { keyring, algorithmSuite: 0x0378 }),
    ),
    codes('another key', ['NO_DATA_KEY'], async () =>
      decrypt(await message(0x0578), { keyring: rawAesKeyring(other) }),
    ),
    codes('another context', ['CONTEXT_MISMATCH'], async () =>
      decrypt(await message(0x0578), { keyring, encryptionContext: { a: 'c' } }),
    ),
    codes('too many keys', ['LIMIT_EXCEEDED'], () =>
      encrypt(plaintext, { keyring: twice(library, keyring), maxEncryptedDataKeys: 1 }),
    ),
    codes('base64 text', ['BASE64_MESSAGE'], async () =>
      decrypt(new TextEncoder().encode(btoa(String.fromCharCode(...(await message(0x0578))))), { keyring }),
    ),
    codes('misspelt option', ['INVALID_ARGUMENT'], () =>
      encrypt(plaintext, { keyring, encryptionContex: {} }),
    ),
  ];
}

function twice({ multiKeyring }, keyring) {
  return multiKeyring({ generator: keyring, children: [keyring] });
}
