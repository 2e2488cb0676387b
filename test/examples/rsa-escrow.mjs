// An escrow key: whoever encrypts has its public half only, and the private half lies in a safe. It opens every message
// without KMS, without a network, and with any implementation of the format.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { decrypt, encrypt, multiKeyring, parseHeader, rawRsaKeyring } from 'frameseal';
import { awsKmsKeyring } from 'frameseal/aws-kms';
import { startLocalKms } from 'frameseal/local-kms';

const kms = await startLocalKms({ regions: ['us-east-1'] });
const { arn } = await kms.createKey({ region: 'us-east-1' });

// Made once, on a machine that is offline: `frameseal keygen rsa` does the same.
const { publicKey, privateKey } = generateKeyPairSync('rsa', {
  modulusLength: 3072,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
});
const escrow = { keyNamespace: 'escrow', keyName: '2026', padding: 'oaep-sha256' };

// Every day: KMS generates, and the escrow key wraps the same data key.
const writer = multiKeyring({
  generator: awsKmsKeyring({ generatorKeyId: arn, clientSupplier: kms.clientSupplier }),
  children: [rawRsaKeyring({ ...escrow, publicKey })],
});
const plaintext = new TextEncoder().encode('the books of 2026');
const { ciphertext } = await encrypt(plaintext, { keyring: writer });

// The message names its keys, so that any SDK knows which one to ask for.
const names = parseHeader(ciphertext).encryptedDataKeys.map(({ providerId }) => providerId);
assert.deepEqual(names, ['aws-kms', 'escrow']);

// The day the account is gone.
await kms.close();
const holder = rawRsaKeyring({ ...escrow, privateKey });
const opened = await decrypt(ciphertext, { keyring: holder });
assert.deepEqual(opened.plaintext, plaintext);

console.log('opened by the escrow key, with no KMS at all');
