// A folder of messages from an old key to a new one. Each is verified, written anew under a new data key, and replaced when
// the new one is on the disk. A journal lets a run that was stopped go on.

import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { encrypt, rotateMessages } from 'frameseal';
import { awsKmsKeyring } from 'frameseal/aws-kms';
import { startLocalKms } from 'frameseal/local-kms';
import { decryptFile, fileJournal, folderMessages } from 'frameseal/node';

const kms = await startLocalKms({ regions: ['us-east-1'] });
const { clientSupplier } = kms;
const [oldKey, newKey] = await Promise.all(
  ['old', 'new'].map(async () => (await kms.createKey({ region: 'us-east-1' })).arn),
);
const keyring = awsKmsKeyring({ generatorKeyId: oldKey, clientSupplier });
const to = awsKmsKeyring({ generatorKeyId: newKey, clientSupplier });

const folder = await mkdtemp(join(tmpdir(), 'frameseal-'));
const archive = join(folder, 'archive');
await mkdir(archive);
for (let i = 0; i < 20; i++) {
  const { ciphertext } = await encrypt(new TextEncoder().encode(`page ${i}`), { keyring });
  await writeFile(join(archive, `page-${i}.fseal`), ciphertext);
}

// First what would happen: headers are opened, nothing is written.
const dry = await rotateMessages(folderMessages(archive), { keyring, to, dryRun: true });
assert.equal(dry.failed, 0);

const journal = await fileJournal(join(folder, 'rotation.log'));
const report = await rotateMessages(folderMessages(archive), { keyring, to, journal, concurrency: 4 });
await journal[Symbol.asyncDispose]();
assert.equal(report.rewrapped, 20);
assert.equal(report.failed, 0);

// Now the old key can go.
const page = await decryptFile(join(archive, 'page-7.fseal'), join(folder, 'page'), { keyring: to });
assert.equal(page.header.encryptedDataKeys.length, 1);

await rm(folder, { recursive: true });
await kms.close();
console.log(`rotated ${report.rewrapped} messages, ${report.failed} failed`);
