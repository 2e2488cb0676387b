/**
 * Vectors for runtimes without a file system, as plain data: the project's own, and a selection of the shared ones, which
 * lie beside the repository in `../shared/vectors` (FRAMESEAL_VECTORS names another folder).
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const OWN = new URL('../vectors/', import.meta.url);
const SHARED =
  process.env.FRAMESEAL_VECTORS ?? fileURLToPath(new URL('../../../shared/vectors', import.meta.url));

/** Folders of the shared vectors, and how many of their cases are left out for each that is taken. */
const SETS = [
  ['esdk/net-4.0.1', 1],
  ['esdk/net-4.0.0-valid', 1],
  ['esdk/dafny-4.1.0', 4],
  ['esdk-python', 4],
  ['negative', 12],
];
/** Of the own messages that must not open, one of so many. */
const OWN_FAULTS = 5;

/** All of them: see `test/conformance/cases/vectors.mjs` for their form. */
export async function selectVectors() {
  const own = [...ownVectors('manifest.json'), ...ownVectors('foreign.json')];
  if (existsSync(`${SHARED}/README.md`)) return [...own, ...(await sharedVectors())];
  console.log(`not run: shared vectors (no folder ${SHARED})`);
  return own;
}

function ownVectors(file) {
  const { tests, keys } = { ...read(new URL('keys.json', OWN)), ...read(new URL(file, OWN)) };
  const all = Object.entries(tests).map(
    ([name, { message, plaintext, code, options, 'master-keys': named }]) => ({
      name: `own, ${name}`,
      message,
      keys: named.map((key) => rawKey(key, keys)),
      options: { ...reading(message), ...options },
      ...(code ? { codes: [code] } : { plaintext }),
    }),
  );
  return [
    ...all.filter(({ codes }) => !codes),
    ...everyNth(
      all.filter(({ codes }) => codes),
      OWN_FAULTS,
    ),
  ];
}

async function sharedVectors() {
  const allowedCodes = await negativeCodes();
  return SETS.flatMap(([folder, step]) => {
    const { tests } = read(`${SHARED}/${folder}/manifest.json`);
    const { keys } = read(`${SHARED}/${folder}/keys.json`);
    const file = (reference) =>
      readFileSync(`${SHARED}/${folder}/${reference.slice('file://'.length)}`, 'base64');
    const usable = Object.entries(tests).filter(
      ([, test]) => test['master-keys'] && test.expect !== 'unspecified',
    );
    return everyNth(usable, step).map(([name, test]) => {
      const message = file(test.ciphertext);
      const limit = test['max-encrypted-data-keys'];
      return {
        name: `${folder}, ${name}`,
        message,
        keys: test['master-keys'].map((key) => rawKey(key, keys)),
        options: {
          ...reading(message),
          encryptionContext: contextOf(test),
          ...(test['commitment-policy'] && { commitmentPolicy: test['commitment-policy'] }),
          ...(limit && { maxEncryptedDataKeys: limit }),
        },
        ...(test.expect === 'reject'
          ? { codes: allowedCodes(test.class, name) }
          : { plaintext: file(test.result.output.plaintext) }),
      };
    });
  });
}

function contextOf(test) {
  return test['encryption-context'] ?? test['decryption-scenario']?.['reproduced-encryption-context'] ?? {};
}

// By what code each kind of fault may be refused is written down once, in TypeScript.
async function negativeCodes() {
  const entry = fileURLToPath(new URL('../ci/vectors/negative-codes.ts', import.meta.url));
  const { outputFiles } = await build({ entryPoints: [entry], write: false, format: 'esm' });
  const module = await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
  return module.allowedCodes;
}

function rawKey(key, entries) {
  const { type, material, 'key-id': keyName } = entries[key.key];
  const names = { keyNamespace: key['provider-id'], keyName };
  if (key['encryption-algorithm'] === 'aes') return { ...names, aes: material };
  const padding = key['padding-algorithm'] === 'pkcs1' ? 'pkcs1' : `oaep-${key['padding-hash']}`;
  return { ...names, padding, [type === 'private' ? 'privateKey' : 'publicKey']: material };
}

// Version 1 has no commitment.
function reading(message) {
  const isFirst = Buffer.from(message, 'base64')[0] === 1;
  return { commitmentPolicy: isFirst ? 'FORBID_ENCRYPT_ALLOW_DECRYPT' : 'REQUIRE_ENCRYPT_ALLOW_DECRYPT' };
}

function everyNth(list, n) {
  return list.filter((_, i) => i % n === 0);
}

function read(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
