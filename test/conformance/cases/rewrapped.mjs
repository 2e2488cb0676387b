/**
 * Finished messages under further keys, and under other ones.
 */
import { aesKeyring, kmsKeyring, rsaKeyring } from '../keys.mjs';
import { bytes, refused, same, through } from '../support.mjs';

export function cases(library, environment) {
  const { addWrappingKeys, decrypt, decryptStream, encrypt, rewrap, rewrapStream } = library;
  const keyring = aesKeyring(library, environment, 32);
  const rsa = rsaKeyring(library, environment, 'oaep-sha256');
  const kms = kmsKeyring(library, environment);
  const write = async (algorithmSuite) =>
    (await encrypt(bytes(5000), { keyring, algorithmSuite })).ciphertext;

  async function sidecar(add) {
    for (const suite of [0x0478, 0x0578]) {
      const message = await write(suite);
      const { sidecar } = await addWrappingKeys(message, { keyring, add });
      same((await decrypt(message, { keyring: add, sidecar })).plaintext, bytes(5000));
      same(await through(decryptStream({ keyring: add, sidecar }), message, 700), bytes(5000));
      await refused(library, ['NO_DATA_KEY'], () => decrypt(message, { keyring: add }));
      const another = await write(suite);
      await refused(library, ['SIDECAR_MISMATCH'], () => decrypt(another, { keyring: add, sidecar }));
    }
  }

  async function anew(to) {
    for (const suite of [0x0478, 0x0578]) {
      const { ciphertext } = await rewrap(await write(suite), { keyring, to });
      same((await decrypt(ciphertext, { keyring: to })).plaintext, bytes(5000));
      await refused(library, ['NO_DATA_KEY'], () => decrypt(ciphertext, { keyring }));
    }
  }

  async function streamed() {
    const message = await through(rewrapStream({ keyring, to: rsa }), await write(0x0578), 700);
    same((await decrypt(message, { keyring: rsa })).plaintext, bytes(5000));
  }

  return [
    { name: 'sidecar, an RSA key', run: () => sidecar(rsa) },
    { name: 'sidecar, KMS keys', run: () => sidecar(kms) },
    { name: 'rewrapped to an RSA key', run: () => anew(rsa) },
    { name: 'rewrapped to KMS keys', run: () => anew(kms) },
    { name: 'rewrapped, streamed', run: streamed },
  ];
}
