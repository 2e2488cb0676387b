/**
 * The example of a rotation in S3, on a bucket in memory: ETags, conflicts, pages, failures, and what is kept of an object.
 */
import { beforeEach, expect, it, vi } from 'vitest';
import { decrypt, encrypt, type JournalEntry, type RotateOptions, rotateMessages } from '../../src/index.ts';
import { aesKeyring, bytes } from '../support/messages.ts';
import { s3Messages } from './rotate-s3.mjs';

vi.mock('frameseal', () => import('../../src/index.ts'));

const from = aesKeyring(1);
const to = aesKeyring(2);

type Input = Readonly<Record<string, unknown>> & { readonly Key: string };

class Command {
  readonly input: Input;
  constructor(input: Input) {
    this.input = input;
  }
}
const s3 = {
  ListObjectsV2Command: class ListObjectsV2 extends Command {},
  GetObjectCommand: class GetObject extends Command {},
  PutObjectCommand: class PutObject extends Command {},
};

interface S3Object {
  readonly content: Uint8Array;
  readonly version: number;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** A bucket, and as much of a client as the example needs. */
class FakeS3 {
  readonly objects = new Map<string, S3Object>();
  readonly requests: string[] = [];
  /** Called with each operation before it is done, and with `after …` when it is done and not yet answered. */
  onRequest: (request: string) => unknown = () => {};

  async send(command: Command, { abortSignal }: { abortSignal?: AbortSignal } = {}): Promise<unknown> {
    const { input } = command;
    const request = [command.constructor.name, input.Key].filter(Boolean).join(' ');
    this.requests.push(request);
    await this.onRequest(request);
    if (abortSignal?.aborted) throw s3Error('AbortError');
    const answer = this.#answer(command.constructor.name, input);
    await this.onRequest(`after ${request}`);
    return answer;
  }

  put(Key: string, content: Uint8Array, fields: S3Object['fields'] = {}): void {
    this.objects.set(Key, { content, fields, version: (this.objects.get(Key)?.version ?? 0) + 1 });
  }

  #answer(operation: string, input: Input): unknown {
    if (operation === 'ListObjectsV2') return this.#list(input);
    const object = this.objects.get(input.Key);
    if (object === undefined) throw s3Error('NoSuchKey', 404);
    const ETag = `"${object.version}"`;
    if (operation === 'GetObject') {
      const content = object.content.slice();
      return {
        Body: { transformToWebStream: () => new Blob([content]).stream() },
        ETag,
        ...object.fields,
      };
    }
    if (input.IfMatch !== ETag) throw s3Error('PreconditionFailed', 412);
    const { Body, ContentLength, IfMatch, Bucket, Key, ...fields } = input;
    expect((Body as Uint8Array).length).toBe(ContentLength);
    this.put(Key, Body as Uint8Array, JSON.parse(JSON.stringify(fields)));
    return {};
  }

  // Three keys a page.
  #list({ Prefix = '', ContinuationToken }: Input): unknown {
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(String(Prefix))).sort();
    const start = Number(ContinuationToken ?? 0);
    const Contents = keys
      .slice(start, start + 3)
      .map((Key) => ({ Key, Size: this.objects.get(Key)!.content.length }));
    const IsTruncated = start + 3 < keys.length;
    return { Contents, IsTruncated, ...(IsTruncated && { NextContinuationToken: String(start + 3) }) };
  }
}

const s3Error = (name: string, httpStatusCode?: number) =>
  Object.assign(new Error(name), { name, $metadata: { httpStatusCode } });

const COUNT = 11;
const keyOf = (i: number) => `in/${String(i).padStart(2, '0')}`;
let client: FakeS3;
beforeEach(async () => {
  client = new FakeS3();
  for (let i = 0; i < COUNT; i++) {
    const { ciphertext } = await encrypt(bytes(i * 1000), { keyring: from, algorithmSuite: 0x0478 });
    client.put(keyOf(i), ciphertext);
  }
  client.put('in/folder/', new Uint8Array(0));
  client.put('out/other', bytes(10));
});

async function rotate(options: Partial<RotateOptions> = {}, settings: object = {}) {
  const objects = s3Messages({ s3, client, bucket: 'backups', prefix: 'in/', ...settings });
  return rotateMessages(objects, { keyring: from, to, ...options });
}

async function expectRotated() {
  for (let i = 0; i < COUNT; i++) {
    const { plaintext } = await decrypt(client.objects.get(keyOf(i))!.content, { keyring: to });
    expect(plaintext).toEqual(bytes(i * 1000));
  }
}

