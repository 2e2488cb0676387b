// Messages written under two regions, and two more added to the same data key later: the messages stay untouched, a small
// sidecar beside each holds the new encrypted data keys.

import assert from 'node:assert/strict';
import { addWrappingKeys, decrypt, encrypt } from 'frameseal';
import { awsKmsKeyring } from 'frameseal/aws-kms';
import { startLocalKms } from 'frameseal/local-kms';

const regions = ['us-east-1', 'eu-west-1', 'ap-south-1', 'sa-east-1'];
const kms = await startLocalKms({ regions });
const { clientSupplier } = kms;
const arns = await Promise.all(regions.map(async (region) => (await kms.createKey({ region })).arn));

// Last year: two regions.
const two = awsKmsKeyring({ generatorKeyId: arns[0], keyIds: [arns[1]], clientSupplier });
const plaintext = new TextEncoder().encode('the books of 2025');
const encryptionContext = { tenant: 'acme' };
const { ciphertext } = await encrypt(plaintext, { keyring: two, encryptionContext });

// Today: two more. One Decrypt under an old key and one Encrypt under each new one; the header of the message is enough.
const more = awsKmsKeyring({ keyIds: [arns[2], arns[3]], clientSupplier });
const start = ciphertext.slice(0, 4096);
const { sidecar } = await addWrappingKeys(start, { keyring: two, encryptionContext, add: more });

// The new regions open it with the sidecar, the old ones as before, with it and without.
kms.setFault('us-east-1', { kind: 'down' });
kms.setFault('eu-west-1', { kind: 'down' });
const inSaoPaulo = awsKmsKeyring({ keyIds: [arns[3]], clientSupplier });
const opened = await decrypt(ciphertext, { keyring: inSaoPaulo, sidecar, encryptionContext });
assert.deepEqual(opened.plaintext, plaintext);

// It belongs to this message alone.
const another = await encrypt(plaintext, {
  keyring: awsKmsKeyring({ generatorKeyId: arns[3], clientSupplier }),
});
const refused = decrypt(another.ciphertext, { keyring: inSaoPaulo, sidecar });
await assert.rejects(refused, { code: 'SIDECAR_MISMATCH' });

await kms.close();
console.log(`a sidecar of ${sidecar.length} bytes opens the message in two more regions`);
