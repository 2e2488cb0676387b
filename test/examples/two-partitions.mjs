// Two partitions of AWS share nothing: no account, no key, no network. One message that each can open on its own.

import assert from 'node:assert/strict';
import { decrypt, encrypt, multiKeyring } from 'frameseal';
import { awsKmsKeyring } from 'frameseal/aws-kms';
import { startLocalKms } from 'frameseal/local-kms';

const kms = await startLocalKms({ regions: ['eu-central-1', 'cn-north-1'] });
const { clientSupplier } = kms;
const { arn: frankfurt } = await kms.createKey({ region: 'eu-central-1' });
const { arn: beijing } = await kms.createKey({ region: 'cn-north-1' });
assert.match(beijing, /^arn:aws-cn:/);

// On AWS each keyring has clients with the credentials of its own partition: give each a `clientSupplier`.
const writer = multiKeyring({
  generator: awsKmsKeyring({ generatorKeyId: frankfurt, clientSupplier }),
  children: [awsKmsKeyring({ keyIds: [beijing], clientSupplier })],
});
const plaintext = new TextEncoder().encode('the books of 2026');
const encryptionContext = { tenant: 'acme' };
const { ciphertext } = await encrypt(plaintext, { keyring: writer, encryptionContext });

// Whoever decrypts needs the keys of one partition, and asks only for those.
for (const [key, down] of [
  [beijing, 'eu-central-1'],
  [frankfurt, 'cn-north-1'],
]) {
  kms.setFault(down, { kind: 'down' });
  const keyring = awsKmsKeyring({ keyIds: [key], clientSupplier });
  const opened = await decrypt(ciphertext, { keyring, encryptionContext });
  assert.deepEqual(opened.plaintext, plaintext);
  kms.setFault(down, null);
}

await kms.close();
console.log('opened in either partition while the other was down');
