// A file of any length, in a few hundred KiB of memory: from file to file, and through Web Streams.

import assert from 'node:assert/strict';
import { createReadStream } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { decryptStream, rawAesKeyring } from 'frameseal';
import { decryptFile, encryptFile, fileTarget } from 'frameseal/node';

const folder = await mkdtemp(join(tmpdir(), 'frameseal-'));
const [original, message, copy, other] = ['books.csv', 'books.csv.fseal', 'copy.csv', 'other.csv'].map(
  (name) => join(folder, name),
);
await writeFile(original, 'date,amount\n'.repeat(500_000));

// A raw key. In your program it comes from a secret store, not from the program text.
const wrappingKey = crypto.getRandomValues(new Uint8Array(32));
const keyring = rawAesKeyring({ keyNamespace: 'example', keyName: 'books', wrappingKey });

// The target appears under its name when all of it is on the disk, or not at all.
const { bytesRead, bytesWritten } = await encryptFile(original, message, { keyring });
await decryptFile(message, copy, { keyring });
assert.deepEqual(await readFile(copy), await readFile(original));

// The same with any source and target of bytes: an upload, a download, another process.
const plaintext = Readable.toWeb(createReadStream(message)).pipeThrough(decryptStream({ keyring }));
await plaintext.pipeTo(await fileTarget(other));
assert.deepEqual(await readFile(other), await readFile(original));

await rm(folder, { recursive: true });
console.log(`streamed ${bytesRead} bytes into a message of ${bytesWritten}, and back twice`);
