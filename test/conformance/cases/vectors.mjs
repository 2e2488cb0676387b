/**
 * Messages of other implementations, opened whole and streamed, and crafted ones that must not open.
 *
 * A vector is { name, message, keys, options, plaintext } or, with `codes` instead of a plaintext, to be refused.
 */
import { fromBase64, refused, same, through } from '../support.mjs';

export function cases(library, { vectors, lacks }) {
  return vectors.map(({ name, message, keys, options, plaintext, codes }) => ({
    name,
    async run() {
      const bytes = fromBase64(message);
      const reading = { ...options, keyring: keyringOf(library, keys) };
      const whole = async () => (await library.decrypt(bytes, reading)).plaintext;
      const streamed = () => through(library.decryptStream(reading), bytes, 1009);
      const expected = missing(keys, bytes, lacks) ? ['UNSUPPORTED'] : codes;
      if (expected !== undefined) {
        await refused(library, expected, streamed);
        return refused(library, expected, whole);
      }
      same(await whole(), fromBase64(plaintext), 'whole');
      same(await streamed(), fromBase64(plaintext), 'streamed');
    },
  }));
}

// The suite, or every wrapping key, is one for which the runtime has no cipher.
function missing(keys, message, lacks) {
  const suite = (message[message[0] === 1 ? 2 : 1] << 8) | message[message[0] === 1 ? 3 : 2];
  const isAes192 = ({ aes }) => aes !== undefined && fromBase64(aes).length === 24;
  const aes192 = keys.every(isAes192) || AES_192.includes(suite);
  const pkcs1 = keys.every(({ padding }) => padding === 'pkcs1');
  return (aes192 && lacks.includes('aes-192')) || (pkcs1 && lacks.includes('raw-rsa'));
}

const AES_192 = [0x0046, 0x0146, 0x0346];

function keyringOf({ multiKeyring, rawAesKeyring, rawRsaKeyring }, keys) {
  const children = keys.map(({ keyNamespace, keyName, aes, ...rsa }) =>
    aes
      ? rawAesKeyring({ keyNamespace, keyName, wrappingKey: fromBase64(aes) })
      : rawRsaKeyring({ keyNamespace, keyName, ...rsa }),
  );
  return children.length === 1 ? children[0] : multiKeyring({ children });
}
