/**
 * What is timed: the kernel's calls and small messages, of versions of the library that lie in folders.
 */
import { strictEqual } from 'node:assert';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const key = new Uint8Array(32).fill(5);
const messageId = new Uint8Array(32).fill(6);
const plaintext = new Uint8Array(1024).fill(7);
const encryptionContext = { purpose: 'guard', tenant: 'a' };
const names = { keyName: 'k', keyNamespace: 'bench' };

/**
 * The cases, as `runCase` takes them: a candidate for each folder, by its name.
 * @param folders { name: folder }
 */
export function guardCases(folders) {
  const loaded = (path, make) => async () => {
    const entries = Object.entries(folders).map(async ([name, folder]) => {
      const library = await import(pathToFileURL(join(folder, 'dist', path)).href);
      return [name, await make(library)];
    });
    return checked(Object.fromEntries(await Promise.all(entries)));
  };
  const one = (name, path, make) => ({ group: 'guard', name, parameters: {}, prepare: loaded(path, make) });
  const select = 'engine/select.js';
  return [
    one('kernel: seal 64 frames of 256 B', select, (library) => frames(library, 256).seal),
    one('kernel: open 64 frames of 256 B', select, (library) => frames(library, 256).open),
    one('kernel: seal 64 frames of 4 KiB', select, (library) => frames(library, 4096).seal),
    one('kernel: open 64 frames of 4 KiB', select, (library) => frames(library, 4096).open),
    one('kernel: HKDF, two keys of 0x0478', 'engine/wasm/kernel.js', hkdf),
    ...[0x0478, 0x0578].flatMap((suite) => [
      one(`1 KiB message 0x0${suite.toString(16)}: encrypt`, 'index.js', (library) =>
        encrypting(library, suite),
      ),
      one(`1 KiB message 0x0${suite.toString(16)}: decrypt`, 'index.js', (library) =>
        decrypting(library, suite),
      ),
    ]),
    one('parseHeader of a 1 KiB message', 'index.js', parsing),
  ];
}

// Runs each once; what they answer must be the same.
async function checked(calls) {
  const answers = [];
  for (const { run, answer } of Object.values(calls))
    answers.push(Buffer.from(await answer(await run())).toString('hex'));
  strictEqual(new Set(answers).size, 1, 'the two versions do not give the same bytes');
  return Object.fromEntries(Object.entries(calls).map(([name, { run }]) => [name, run]));
}

function frames({ selectPlatform }, frameLength) {
  const { cipher } = selectPlatform('wasm').engine;
  const shape = { frameLength, first: 1, regular: 64, finalLength: undefined };
  const sealed = new Uint8Array(64 * (frameLength + 32));
  const opened = new Uint8Array(64 * frameLength);
  const seal = () => {
    const one = cipher(key, messageId);
    one.seal({ ...shape, plaintext: new Uint8Array(64 * frameLength), output: sealed });
    one.dispose();
  };
  const open = () => {
    const one = cipher(key, messageId);
    strictEqual(one.open({ ...shape, frames: sealed, output: opened }), 64);
    one.dispose();
  };
  seal();
  return { seal: { run: seal, answer: () => sealed }, open: { run: open, answer: () => opened } };
}

function hkdf({ loadKernel }) {
  const kernel = loadKernel();
  if (kernel === undefined) throw new Error('the kernel was refused');
  const info = (text, length) => ({ info: Buffer.from(text), length });
  const outputs = [info('\x04\x78DERIVEKEY', 32), info('COMMITKEY', 32)];
  return {
    run: () => kernel.hkdf('SHA-512', key, messageId, outputs),
    answer: (keys) => Buffer.concat(keys),
  };
}

function optionsOf({ rawAesKeyring }, algorithmSuite) {
  return { keyring: rawAesKeyring({ ...names, wrappingKey: key }), algorithmSuite, encryptionContext };
}

// Every ciphertext is another one: what it says is the same.
function encrypting(library, suite) {
  const options = optionsOf(library, suite);
  const { keyring } = options;
  return {
    run: () => library.encrypt(plaintext, options),
    answer: async ({ ciphertext }) => (await library.decrypt(ciphertext, { keyring })).plaintext,
  };
}

async function decrypting(library, suite) {
  const options = optionsOf(library, suite);
  const { keyring } = options;
  const { ciphertext } = await library.encrypt(plaintext, options);
  return { run: () => library.decrypt(ciphertext, { keyring }), answer: (result) => result.plaintext };
}

async function parsing(library) {
  const { ciphertext } = await library.encrypt(plaintext, optionsOf(library, 0x0478));
  return { run: () => library.parseHeader(ciphertext), answer: (header) => [header.length] };
}
