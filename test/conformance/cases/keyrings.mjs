/**
 * Keyrings over raw keys: bytes, PEM text and CryptoKeys.
 */
import { aesCryptoKeyring, aesKeyring, PADDINGS, rsaCryptoKeyring, rsaKeyring } from '../keys.mjs';
import { bytes, described, fromBase64, refused, same } from '../support.mjs';

const SUITES = [0x0478, 0x0578];

export function cases(library, environment) {
  const { decrypt, encrypt, multiKeyring, rawRsaKeyring } = library;
  const { keys, lacks } = environment;
  const noAes192 = lacks.includes('aes-192');
  const noAes192Key = noAes192 || lacks.includes('webcrypto-aes-192');

  async function exchange(writer, ...readers) {
    for (const algorithmSuite of SUITES) {
      const { ciphertext } = await encrypt(bytes(500), { keyring: writer, algorithmSuite });
      for (const keyring of [writer, ...readers])
        same((await decrypt(ciphertext, { keyring })).plaintext, bytes(500));
    }
  }

  // Messages of old are read; where the platform has no raw RSA, they are refused.
  async function pkcs1() {
    const names = { keyNamespace: 'conformance', keyName: 'pkcs1', padding: 'pkcs1' };
    const read = async () =>
      (await decrypt(fromBase64(keys.pkcs1Message), { keyring: rawRsaKeyring({ ...names, ...keys.rsa }) }))
        .plaintext;
    if (lacks.includes('raw-rsa')) return refused(library, ['UNSUPPORTED'], read);
    same(await read(), bytes(300));
    return 'reads';
  }

  return [
    ...[16, 24, 32].map((length) => ({
      name: `AES-${8 * length}, bytes`,
      run: () =>
        length === 24 && noAes192
          ? refused(library, ['UNSUPPORTED'], () => exchange(aesKeyring(library, environment, length)))
          : exchange(aesKeyring(library, environment, length)),
    })),
    ...[16, 24, 32].map((length) => ({
      name: `AES-${8 * length}, CryptoKey`,
      async run() {
        if (length === 24 && noAes192Key)
          return noSuchKey(() => aesCryptoKeyring(library, environment, length));
        const keyring = await aesCryptoKeyring(library, environment, length);
        await exchange(keyring, aesKeyring(library, environment, length));
      },
    })),
    ...PADDINGS.map((padding) => ({
      name: `RSA ${padding}`,
      async run() {
        const pem = rsaKeyring(library, environment, padding);
        const cryptoKeys = await rsaCryptoKeyring(library, environment, padding);
        await exchange(pem, cryptoKeys);
        await exchange(cryptoKeys, pem);
      },
    })),
    ...PADDINGS.map((padding) => ({
      name: `RSA ${padding}, a data key that begins with zeros`,
      async run() {
        for (const zeros of [1, 2]) {
          const dataKey = bytes(32).map((byte, i) => (i < zeros ? 0 : byte));
          const rsa = rsaKeyring(library, environment, padding);
          await exchange(withDataKey(rsa, dataKey), await rsaCryptoKeyring(library, environment, padding));
        }
      },
    })),
    { name: 'RSA pkcs1', run: pkcs1 },
    {
      name: 'multi-keyring, each key alone',
      async run() {
        const aes = aesKeyring(library, environment, 32);
        const rsa = rsaKeyring(library, environment, 'oaep-sha256');
        await exchange(multiKeyring({ generator: aes, children: [rsa] }), aes, rsa);
      },
    },
  ];
}

// A keyring of one's own that gives the data key and lets another one wrap it.
function withDataKey(keyring, dataKey) {
  return {
    onEncrypt: (materials, call) =>
      keyring.onEncrypt({ ...materials, plaintextDataKey: dataKey.slice() }, call),
    onDecrypt: (...call) => keyring.onDecrypt(...call),
  };
}

async function noSuchKey(load) {
  try {
    await load();
  } catch (error) {
    return `no such CryptoKey (${described(error).split(':')[0]})`;
  }
  throw new Error('WebCrypto took an AES-192 key, which this runtime is said to lack');
}
