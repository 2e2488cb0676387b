/**
 * Copies messages of other implementations out of `../shared/vectors` into `test/vectors/foreign.json`, and the
 * licence of the official ones beside it: `node scripts/make-vectors/foreign.mjs`.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const shared = new URL('../../../shared/vectors/', import.meta.url);
const folder = new URL('../../test/vectors/', import.meta.url);

/** Of each set: the messages, and what they are called here. */
const WANTED = {
  'esdk/dafny-4.1.0': {
    'dafny-0578-aes': '10e75848-e9c3-45b7-8bd0-7d8740fa1c30',
    'dafny-0378-required-context': 'efdd15d6-7be6-41b2-b263-0b5dafe12310',
    'dafny-0214-rsa-pkcs1': '685e2e77-6562-4fe7-bd36-9901a23723d2',
    'dafny-0478-multi': '6930009b-ebe0-4648-8ed5-52b970450966',
  },
  'esdk/net-4.0.0-invalid': {
    'net-4.0.0-0014': '0014-ec_len_2-cmm_Default-4995aa2c-9270-4f93-865e-1018c96cc4e9',
  },
  'esdk-python': {
    ...named(['0014-f0-p0-aes192', '0046-f0-p1-aes192', '0078-f0-p1-aes128', '0114-f0-p1000-aes128']),
    ...named(['0146-f0-p1000-aes256', '0178-f0-p0-aes256', '0214-f0-p1-aes256', '0346-f0-p1-aes192']),
    ...named(['0378-f0-p1000-aes192', '0478-f0-p1000-aes128', '0578-f0-p0-aes128', '0578-ec-unicode']),
    ...named(['0178-f16-p48-aes128']),
  },
};

const keys = {};
const tests = {};
for (const [set, names] of Object.entries(WANTED)) copySet(set, names);
const lines = Object.entries(tests).map(([name, test]) => `${JSON.stringify(name)}:${JSON.stringify(test)}`);
const text = `{"keys":${JSON.stringify(keys)},\n"tests":{\n${lines.join(',\n')}\n}}\n`;
writeFileSync(new URL('foreign.json', folder), text);
for (const file of ['LICENSE', 'NOTICE']) {
  writeFileSync(new URL(file, folder), readFileSync(new URL(`esdk/${file}`, shared)));
}

function named(names) {
  return Object.fromEntries(names.map((name) => [`python-${name}`, name]));
}

function copySet(set, names) {
  const json = (file) => JSON.parse(readFileSync(new URL(`${set}/${file}`, shared), 'utf8'));
  const { tests: found } = json('manifest.json');
  const { keys: known } = json('keys.json');
  for (const [name, original] of Object.entries(names)) {
    if (!found[original]) throw new Error(`${set} has no ${original}`);
    const masterKeys = found[original]['master-keys'] ?? [
      found[original]['decryption-scenario'].decryptKeyDescription.underlying,
    ];
    for (const { key } of masterKeys) keys[`${set} ${key}`] = known[key];
    tests[name] = convert(set, found[original], masterKeys);
  }
}

function convert(set, test, masterKeys) {
  const scenario = test['decryption-scenario'];
  const file = (uri) =>
    readFileSync(new URL(`${set}/${uri.replace('file://', '')}`, shared)).toString('base64');
  const context = test['encryption-context'] ?? scenario?.['reproduced-encryption-context'] ?? {};
  return {
    ...(test.expect === 'reject'
      ? { code: 'AUTHENTICATION_FAILED' }
      : { plaintext: file(test.result?.output?.plaintext ?? scenario.result) }),
    'master-keys': masterKeys.map((key) => ({ ...key, key: `${set} ${key.key}` })),
    options: { encryptionContext: context },
    message: file(test.ciphertext ?? scenario.ciphertext),
  };
}
