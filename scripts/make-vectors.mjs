/**
 * Makes `test/vectors/manifest.json` and `test/vectors/keys.json`: `node scripts/make-vectors.mjs`.
 *
 * Everything is derived from names, so a new run gives the same bytes, but for what is random by nature: RSA blocks
 * and signatures. The RSA key is kept if there is one. Foreign messages in `foreign.json` are left as they are.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { faultTests } from './make-vectors/faults.mjs';
import { makeKeys } from './make-vectors/keys.mjs';
import { validTests } from './make-vectors/valid.mjs';

const folder = new URL('../test/vectors/', import.meta.url);
const keysFile = new URL('keys.json', folder);

const old = existsSync(keysFile) ? JSON.parse(readFileSync(keysFile, 'utf8')).keys : undefined;
const keys = makeKeys(old);
writeFileSync(keysFile, `${JSON.stringify(keys, null, 1)}\n`);

const tests = [...validTests(keys.keys), ...faultTests(keys.keys)];
if (new Set(tests.map(({ name }) => name)).size !== tests.length) throw new Error('a name is used twice');
const lines = tests.map((test) => `${JSON.stringify(test.name)}:${JSON.stringify(entry(test))}`);
writeFileSync(new URL('manifest.json', folder), `{"tests":{\n${lines.join(',\n')}\n}}\n`);
console.log(`${tests.length} messages: ${tests.filter((test) => test.code).length} to be rejected`);

function entry({ message, plaintext, code, masterKeys, ...options }) {
  const { name, ...rest } = options;
  return {
    ...(code ? { code } : { plaintext: plaintext.toString('base64') }),
    'master-keys': masterKeys,
    ...(Object.keys(rest).length > 0 && { options: rest }),
    message: message.toString('base64'),
  };
}
