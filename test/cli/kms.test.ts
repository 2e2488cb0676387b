import { execFileSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { foreignEndpoint } from '../../src/cli/endpoint.ts';
import { folder, frameseal, type Outcome } from './support.ts';

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

afterEach(() => void vi.unstubAllEnvs());

/** The command while it serves: what it has printed, and its end. */
async function serving(...argv: string[]): Promise<{ text: string; stop: () => Promise<Outcome> }> {
  const interrupt = new AbortController();
  const stdout = new PassThrough();
  const first = new Promise<string>((resolve) => stdout.once('data', (chunk) => resolve(String(chunk))));
  const call = frameseal(['local-kms', ...argv], { signal: interrupt.signal, stdout });
  onTestFinished(async () => {
    interrupt.abort('SIGINT');
    await call;
  });
  const text = await Promise.race([first, call.then(({ err }) => Promise.reject(new Error(err)))]);
  return {
    text,
    stop: () => {
      interrupt.abort('SIGINT');
      return call;
    },
  };
}

describe('local-kms', () => {
  it('prints an environment that a shell takes, with a key in each region', async () => {
    const { text, stop } = await serving('--region', 'us-east-1', '--region', 'eu-west-1');
    const script = `${text}\necho "$AWS_ENDPOINT_URL_KMS $AWS_REGION $FRAMESEAL_KEY_US_EAST_1 $FRAMESEAL_KEY_EU_WEST_1"`;
    const env = execFileSync('sh', ['-eu', '-c', script]).toString();
    expect(env).toMatch(
      /^http:\/\/127\.0\.0\.1:\d+ us-east-1 arn:aws:kms:us-east-1:000000000000:key\/\S+ arn:aws:kms:eu-west-1:000000000000:key\/\S+\n$/,
    );
    const { code, err } = await stop();
    expect(code).toBe(0);
    expect(err).toMatch(
      /^frameseal: local KMS on http:\/\/127\.0\.0\.1:\d+, no security boundary; Ctrl-C ends it\n$/,
    );
  });

  it('keeps the keys of its file, and makes those that are missing', async () => {
    const file = join(folder(), 'kms.json');
    const keys = async (...regions: string[]) => {
      const options = regions.flatMap((region) => ['--region', region]);
      const { text, stop } = await serving('--json', '--file', file, ...options);
      expect((await stop()).code).toBe(0);
      return JSON.parse(text).keys;
    };
    const [first] = await keys('us-east-1');
    expect(first.arn).toContain(':us-east-1:');
    const both = await keys('us-east-1', 'eu-west-1');
    expect(both).toEqual([first, { region: 'eu-west-1', arn: expect.stringContaining(':eu-west-1:') }]);
    expect(await keys('us-east-1', 'eu-west-1')).toEqual(both);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  });

  it('makes the same keys from the same seed', async () => {
    const run = async () => {
      const { text, stop } = await serving('--json', '--seed', 'golden');
      await stop();
      return JSON.parse(text).keys;
    };
    expect(await run()).toEqual(await run());
  });

  it('refuses production', async () => {
    vi.stubEnv('NODE_ENV', 'production');
    expect(await frameseal(['local-kms'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('NODE_ENV=production'),
    });
  });

  it('refuses a file that is none of its own', async () => {
    const file = join(folder(), 'x');
    writeFileSync(file, 'mine', { mode: 0o600 });
    expect(await frameseal(['local-kms', '--file', file])).toMatchObject({
      code: 2,
      err: expect.stringContaining('not a state file'),
    });
    expect(readFileSync(file, 'utf8')).toBe('mine');
  });
});

describe('with KMS keys', () => {
  it('encrypts under all, decrypts with each, and says where the calls go', async () => {
    const { text, stop } = await serving('--json', '--region', 'us-east-1', '--region', 'eu-west-1');
    const { env, keys } = JSON.parse(text);
    for (const [name, value] of Object.entries(env)) vi.stubEnv(name, String(value));
    const note = `frameseal: KMS calls go to ${env.AWS_ENDPOINT_URL_KMS} (AWS_ENDPOINT_URL_KMS), which is not AWS\n`;
    const under = keys.flatMap(({ arn }: { arn: string }) => ['-k', `aws-kms:${arn}`]);
    const sealed = await frameseal(['encrypt', '-q', ...under], { stdin: 'hello', env });
    expect(sealed).toMatchObject({ code: 0, err: note });
    for (const { arn } of keys) {
      const opened = await frameseal(['decrypt', '-k', `aws-kms:${arn}`], { stdin: sealed.bytes, env });
      expect(opened).toMatchObject({ code: 0, out: 'hello', err: note });
    }
    await stop();
    const dead = await frameseal(['decrypt', '-k', `aws-kms:${keys[0].arn}`], { stdin: sealed.bytes, env });
    expect(dead).toMatchObject({ code: 1, out: '', err: expect.stringContaining('NO_DATA_KEY') });
  });
});

describe('an endpoint that is not AWS', () => {
  const nowhere = { AWS_CONFIG_FILE: '/nowhere' };
  it.each([
    [{}, undefined],
    [{ AWS_ENDPOINT_URL_KMS: 'https://kms.us-east-1.amazonaws.com' }, undefined],
    [{ AWS_ENDPOINT_URL: 'https://vpce-1.kms.eu-west-1.vpce.amazonaws.com/' }, undefined],
    [{ AWS_ENDPOINT_URL_KMS: 'http://127.0.0.1:1' }, 'AWS_ENDPOINT_URL_KMS'],
    [{ AWS_ENDPOINT_URL: 'https://kms.amazonaws.com.evil.example' }, 'AWS_ENDPOINT_URL'],
    [{ AWS_ENDPOINT_URL: 'https://amazonaws.com@evil.example' }, 'AWS_ENDPOINT_URL'],
    [{ AWS_ENDPOINT_URL_KMS: 'https://kms-fips.us-gov-west-1.amazonaws.com' }, undefined],
    [{ AWS_ENDPOINT_URL_KMS: 'https://kms.cn-north-1.amazonaws.com.cn' }, undefined],
    [{ AWS_ENDPOINT_URL_KMS: 'https://kms.eu-west-1.api.aws' }, undefined],
    [{ AWS_ENDPOINT_URL_KMS: 'https://kms.cn-north-1.api.amazonwebservices.com.cn' }, undefined],
    [{ AWS_ENDPOINT_URL_KMS: 'http://kms.us-east-1.amazonaws.com' }, 'http://kms.us-east-1.amazonaws.com ('],
    [{ AWS_ENDPOINT_URL_KMS: 'https://x.execute-api.us-east-1.amazonaws.com' }, 'x.execute-api'],
    [{ AWS_ENDPOINT_URL_KMS: 'https://kms.s3.us-east-1.amazonaws.com' }, 'kms.s3'],
    [{ AWS_ENDPOINT_URL_KMS: 'nonsense' }, 'no URL'],
    [{ AWS_ENDPOINT_URL: 'http://x', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' }, undefined],
  ])('%j', async (env, text) => {
    const said = await foreignEndpoint({ ...nowhere, ...env });
    if (text === undefined) expect(said).toBeUndefined();
    else expect(said).toContain(text);
  });

  it.each(['http://me:secret@host:8/secret?secret#secret', 'secret:secret@host', 'secret'])(
    'is said without its secrets: %s',
    async (url) => {
      const said = await foreignEndpoint({ ...nowhere, AWS_ENDPOINT_URL_KMS: url });
      expect(said).toMatch(/^KMS calls go to (http:\/\/host:8|an address that is no URL.*) \(AWS/);
      expect(said).not.toContain('secret');
    },
  );

  it('may stand in the configuration file', async () => {
    const file = join(folder(), 'config');
    writeFileSync(
      file,
      '[profile a]\nservices = s\n[services s]\nkms =\n  endpoint_url = http://10.0.0.1:8080\n',
    );
    expect(await foreignEndpoint({ AWS_CONFIG_FILE: file })).toContain('http://10.0.0.1:8080');
  });
});
