import { createHash, createHmac } from 'node:crypto';
import { type IncomingHttpHeaders, request } from 'node:http';
import { EncryptCommand, GenerateRandomCommand, type KMSClient, ListKeysCommand } from '@aws-sdk/client-kms';
import { describe, expect, test } from 'vitest';
import type { LocalKms } from '../../src/local-kms/index.ts';
import { clientOf, EAST, failureOf, sharedClient, start, WEST } from './helpers.ts';

const MISMATCH =
  'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.';

const random = (client: KMSClient) => client.send(new GenerateRandomCommand({ NumberOfBytes: 8 }));

interface RawAnswer {
  status: number;
  headers: IncomingHttpHeaders;
  body: string;
}

/** A request that the SDK would not send. */
function raw(
  url: string,
  headers: Record<string, string>,
  body: string | Uint8Array = '{}',
  options: { method?: string; path?: string } = {},
): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', headers, agent: false, ...options }, (answer) => {
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('end', () => {
        const text = Buffer.concat(chunks).toString();
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text });
      });
    });
    sent.on('error', reject).end(body);
  });
}

/** Signature Version 4, written down a second time. */
function signed(
  kms: LocalKms,
  body: string | Uint8Array,
  change: { target?: string; service?: string; signedHeaders?: string; extra?: Record<string, string> } = {},
): Record<string, string> {
  const date = new Date().toISOString().replace(/[-:]|\.\d+/g, '');
  const scope = `${date.slice(0, 8)}/${EAST}/${change.service ?? 'kms'}/aws4_request`;
  const headers: Record<string, string> = {
    'content-type': 'application/x-amz-json-1.1',
    host: new URL(kms.endpoint).host,
    'x-amz-date': date,
    'x-amz-target': change.target ?? 'TrentService.ListKeys',
    ...change.extra,
  };
  const names = change.signedHeaders ?? 'content-type;host;x-amz-date;x-amz-target';
  const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest('hex');
  const lines = names.split(';').map((name) => `${name}:${headers[name]}\n`);
  const canonical = `POST\n/\n\n${lines.join('')}\n${names}\n${sha256(body)}`;
  let key: Buffer = Buffer.from(`AWS4${kms.credentials.secretAccessKey}`);
  for (const part of scope.split('/')) key = createHmac('sha256', key).update(part).digest();
  const signature = createHmac('sha256', key)
    .update(`AWS4-HMAC-SHA256\n${date}\n${scope}\n${sha256(canonical)}`)
    .digest('hex');
  const credential = `Credential=${kms.credentials.accessKeyId}/${scope}`;
  const authorization = `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names}, Signature=${signature}`;
  return { ...headers, authorization };
}

const parsed = (answer: RawAnswer) => ({ status: answer.status, ...JSON.parse(answer.body) });

