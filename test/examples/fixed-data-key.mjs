// The same plaintext, the same ciphertext: for columns that must be found by equality. The key that does it is pinned: a
// secret of its own inside an ordinary message, under as many KMS keys as any other.

import assert from 'node:assert/strict';
import { awsKmsKeyring } from 'frameseal/aws-kms';
import { createPinnedDataKey, openPinnedDataKey } from 'frameseal/deterministic';
import { startLocalKms } from 'frameseal/local-kms';

const regions = ['us-east-1', 'eu-west-1'];
const kms = await startLocalKms({ regions });
const { clientSupplier } = kms;
const arns = await Promise.all(regions.map(async (region) => (await kms.createKey({ region })).arn));
const keyring = awsKmsKeyring({ generatorKeyId: arns[0], keyIds: [arns[1]], clientSupplier });

// Made once, and kept beside the data.
const encryptionContext = { purpose: 'customers' };
const pinned = await createPinnedDataKey({ keyring, encryptionContext });

// Two services in two regions: neither has to ask KMS again for any value.
const [east, west] = await Promise.all(
  arns.map((arn) =>
    openPinnedDataKey(pinned, {
      keyring: awsKmsKeyring({ keyIds: [arn], clientSupplier }),
      encryptionContext,
    }),
  ),
);
const mail = new TextEncoder().encode('ada@example.com');
const field = 'email';
const written = await east.encrypt(mail, { field });
assert.deepEqual(await west.encrypt(mail, { field }), written); // found by equality
assert.deepEqual(await west.decrypt(written, { field }), mail);
assert.notDeepEqual(await west.encrypt(mail, { field: 'invoice email' }), written); // and only within its field

// Where a search needs no decryption, an index is shorter and cannot be decrypted at all.
assert.deepEqual(await east.index(mail, { field }), await west.index(mail, { field }));

east.dispose();
west.dispose();
await kms.close();
console.log('equal plaintexts have equal ciphertexts, in both regions');
