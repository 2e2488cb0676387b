import { KMSClient } from '@aws-sdk/client-kms';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { decrypt, encrypt } from '../../../src/index.ts';
import {
  awsKmsDiscoveryKeyring,
  awsKmsKeyring,
  excludeRegions,
  type KmsApi,
  type KmsClient,
  limitRegions,
  sdkClientSupplier,
} from '../../../src/keyring/aws-kms/index.ts';
import { type LocalKms, startLocalKms } from '../../../src/local-kms/index.ts';
import { bytes, failure, failureCode } from '../../support/messages.ts';
import { FakeKms, keyArn } from './fake-kms.ts';

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const REGIONS = ['us-east-1', 'us-west-2', 'eu-west-1'] as const;
const FAST = { algorithmSuite: 0x0478 } as const;
let kms: LocalKms;
let arns: string[];

beforeAll(async () => {
  kms = await startLocalKms({ regions: REGIONS });
  arns = [];
  for (const region of REGIONS) arns.push((await kms.createKey({ region, alias: 'alias/app' })).arn);
});
afterAll(() => kms.close());
beforeEach(() => {
  for (const region of REGIONS) kms.setFault(region, null);
  kms.requests.length = 0;
});

describe.each([
  ['limitRegions', limitRegions, ['us-east-1', 'eu-west-1'], ['us-east-1', 'eu-west-1']],
  ['excludeRegions', excludeRegions, ['us-west-2'], ['us-east-1', 'eu-west-1', 'ap-south-1']],
] as const)('%s', (_, restrict, regions, allowed) => {
  it('asks for what is allowed alone, and not for the environment’s own region', async () => {
    const asked: (string | undefined)[] = [];
    const client = {} as KmsClient;
    const supplier = restrict((region) => {
      asked.push(region);
      return client;
    }, regions);
    for (const region of [...REGIONS, 'ap-south-1', undefined]) {
      const isAllowed = (allowed as readonly (string | undefined)[]).includes(region);
      expect(await supplier(region)).toBe(isAllowed ? client : undefined);
    }
    expect(asked).toEqual(
      allowed.length === 2 ? ['us-east-1', 'eu-west-1'] : ['us-east-1', 'eu-west-1', 'ap-south-1'],
    );
  });

  it('is heard by keyrings: encrypt fails and names the region, decrypt goes on', async () => {
    const all = { clientSupplier: kms.clientSupplier };
    const restricted = { clientSupplier: restrict(kms.clientSupplier, regions) };
    const keys = { generatorKeyId: arns[1], keyIds: [arns[2]!] };
    const error = await failure(
      encrypt(bytes(9), { ...FAST, keyring: awsKmsKeyring({ ...keys, ...restricted }) }),
    );
    expect(error).toMatchObject({ code: 'KMS_FAILED', region: 'us-west-2' });
    expect(error.message).toContain('refuses this region');
    const { ciphertext } = await encrypt(bytes(9), { ...FAST, keyring: awsKmsKeyring({ ...keys, ...all }) });
    kms.requests.length = 0;
    for (const keyring of [
      awsKmsKeyring({ ...keys, ...restricted }),
      awsKmsDiscoveryKeyring({ regions: REGIONS, discoveryFilter: 'any-account', ...restricted }),
    ]) {
      expect((await decrypt(ciphertext, { keyring })).plaintext).toEqual(bytes(9));
    }
    expect(kms.requests.map(({ region }) => region)).toEqual(['eu-west-1', 'eu-west-1']);
  });

  it('is not undone by a quorum: a refused region is no missing key', async () => {
    const keyring = awsKmsKeyring({
      generatorKeyId: arns[0],
      keyIds: arns.slice(1),
      clientSupplier: restrict(kms.clientSupplier, regions),
      quorum: { atLeast: 1 },
    });
    expect(await failureCode(encrypt(bytes(9), { ...FAST, keyring }))).toBe('KMS_FAILED');
  });

  it.each([
    ['no supplier', undefined, ['us-east-1']],
    ['regions that are text', () => undefined, 'us-east-1'],
    ['a region that is none', () => undefined, ['nowhere']],
  ])('refuses %s', async (_name, supplier, list) => {
    expect(await failureCode(() => restrict(supplier as never, list as never))).toBe('INVALID_ARGUMENT');
  });
});

