// One message under KMS keys in three regions. Whoever decrypts asks the region nearest to it, and another one when that
// is down.

import assert from 'node:assert/strict';
import { decrypt, encrypt } from 'frameseal';
import { awsKmsKeyring } from 'frameseal/aws-kms';
import { startLocalKms } from 'frameseal/local-kms';

// A KMS on this machine. On AWS leave out everything that begins with `kms`: clients are made for each region.
const regions = ['us-east-1', 'eu-west-1', 'ap-south-1'];
const kms = await startLocalKms({ regions });
const { clientSupplier } = kms;
const [virginia, ireland, mumbai] = await Promise.all(
  regions.map(async (region) => (await kms.createKey({ region })).arn),
);

// GenerateDataKey in Virginia, then Encrypt in the two others at the same time.
const writer = awsKmsKeyring({ generatorKeyId: virginia, keyIds: [ireland, mumbai], clientSupplier });
const encryptionContext = { tenant: 'acme' };
const plaintext = new TextEncoder().encode('the books of 2026');
const { ciphertext } = await encrypt(plaintext, { keyring: writer, encryptionContext });

// A service in Mumbai: its own region first.
const reader = awsKmsKeyring({
  keyIds: [virginia, ireland, mumbai],
  preferredRegions: ['ap-south-1', 'eu-west-1'],
  clientSupplier,
});
const asked = () => kms.requests.filter(({ operation }) => operation === 'Decrypt').at(-1).region;

const near = await decrypt(ciphertext, { keyring: reader, encryptionContext });
assert.deepEqual(near.plaintext, plaintext);
assert.equal(asked(), 'ap-south-1');

kms.setFault('ap-south-1', { kind: 'down' });
const far = await decrypt(ciphertext, { keyring: reader, encryptionContext });
assert.deepEqual(far.plaintext, plaintext);
assert.equal(asked(), 'eu-west-1');

await kms.close();
console.log('decrypted in ap-south-1, and in eu-west-1 when that was down');