const memoryJournal = (entries: JournalEntry[] = []) => ({
  entries: () => [...entries],
  append: async (entry: JournalEntry) => void entries.push(entry),
});

it('rotates what is under the prefix, page by page, and nothing else', async () => {
  expect(await rotate()).toMatchObject({ objects: COUNT, rewrapped: COUNT, failed: 0 });
  await expectRotated();
  expect(client.objects.get('out/other')).toMatchObject({ version: 1 });
  const lists = client.requests.filter((request) => request === 'ListObjectsV2');
  expect(lists).toHaveLength(4);
});

it('keeps what PutObject can keep, and refuses an object that would lose something', async () => {
  const { content } = client.objects.get(keyOf(0))!;
  const fields = { ContentType: 'text/csv', Metadata: { owner: 'books' }, StorageClass: 'STANDARD_IA' };
  client.put(keyOf(0), content, fields);
  client.put(keyOf(1), content, { TagCount: 2 });
  client.put(keyOf(2), content, { ObjectLockMode: 'GOVERNANCE' });
  client.put(keyOf(3), content, { ETag: undefined });
  const report = await rotate();
  expect(client.objects.get(keyOf(0))!.fields).toEqual(fields);
  expect(report.failures.map(({ error }) => (error as Error).message).sort()).toEqual([
    'in/01: it has 2 tags, which would be lost: copy them too',
    'in/02: it is locked (GOVERNANCE), and its old version would stay',
    'in/03: no ETag to hold the object by',
  ]);
});

it('a conflict is the failure of that object: the other writer wins', async () => {
  const newer = (await encrypt(bytes(5), { keyring: from })).ciphertext;
  client.onRequest = (request) => {
    if (request === `PutObject ${keyOf(3)}`) client.put(keyOf(3), newer);
  };
  const report = await rotate();
  expect(report).toMatchObject({ rewrapped: COUNT - 1, failed: 1 });
  expect(report.failures).toMatchObject([{ name: keyOf(3), error: { name: 'PreconditionFailed' } }]);
  expect(client.objects.get(keyOf(3))).toMatchObject({ content: newer, version: 2 });
});

it('failures of any request are told, and the next run with the journal makes them good', async () => {
  const journal = memoryJournal();
  let requests = 0;
  client.onRequest = (request) => {
    if (request.includes('Object ') && ++requests % 5 === 0) throw s3Error('SlowDown', 503);
  };
  const first = await rotate({ journal });
  expect(first.failed).toBeGreaterThan(3);
  for (const { error } of first.failures) expect(error).toMatchObject({ name: 'SlowDown' });
  client.onRequest = () => {};
  const second = await rotate({ journal });
  expect(second).toMatchObject({ failed: 0, completed: true });
  expect(second.doneBefore + second.rewrapped).toBe(COUNT);
  await expectRotated();
  // What was put, and whose answer was lost, has not been put again.
  for (let i = 0; i < COUNT; i++) expect(client.objects.get(keyOf(i))!.version).toBe(2);
});

it('a listing that fails ends the run', async () => {
  client.onRequest = () => {
    if (client.requests.filter((request) => request === 'ListObjectsV2').length === 3)
      throw s3Error('AccessDenied', 403);
  };
  await expect(rotate()).rejects.toMatchObject({ name: 'AccessDenied' });
});

it('an object that is too large for memory fails, and stays', async () => {
  const report = await rotate({}, { maxBytes: 5000 });
  expect(report.failed).toBeGreaterThan(5);
  expect((report.failures[0]!.error as Error).message).toMatch(/more than 5000 bytes: upload it in parts/);
});

it('a dry run only lists and gets', async () => {
  expect(await rotate({ dryRun: true })).toMatchObject({ wouldRewrap: COUNT, failed: 0 });
  expect(new Set(client.requests.map((request) => request.split(' ')[0]))).toEqual(
    new Set(['ListObjectsV2', 'GetObject']),
  );
});

it('its signal reaches every request', async () => {
  const controller = new AbortController();
  client.onRequest = (request) => {
    if (request === `PutObject ${keyOf(2)}`) controller.abort('enough');
  };
  await expect(rotate({ signal: controller.signal, concurrency: 1 })).rejects.toMatchObject({
    code: 'ABORTED',
    cause: 'enough',
  });
  expect(client.objects.get(keyOf(2))).toMatchObject({ version: 1 });
});