describe('a caller’s client', () => {
  it('is not changed, and serves as it is', async () => {
    const made = await kms.clientSupplier('us-east-1');
    const refuse = () => {
      throw new Error('the client was changed');
    };
    const sealed = new Proxy(made!, {
      set: refuse,
      defineProperty: refuse,
      deleteProperty: refuse,
      get: (target, name) => {
        const value = Reflect.get(target, name);
        return typeof value === 'function' ? value.bind(target) : value;
      },
    });
    const before = made!.middlewareStack.identify();
    const keyring = awsKmsKeyring({ generatorKeyId: arns[0], clientSupplier: () => sealed });
    const { ciphertext } = await encrypt(bytes(9), { ...FAST, keyring });
    expect((await decrypt(ciphertext, { keyring })).plaintext).toEqual(bytes(9));
    expect(made!.middlewareStack.identify()).toEqual(before);
    expect(kms.requests[0]!.userAgent).not.toContain('frameseal');
  });

  it('is lent the data key: it may wipe it, and it cannot keep it', async () => {
    const lent: Uint8Array[] = [];
    const fake = new FakeKms();
    const clientSupplier = (region: string | undefined) => {
      const api = fake.clientSupplier(region) as KmsApi;
      return {
        ...api,
        encrypt: async (...[input, options]: Parameters<KmsApi['encrypt']>) => {
          lent.push(input.Plaintext);
          const output = await api.encrypt(input, options);
          if (region === 'us-west-2') input.Plaintext.fill(7);
          expect(input.Plaintext).not.toEqual(new Uint8Array(32));
          return output;
        },
      };
    };
    const keys = REGIONS.map((region) => keyArn(region));
    const keyring = awsKmsKeyring({ generatorKeyId: keys[0], keyIds: keys.slice(1), clientSupplier });
    const { ciphertext } = await encrypt(bytes(9), { ...FAST, keyring });
    expect(lent).toEqual([new Uint8Array(32), new Uint8Array(32)]);
    for (const key of keys) {
      const reader = awsKmsKeyring({ keyIds: [key], clientSupplier });
      expect((await decrypt(ciphertext, { keyring: reader })).plaintext).toEqual(bytes(9));
    }
  });

  it('keeps what it has answered', async () => {
    const fake = new FakeKms();
    const keyring = awsKmsKeyring({
      generatorKeyId: keyArn('us-east-1'),
      clientSupplier: fake.clientSupplier,
    });
    const { ciphertext } = await encrypt(bytes(9), { ...FAST, keyring });
    await decrypt(ciphertext, { keyring });
    for (const { output } of fake.calls) expect(output!.Plaintext).not.toEqual(new Uint8Array(32));
  });

  it('one of ours is wiped when its answer has been read', async () => {
    const fake = new FakeKms(true);
    const keyring = awsKmsKeyring({
      generatorKeyId: keyArn('us-east-1'),
      clientSupplier: fake.clientSupplier,
    });
    const { ciphertext } = await encrypt(bytes(9), { ...FAST, keyring });
    expect((await decrypt(ciphertext, { keyring })).plaintext).toEqual(bytes(9));
    expect(fake.calls).toHaveLength(2);
    for (const { output } of fake.calls) expect(output!.Plaintext).toEqual(new Uint8Array(32));
  });
});

describe('sdkClientSupplier', () => {
  const environment = () => {
    for (const [name, value] of Object.entries(kms.env)) vi.stubEnv(name, value);
    vi.stubEnv('AWS_MAX_ATTEMPTS', '1');
  };

  it('is what keyrings use by default, and can be limited', async () => {
    environment();
    try {
      const clientSupplier = limitRegions(sdkClientSupplier({ userAgentSuffix: 'my-app' }), ['us-east-1']);
      const one = awsKmsKeyring({ generatorKeyId: arns[0], clientSupplier });
      await encrypt(bytes(9), { ...FAST, keyring: one });
      expect(kms.requests[0]!.userAgent).toMatch(/frameseal\/\d+\.\d+\.\d+ my-app/);
      const two = awsKmsKeyring({ generatorKeyId: arns[1], clientSupplier });
      expect((await failure(encrypt(bytes(9), { ...FAST, keyring: two }))).region).toBe('us-west-2');
      expect(kms.requests).toHaveLength(1);
    } finally {
      vi.unstubAllEnvs();
    }
  });

  it('makes one client for a region, whichever keyring asks', async () => {
    environment();
    const send = vi.spyOn(KMSClient.prototype, 'send');
    try {
      const options = { generatorKeyId: arns[0], keyIds: arns.slice(1, 2), userAgentSuffix: 'one-client' };
      for (let i = 0; i < 3; i++) await encrypt(bytes(9), { ...FAST, keyring: awsKmsKeyring(options) });
      expect(send.mock.contexts).toHaveLength(6);
      expect(new Set(send.mock.contexts).size).toBe(2);
    } finally {
      send.mockRestore();
      vi.unstubAllEnvs();
    }
  });

  it('has timeouts that fire, also without those of the keyring', async () => {
    environment();
    kms.setFault('us-east-1', { kind: 'black-hole' });
    try {
      const keyring = awsKmsKeyring({
        generatorKeyId: arns[0],
        attemptTimeoutMs: 60_000,
        deadlineMs: 60_000,
        userAgentSuffix: 'patient',
      });
      const error = await failure(encrypt(bytes(9), { ...FAST, keyring }));
      expect(error).toMatchObject({ code: 'KMS_FAILED', cause: { name: 'TimeoutError' } });
    } finally {
      vi.unstubAllEnvs();
    }
  }, 30_000);

  it('refuses options that it does not know', async () => {
    expect(await failureCode(() => sdkClientSupplier({ userAgent: 'x' } as never))).toBe('INVALID_ARGUMENT');
    expect(await failureCode(() => sdkClientSupplier({ userAgentSuffix: 7 } as never))).toBe(
      'INVALID_ARGUMENT',
    );
  });
});
