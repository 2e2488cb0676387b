// The main job, end to end: files under KMS keys in three regions and an RSA escrow key, opened where a region is down
// and where there is no KMS at all. Files are streamed: memory does not grow with their length. `npm start` runs it on the
// embedded local KMS: no account, no network.

import { createHash, generateKeyPairSync, randomFillSync } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { multiKeyring, rawRsaKeyring } from 'frameseal';
import { awsKmsKeyring } from 'frameseal/aws-kms';
import { startLocalKms } from 'frameseal/local-kms';
import { decryptFile, encryptFile } from 'frameseal/node';
import { fail, progressBar, table } from './terminal.mjs';

const REGIONS = ['us-east-1', 'us-west-2', 'eu-west-1'];
const MIB = 2 ** 20;

// The AWS SDK's note on the Node versions that it will need would run through the progress bars.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const kms = await startLocalKms({ regions: REGIONS });
const folder = await mkdtemp(join(tmpdir(), 'frameseal-'));
try {
  await main();
} finally {
  await kms.close();
  await rm(folder, { recursive: true });
}

async function main() {
  console.log(`frameseal: one message, ${REGIONS.length} regions, an escrow key\n`);

  // Keys: one in each region, and an RSA pair whose private half would lie in a safe.
  const arns = [];
  for (const region of REGIONS) arns.push((await kms.createKey({ region, alias: 'alias/orders' })).arn);
  const escrow = generateKeyPairSync('rsa', {
    modulusLength: 3072,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });

  // Who encrypts: a KMS keyring over all regions, and the escrow key's public half.
  const { clientSupplier } = kms;
  const escrowName = { keyNamespace: 'escrow', keyName: '2026', padding: 'oaep-sha256' };
  const writer = multiKeyring({
    generator: awsKmsKeyring({ generatorKeyId: arns[0], keyIds: arns.slice(1), clientSupplier }),
    children: [rawRsaKeyring({ ...escrowName, publicKey: escrow.publicKey })],
  });

  // Who decrypts: a service in eu-west-1, which would rather ask us-east-1; and the holder of the escrow key.
  const service = awsKmsKeyring({ keyIds: [arns[0], arns[2]], clientSupplier });
  const holder = rawRsaKeyring({ ...escrowName, privateKey: escrow.privateKey });

  const encryptionContext = { purpose: 'backup', tenant: 'acme' };
  const generated = join(folder, 'generated.bin');
  await writeFile(generated, randomFillSync(Buffer.alloc(64 * MIB)));
  const files = [fileURLToPath(new URL('../../README.md', import.meta.url)), generated];

  const rows = [];
  for (const file of files) {
    const { size } = await stat(file);
    const options = { keyring: writer, encryptionContext, frameLength: 65_536 };
    const { header, bytesRead, bytesWritten } = await measured(
      rows,
      `encrypt ${basename(file)}`,
      size,
      (onProgress) => encryptFile(file, messageOf(folder, file), { ...options, onProgress }),
    );
    rows.at(-1).push(`${bytesWritten - bytesRead} B`, String(header.encryptedDataKeys.length));
  }

  kms.setFault('us-east-1', { kind: 'down' });
  console.log('\n  us-east-1 is down from here on.\n');

  for (const file of files) {
    const message = messageOf(folder, file);
    const { size } = await stat(message);
    const expected = await sha256(file);
    for (const [who, keyring] of Object.entries({ 'by KMS': service, 'by the escrow key': holder })) {
      const copy = join(folder, 'decrypted');
      await measured(rows, `decrypt ${basename(file)} ${who}`, size, (onProgress) =>
        decryptFile(message, copy, { keyring, encryptionContext, onProgress }),
      );
      if ((await sha256(copy)) !== expected) fail(`${file} ${who}: the SHA-256 differs from the original's`);
      rows.at(-1).push('', '');
    }
  }

  console.log(`\n${table(['what', 'bytes', 'KMS calls', 'ms', 'MB/s', 'overhead', 'EDKs'], rows)}`);
  console.log(`
  Every plaintext came back with the SHA-256 it had. EDKs are encrypted data keys: 3 by KMS, 1 by RSA.
  ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB of memory at most, whatever the length of the files.

  Next
    README.md              ten lines to start from
    src/encrypt-stream.ts  the protocol from top to bottom
    SECURITY.md            what is promised, and what is not
    npm test               the tests`);
}

// Runs one step under a progress bar and adds its row; KMS calls are those that the local KMS has logged since.
async function measured(rows, what, bytes, work) {
  const bar = progressBar(what, bytes);
  const before = kms.requests.length;
  const started = performance.now();
  const result = await work((progress) => bar.show(progress.bytes));
  const ms = performance.now() - started;
  bar.done();
  const regions = kms.requests.slice(before).map(({ region }) => region);
  const calls = regions.length > 0 ? `${regions.length} (${regions.join(', ')})` : 'none';
  rows.push([what, String(bytes), calls, ms.toFixed(0), bytes >= MIB ? (bytes / 1000 / ms).toFixed(0) : '']);
  return result;
}

function messageOf(folder, file) {
  return join(folder, `${basename(file)}.esdk`);
}

async function sha256(file) {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
