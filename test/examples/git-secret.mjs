// A small secret file in a Git repository: encrypted for the team's KMS keys and an escrow key, reviewed and merged like any
// other file, opened where the program starts.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decrypt, encrypt, multiKeyring, parseHeader, rawRsaKeyring } from 'frameseal';
import { awsKmsKeyring } from 'frameseal/aws-kms';
import { startLocalKms } from 'frameseal/local-kms';

const kms = await startLocalKms({ regions: ['us-east-1', 'eu-west-1'] });
const { clientSupplier } = kms;
const { arn: east } = await kms.createKey({ region: 'us-east-1' });
const { arn: west } = await kms.createKey({ region: 'eu-west-1' });
const { publicKey } = generateKeyPairSync('rsa', {
  modulusLength: 3072,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const repository = await mkdtemp(join(tmpdir(), 'frameseal-'));
const file = join(repository, 'production.env.fseal');

// Who may change it. The context says which file of which repository it is: it cannot be swapped for another.
const encryptionContext = { repository: 'shop', file: 'production.env' };
const writer = multiKeyring({
  generator: awsKmsKeyring({ generatorKeyId: east, keyIds: [west], clientSupplier }),
  children: [rawRsaKeyring({ keyNamespace: 'escrow', keyName: '2026', padding: 'oaep-sha256', publicKey })],
});
const secret = new TextEncoder().encode('DATABASE_PASSWORD=correct horse battery staple\n');
await writeFile(file, (await encrypt(secret, { keyring: writer, encryptionContext })).ciphertext);

// Review: which keys can open it, without any key. `frameseal inspect` shows the same.
const { encryptedDataKeys } = parseHeader(await readFile(file));
assert.equal(encryptedDataKeys.length, 3);

// Where the program starts: a role that may use one of the keys, and nothing written to the disk.
const reader = awsKmsKeyring({ keyIds: [west], clientSupplier });
const options = { keyring: reader, encryptionContext, maxEncryptedDataKeys: 5 };
const { plaintext } = await decrypt(await readFile(file), options);
assert.deepEqual(plaintext, secret);

// A file that was renamed to pass for another one is refused.
const renamed = { ...options, encryptionContext: { ...encryptionContext, file: 'staging.env' } };
await assert.rejects(decrypt(await readFile(file), renamed), { code: 'CONTEXT_MISMATCH' });

await rm(repository, { recursive: true });
await kms.close();
console.log(`a secret under ${encryptedDataKeys.length} keys, bound to its name`);