describe('Signature Version 4', () => {
  test('one endpoint serves every region by the scope of the signature', async () => {
    const kms = await start();
    await kms.createKey({ region: WEST });
    const [east, west] = [sharedClient(kms), sharedClient(kms, { region: WEST })];
    expect((await east.send(new ListKeysCommand({}))).Keys).toHaveLength(0);
    expect((await west.send(new ListKeysCommand({}))).Keys).toHaveLength(1);
    expect(kms.requests.map(({ region }) => region)).toEqual([EAST, WEST]);
  });

  test('a body changed after signing', async () => {
    const kms = await start();
    const client = await clientOf(kms);
    client.middlewareStack.add(
      (next) => (args) => {
        const { request: message } = args as { request: { body: Uint8Array } };
        message.body = Buffer.from(Buffer.from(message.body).toString().replace('8', '9'));
        return next(args);
      },
      { step: 'deserialize' },
    );
    expect(await failureOf(random(client))).toEqual({
      name: 'InvalidSignatureException',
      message: MISMATCH,
      status: 400,
    });
  });

  test('a wrong secret, and an unknown access key', async () => {
    const kms = await start();
    const wrong = { ...kms.credentials, secretAccessKey: 'other' };
    expect(await failureOf(random(sharedClient(kms, { credentials: wrong })))).toMatchObject({
      name: 'InvalidSignatureException',
      message: MISMATCH,
    });
    const unknown = { ...kms.credentials, accessKeyId: 'AKIDOTHER' };
    expect(await failureOf(random(sharedClient(kms, { credentials: unknown })))).toEqual({
      name: 'UnrecognizedClientException',
      message: 'The security token included in the request is invalid.',
      status: 400,
    });
  });

  test('a region that is not served, there or on a port of its own', async () => {
    const kms = await start();
    expect(await failureOf(random(sharedClient(kms, { region: 'eu-west-1' })))).toMatchObject({
      name: 'InvalidSignatureException',
      message: "Credential should be scoped to a valid region, not 'eu-west-1'. ",
    });
    const wrongPort = sharedClient(kms, { endpoint: kms.regionEndpoint(WEST) });
    expect((await failureOf(random(wrongPort))).message).toContain("not 'us-east-1'");
  });

  test.each([
    [6, 'Signature expired:'],
    [-6, 'Signature not yet current:'],
  ])('a clock %i minutes ahead of the client', async (minutes, message) => {
    const kms = await start({ now: () => Date.now() + minutes * 60_000 });
    const failure = await failureOf(random(await clientOf(kms)));
    expect(failure.name).toBe('InvalidSignatureException');
    expect(failure.message).toContain(message);
    const correcting = sharedClient(kms, { maxAttempts: 2 });
    expect((await random(correcting)).Plaintext).toHaveLength(8);
    expect(kms.requests.at(-1)?.attempt).toBe(2);
  });

  test('four minutes are no skew', async () => {
    const kms = await start({ now: () => Date.now() + 240_000 });
    expect((await random(await clientOf(kms))).Plaintext).toHaveLength(8);
  });

  test('no signature, or half of one', async () => {
    const kms = await start();
    const { authorization = '', ...unsigned } = signed(kms, '{}');
    expect(parsed(await raw(kms.endpoint, unsigned))).toEqual({
      status: 400,
      __type: 'MissingAuthenticationTokenException',
      message: 'Missing Authentication Token',
    });
    for (const part of ['Credential', 'SignedHeaders', 'Signature']) {
      const cut = { ...unsigned, authorization: authorization.replace(`${part}=`, 'Other=') };
      expect(parsed(await raw(kms.endpoint, cut))).toEqual({
        status: 400,
        __type: 'IncompleteSignatureException',
        message: `Authorization header requires '${part}' parameter.`,
      });
    }
    const { 'x-amz-date': _, ...undated } = signed(kms, '{}');
    expect(parsed(await raw(kms.endpoint, undated)).__type).toBe('IncompleteSignatureException');
    const basic = { ...unsigned, authorization: 'Basic eDp5' };
    expect(parsed(await raw(kms.endpoint, basic)).__type).toBe('IncompleteSignatureException');
  });

  test('another service, and headers left out of the signature', async () => {
    const kms = await start();
    expect(parsed(await raw(kms.endpoint, signed(kms, '{}')))).toMatchObject({ status: 200, Keys: [] });
    const s3 = await raw(kms.endpoint, signed(kms, '{}', { service: 's3' }));
    expect(parsed(s3)).toMatchObject({
      __type: 'InvalidSignatureException',
      message: "Credential should be scoped to correct service: 'kms'. ",
    });
    const noHost = signed(kms, '{}', { signedHeaders: 'x-amz-date;x-amz-target' });
    expect(parsed(await raw(kms.endpoint, noHost)).message).toContain("'Host'");
    const noTarget = signed(kms, '{}', { signedHeaders: 'host;x-amz-date' });
    expect(parsed(await raw(kms.endpoint, noTarget)).message).toContain("'x-amz-target'");
    const exchanged = { ...signed(kms, '{}'), 'x-amz-target': 'TrentService.ListAliases' };
    expect(parsed(await raw(kms.endpoint, exchanged)).message).toBe(MISMATCH);
  });
});

