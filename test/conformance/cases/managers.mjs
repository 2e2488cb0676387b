/**
 * Materials managers: data keys that are kept for several messages, pairs that every message must have.
 */
import { aesKeyring } from '../keys.mjs';
import { bytes, equal, refused, same, through, toBase64 } from '../support.mjs';

export function cases(library, environment) {
  const { cachingCmm, decrypt, decryptStream, encrypt, encryptStream, requiredEncryptionContextCmm } =
    library;
  const keyring = aesKeyring(library, environment, 32);
  const edkOf = (message) => toBase64(library.parseHeader(message).encryptedDataKeys[0].ciphertext);

  async function cached(algorithmSuite) {
    const cmm = cachingCmm({ keyring, maxAgeSeconds: 60, maxMessages: 2 });
    const encryptionContext = { purpose: 'cache' };
    const write = async () =>
      (await encrypt(bytes(700), { cmm, encryptionContext, algorithmSuite, plaintextLength: 700 }))
        .ciphertext;
    const messages = [await write(), await write(), await write()];
    equal(edkOf(messages[0]) === edkOf(messages[1]), true, 'the second message under the same data key');
    equal(edkOf(messages[0]) === edkOf(messages[2]), false, 'the third message under the same data key');
    const reader = cachingCmm({ keyring, maxAgeSeconds: 60 });
    for (const message of [...messages, ...messages]) {
      same((await decrypt(message, { cmm: reader })).plaintext, bytes(700));
      same((await decrypt(message, { keyring })).plaintext, bytes(700));
    }
  }

  async function streamed() {
    const cmm = cachingCmm({ keyring, maxAgeSeconds: 60 });
    for (let i = 0; i < 2; i++) {
      const message = await through(encryptStream({ cmm, plaintextLength: 9000 }), bytes(9000), 1000);
      same(await through(decryptStream({ cmm }), message, 1000), bytes(9000));
    }
  }

  async function required() {
    const cmm = requiredEncryptionContextCmm({ keyring, requiredKeys: ['tenant'] });
    const encryptionContext = { tenant: 'acme', purpose: 'test' };
    const { ciphertext, header } = await encrypt(bytes(700), { cmm, encryptionContext });
    equal('tenant' in header.encryptionContext, false, 'the pair is stored');
    const given = { cmm, encryptionContext: { tenant: 'acme' } };
    same((await decrypt(ciphertext, given)).plaintext, bytes(700));
    return refused(library, ['CONTEXT_MISMATCH'], () => decrypt(ciphertext, { cmm }));
  }

  return [
    { name: 'caching, 0x0478', run: () => cached(0x0478) },
    { name: 'caching, 0x0578', run: () => cached(0x0578) },
    { name: 'caching, streamed', run: streamed },
    { name: 'required encryption context', run: required },
  ];
}
