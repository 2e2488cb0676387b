// Many small messages, few KMS calls: one data key serves messages of the same context for a while.

import assert from 'node:assert/strict';
import { cachingCmm, decrypt, encrypt, localCache } from 'frameseal';
import { awsKmsKeyring } from 'frameseal/aws-kms';
import { startLocalKms } from 'frameseal/local-kms';

const regions = ['us-east-1', 'eu-west-1', 'ap-south-1'];
const kms = await startLocalKms({ regions });
const { clientSupplier } = kms;
const arns = await Promise.all(regions.map(async (region) => (await kms.createKey({ region })).arn));
const keyring = awsKmsKeyring({ generatorKeyId: arns[0], keyIds: arns.slice(1), clientSupplier });

// Whichever limit comes first ends a data key's service.
const cmm = cachingCmm({
  keyring,
  cache: localCache({ entryCapacity: 100 }),
  maxAgeSeconds: 300,
  maxMessages: 1000,
  maxBytes: 2 ** 30,
});

// A hundred at once, with nothing in the cache: they wait for one data key, not for a hundred.
const made = kms.requests.length; // so far: the keys themselves
const encryptionContext = { table: 'orders' };
const texts = Array.from({ length: 100 }, (_, i) => new TextEncoder().encode(`order ${i}`));
const messages = await Promise.all(texts.map((text) => encrypt(text, { cmm, encryptionContext })));
const wrapped = kms.requests.slice(made).map(({ operation }) => operation);
assert.deepEqual(wrapped, ['GenerateDataKey', 'Encrypt', 'Encrypt']);

// Reading them back: one Decrypt.
const before = kms.requests.length;
const opened = await Promise.all(
  messages.map(({ ciphertext }) => decrypt(ciphertext, { cmm, encryptionContext })),
);
assert.deepEqual(
  opened.map(({ plaintext }) => plaintext),
  texts,
);
assert.equal(kms.requests.length - before, 1);

await kms.close();
console.log('100 messages written and read with 4 KMS calls');