describe('the protocol', () => {
  test.each([
    ['TrentService.NoSuchOperation', '{}', 'UnknownOperationException'],
    ['OtherService.ListKeys', '{}', 'UnknownOperationException'],
    ['TrentService.constructor', '{}', 'UnknownOperationException'],
    ['TrentService.ListKeys', '{', 'SerializationException'],
    ['TrentService.ListKeys', '[]', 'SerializationException'],
    ['TrentService.ListKeys', '', 'SerializationException'],
    ['TrentService.ListKeys', new Uint8Array([0x22, 0xff, 0x22]), 'SerializationException'],
    ['TrentService.ListKeys', '{"Limit":"2"}', 'SerializationException'],
    ['TrentService.ListKeys', '{"Limit":1001}', 'ValidationException'],
    ['TrentService.DescribeKey', '{}', 'ValidationException'],
    ['TrentService.DescribeKey', '{"KeyId":null}', 'ValidationException'],
    ['TrentService.DescribeKey', '{"KeyId":1}', 'SerializationException'],
    ['TrentService.Decrypt', '{"CiphertextBlob":"*"}', 'SerializationException'],
    ['TrentService.Encrypt', '{"Plaintext":"AA==","EncryptionContext":{"a":1}}', 'SerializationException'],
    ['TrentService.Encrypt', '{"Plaintext":"AA==","GrantTokens":[1]}', 'SerializationException'],
  ])('%s with body %s is a %s', async (target, body, name) => {
    const kms = await start();
    const answer = await raw(kms.endpoint, signed(kms, body, { target }), body);
    expect(parsed(answer)).toMatchObject({ status: 400, __type: name });
    expect(kms.requests.at(-1)?.outcome).toBe(name);
  });

  test('other paths, methods and content types', async () => {
    const kms = await start();
    const headers = signed(kms, '{}');
    expect((await raw(kms.endpoint, headers, '{}', { path: '/x' })).status).toBe(404);
    expect((await raw(kms.endpoint, headers, '{}', { method: 'PUT' })).status).toBe(404);
    const text = await raw(kms.endpoint, { ...headers, 'content-type': 'text/plain' });
    expect(parsed(text).__type).toBe('UnknownOperationException');
  });

  test('a body of more than 64 KiB, and headers of more than 16 KiB', async () => {
    const kms = await start();
    const large = new EncryptCommand({ KeyId: 'alias/x', Plaintext: new Uint8Array(300_000) });
    expect(await failureOf((await clientOf(kms)).send(large))).toMatchObject({
      name: 'RequestEntityTooLargeException',
      status: 413,
    });
    expect((await random(await clientOf(kms))).Plaintext).toHaveLength(8);
    const wide = { ...signed(kms, '{}'), 'x-filler': 'x'.repeat(17_000) };
    expect((await raw(kms.endpoint, wide)).status).toBe(431);
  });

  test('answers have a request id, a date, and no CORS header', async () => {
    const kms = await start();
    const origin = { ...signed(kms, '{}'), origin: 'http://evil.example' };
    const { headers } = await raw(kms.endpoint, origin);
    expect(headers['content-type']).toBe('application/x-amz-json-1.1');
    expect(headers['x-amzn-requestid']).toMatch(/^[0-9a-f-]{36}$/);
    expect(Math.abs(Date.parse(headers.date as string) - Date.now())).toBeLessThan(2000);
    expect(Object.keys(headers).filter((name) => name.startsWith('access-control'))).toEqual([]);
  });
});

describe('who may call', () => {
  test.each(['evil.example:80', 'localhost', '127.0.0.1', '127.0.0.1.evil.example:80', 'evil.example'])(
    'Host %s is refused',
    async (host) => {
      const kms = await start();
      const answer = await raw(kms.endpoint, { ...signed(kms, '{}'), host });
      expect(answer.status).toBe(403);
      expect(kms.requests).toHaveLength(0);
    },
  );

  test.each(['127.0.0.1:8080', 'localhost:8080', 'LOCALHOST:1', '[::1]:8080'])(
    'Host %s is taken',
    async (host) => {
      const kms = await start();
      const answer = await raw(kms.endpoint, signed(kms, '{}', { extra: { host } }));
      expect(answer.status).toBe(200);
    },
  );

  test('binds the loopback address only', async () => {
    const kms = await start();
    for (const url of [kms.endpoint, kms.regionEndpoint(EAST), kms.regionEndpoint(WEST)]) {
      expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/);
    }
  });

  test('CORS for the origins asked for, and for no other', async () => {
    const kms = await start({ cors: ['http://localhost:5173'] });
    const preflight = (origin: string) =>
      raw(
        kms.endpoint,
        {
          origin,
          'access-control-request-method': 'POST',
          'access-control-request-headers': 'authorization,x-amz-target',
        },
        '',
        { method: 'OPTIONS' },
      );
    const allowed = await preflight('http://localhost:5173');
    expect(allowed.status).toBe(204);
    expect(allowed.headers).toMatchObject({
      'access-control-allow-origin': 'http://localhost:5173',
      'access-control-allow-headers': 'authorization,x-amz-target',
      vary: 'origin',
    });
    const refused = await preflight('http://evil.example');
    expect(refused.status).toBe(404);
    expect(refused.headers).not.toHaveProperty('access-control-allow-origin');
    const post = { ...signed(kms, '{}'), origin: 'http://localhost:5173' };
    expect((await raw(kms.endpoint, post)).headers['access-control-allow-origin']).toBe(
      'http://localhost:5173',
    );
  });
});
