/**
 * Small messages under valgrind's callgrind: messages.mjs FOLDER, of a built version. It sets its umask before each piece of
 * work and after the last: that is the call by which callgrind is told to begin a new count (`--dump-before=umask`). It
 * prints a line for each piece: name, tab, how many calls it is.
 */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const BATCHES = 5;
const CALLS = 20;

const { decrypt, encrypt, parseHeader, rawAesKeyring } = await import(
  pathToFileURL(join(process.argv[2], 'dist/index.js')).href
);
const keyring = rawAesKeyring({
  keyName: 'k',
  keyNamespace: 'bench',
  wrappingKey: new Uint8Array(32).fill(5),
});
const plaintext = new Uint8Array(1024).fill(7);
const options = { keyring, algorithmSuite: 0x0478, encryptionContext: { purpose: 'guard', tenant: 'a' } };
const { ciphertext } = await encrypt(plaintext, options);
const pieces = {
  encrypt: () => encrypt(plaintext, options),
  decrypt: () => decrypt(ciphertext, { keyring }),
  parseHeader: () => parseHeader(ciphertext),
};

const done = [];
for (let batch = 0; batch < BATCHES; batch++) {
  for (const [name, call] of Object.entries(pieces)) {
    process.umask(0o022);
    for (let i = 0; i < CALLS; i++) await call();
    done.push(`${name}\t${CALLS}`);
  }
}
process.umask(0o022);
console.log(done.join('\n'));
