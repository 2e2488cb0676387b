/**
 * The examples of ranges: each does what it says, and refuses what it must. They import the built package; here its source
 * stands in for it.
 */
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { decryptRange, encrypt } from '../../src/index.ts';
import { aesKeyring, bytes, failure } from '../support/messages.ts';
import { httpSource, main, startServer } from './range-http.mjs';
import { readRange, s3Source } from './range-s3.mjs';

vi.mock('frameseal', () => import('../../src/index.ts'));

const keyring = aesKeyring();
const plaintext = bytes(300_000);
const range = { keyring, start: 123_456, end: 125_000 };
const expected = plaintext.slice(range.start, range.end);
const seal = async () =>
  (await encrypt(plaintext, { keyring, frameLength: 1000, algorithmSuite: 0x0478 })).ciphertext;
const message = await seal();
const other = await seal();

describe('range-http.mjs', () => {
  async function served(listener: RequestListener) {
    const server = createServer(listener);
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    onTestFinished(() => server.close().closeAllConnections());
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/object`;
  }

  async function example() {
    const server = await startServer(message);
    onTestFinished(() => server.close());
    return server;
  }

  /** The server of the example, whose answers are changed after the first `good` ones. */
  async function changed(good: number, change: (answer: Response) => Response) {
    const server = await example();
    let requests = 0;
    return served(async ({ headers }, response) => {
      const asked = Object.entries(headers).filter(([name]) => ['range', 'if-match'].includes(name));
      const answer = await fetch(server.url, { headers: asked as [string, string][] });
      const { status, headers: sent, body } = requests++ < good ? answer : change(answer);
      const content = body === null ? new ArrayBuffer(0) : await new Response(body).arrayBuffer();
      const names = ['etag', 'content-range'].filter((name) => sent.has(name));
      response.writeHead(
        status,
        names.map((name) => [name, sent.get(name)!] as const),
      );
      response.end(new Uint8Array(content));
    });
  }

  const altered = (answer: Response, status: number, headers: Record<string, string | undefined>) => {
    const copied = new Headers(answer.headers);
    for (const [name, value] of Object.entries(headers)) {
      if (value === undefined) copied.delete(name);
      else copied.set(name, value);
    }
    return new Response(answer.body, { status, headers: copied });
  };

  it('is a program that shows what was read, and that a replaced object is refused', async () => {
    const lines: string[] = [];
    await main((line: string) => lines.push(line));
    expect(lines).toEqual([
      'bytes 10000000 to 10100000 of 16777216, each from an authentic frame',
      expect.stringMatching(/^ {2}3 requests, \d{6} of 16785\d{3} bytes$/),
      expect.stringMatching(/^the same once the object has been replaced\n {2}http:.*the object changed/),
    ]);
  });

  it('reads the header and the frames, and pins the ETag in every request but the first', async () => {
    const server = await example();
    const source = await httpSource(server.url);
    expect(source.size).toBe(message.length);
    expect((await decryptRange(source, range)).plaintext).toEqual(expected);
    expect(server.requests.map(({ status }: { status: number }) => status)).toEqual([206, 206, 206]);
    expect(server.sent()).toBeLessThan(1 + 4096 + 3 * 1032 + 40);
  });

  it('fails when the object is replaced: before the first read, and between two', async () => {
    const server = await example();
    const source = await httpSource(server.url);
    server.replace(other);
    await expect(decryptRange(source, range)).rejects.toThrow('the object changed, it is no longer "1"');
    let reads = 0;
    const again = await httpSource(server.url);
    const read = (start: number, end: number) => {
      if (reads++ === 1) server.replace(message);
      return again.read(start, end);
    };
    await expect(decryptRange({ size: again.size, read }, range)).rejects.toThrow('no longer "2"');
    expect(reads).toBe(2);
    expect((await decryptRange(await httpSource(server.url), range)).plaintext).toEqual(expected);
  });

  it.each([
    ['another ETag although it answers', 206, { etag: '"9"' }, 'the object changed'],
    ['the whole object', 200, {}, 'expected status 206, got 200'],
    ['no such object any more', 404, {}, 'expected status 206, got 404'],
    ['another range', 206, { 'content-range': 'bytes 0-4095/99' }, 'expected bytes'],
    ['no range', 206, { 'content-range': undefined }, 'expected bytes'],
  ] as const)('fails when a server answers with %s', async (_, status, headers, text) => {
    for (const good of [1, 2]) {
      const source = await httpSource(await changed(good, (answer) => altered(answer, status, headers)));
      await expect(decryptRange(source, range)).rejects.toThrow(text);
    }
  });

  it.each([
    ['ranges', 200, {}, 'no ranges, status 200'],
    ['a Content-Range', 206, { 'content-range': undefined }, 'no ranges'],
    ['an ETag', 206, { etag: undefined }, 'no strong ETag to pin, but null'],
    ['a strong ETag', 206, { etag: 'W/"1"' }, 'no strong ETag to pin, but W/"1"'],
  ] as const)('does not begin without %s', async (_, status, headers, text) => {
    const url = await changed(0, (answer) => altered(answer, status, headers));
    await expect(httpSource(url)).rejects.toThrow(text);
  });

  it('refuses an answer that is shorter than it says', async () => {
    const url = await changed(2, (answer) => new Response('short', { status: 206, headers: answer.headers }));
    const error = await failure(decryptRange(await httpSource(url), range));
    expect([error.code, error.message]).toEqual(['INVALID_ARGUMENT', expect.stringContaining('got 5 bytes')]);
  });

  it('stops with its signal', async () => {
    const controller = new AbortController();
    const { signal } = controller;
    let requests = 0;
    const server = await example();
    const url = await served(async ({ headers }, response) => {
      if (++requests === 2) return controller.abort('enough'); // and never answers
      const answer = await fetch(server.url, { headers: { range: headers.range! } });
      const sent = ['etag', 'content-range'].map((name) => [name, answer.headers.get(name)!] as const);
      response.writeHead(answer.status, sent).end(new Uint8Array(await answer.arrayBuffer()));
    });
    const error = await failure(decryptRange(await httpSource(url, { signal }), { ...range, signal }));
    expect([error.code, error.cause]).toEqual(['ABORTED', 'enough']);
  });
});

describe('range-s3.mjs', () => {
  interface Input {
    readonly Bucket: string;
    readonly Key: string;
    readonly Range: string;
    readonly IfMatch?: string;
    readonly VersionId?: string;
  }

  class GetObjectCommand {
    readonly input: Input;
    constructor(input: Input) {
      this.input = input;
    }
  }

  /** A bucket with one object, and as much of a client as GetObject needs. */
  class FakeS3 {
    readonly requests: Input[] = [];
    readonly signals: unknown[] = [];
    readonly versions: Uint8Array[] = [message];
    readonly #keepsVersions: boolean;

    constructor(keepsVersions: boolean) {
      this.#keepsVersions = keepsVersions;
    }

    async send({ input }: GetObjectCommand, { abortSignal }: { abortSignal?: AbortSignal } = {}) {
      this.requests.push(input);
      this.signals.push(abortSignal);
      const { VersionId, IfMatch, Range } = input;
      const version = VersionId === undefined ? this.versions.length : Number(VersionId);
      const object = this.versions[version - 1]!;
      if (IfMatch !== undefined && IfMatch !== `"etag-${version}"`) throw s3Error('PreconditionFailed', 412);
      const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(Range)!.map(Number) as [number, number, number];
      if (first >= object.length) throw s3Error('InvalidRange', 416);
      const content = object.slice(first, last + 1);
      return {
        Body: { transformToByteArray: async () => content },
        ContentRange: `bytes ${first}-${first + content.length - 1}/${object.length}`,
        ContentLength: content.length,
        ETag: `"etag-${version}"`,
        ...(this.#keepsVersions && { VersionId: String(version) }),
      };
    }
  }

  const s3Error = (name: string, httpStatusCode: number) =>
    Object.assign(new Error(name), { name, $metadata: { httpStatusCode } });
  const location = { Bucket: 'backups', Key: 'orders.esdk' };
  let plain: FakeS3;
  let versioned: FakeS3;
  beforeEach(() => {
    plain = new FakeS3(false);
    versioned = new FakeS3(true);
  });

  it('reads the header and the frames, and pins ETag and version in every request but the first', async () => {
    const { signal } = new AbortController();
    for (const client of [plain, versioned]) {
      const opened = await readRange({ client, GetObjectCommand, location, ...range, signal });
      expect(opened.plaintext).toEqual(expected);
      expect(client.requests).toHaveLength(3);
      expect(client.requests[0]).toEqual({ ...location, Range: 'bytes=0-0' });
      expect(client.requests[1]).toEqual({
        ...location,
        Range: 'bytes=0-4095',
        IfMatch: '"etag-1"',
        ...(client === versioned && { VersionId: '1' }),
      });
      expect(client.signals).toEqual([signal, signal, signal]);
    }
  });

  it('fails when the object is replaced, and reads the pinned version where versions are kept', async () => {
    const read = async (client: FakeS3) => {
      const source = await s3Source(client, GetObjectCommand, location);
      client.versions.push(other);
      return decryptRange(source, range);
    };
    await expect(read(plain)).rejects.toThrow(
      's3://backups/orders.esdk: the object changed, it is no longer "etag-1"',
    );
    expect((await read(versioned)).plaintext).toEqual(expected);
    const older = { ...location, VersionId: '1' };
    const opened = await readRange({ client: versioned, GetObjectCommand, location: older, ...range });
    expect(opened.plaintext).toEqual(expected);
    expect(versioned.requests.at(-3)).toEqual({ ...older, Range: 'bytes=0-0' });
  });

  it('gives other errors of the client as they are', async () => {
    const source = await s3Source(plain, GetObjectCommand, location);
    const denied = s3Error('AccessDenied', 403);
    plain.send = () => Promise.reject(denied);
    await expect(decryptRange(source, range)).rejects.toBe(denied);
  });

  it('fails when a store answers without what it needs, or with another range', async () => {
    const { send } = plain;
    for (const [change, text] of [
      [{ ETag: undefined }, 'no ETag or no ranges'],
      [{ ContentRange: undefined }, 'no ETag or no ranges'],
    ] as const) {
      plain.send = async (...inputs) => ({ ...(await send.apply(plain, inputs)), ...change }) as never;
      await expect(s3Source(plain, GetObjectCommand, location)).rejects.toThrow(text);
    }
    plain.send = send;
    const source = await s3Source(plain, GetObjectCommand, location);
    plain.send = async (...inputs) => ({
      ...(await send.apply(plain, inputs)),
      ContentRange: 'bytes 0-4095/5',
    });
    await expect(decryptRange(source, range)).rejects.toThrow('got bytes 0-4095/5');
  });
});
