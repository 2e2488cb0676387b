import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { decrypt, encrypt, type Keyring } from '../../../src/index.ts';
import {
  type AwsKmsKeyringOptions,
  awsKmsKeyring,
  awsKmsMrkDiscoveryKeyring,
  awsKmsMrkKeyring,
  type KmsCall,
  type KmsOutput,
} from '../../../src/keyring/aws-kms/index.ts';
import { firstToOpen } from '../../../src/keyring/aws-kms/race.ts';
import { type LocalKms, startLocalKms } from '../../../src/local-kms/index.ts';
import { bytes, failure, failureCode } from '../../support/messages.ts';
import { type Behaviour, FakeKms, keyArn, MRK, named } from './fake-kms.ts';

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

const REGIONS = ['us-east-1', 'us-west-2', 'eu-west-1'] as const;
const ARNS = REGIONS.map((region) => keyArn(region));
const FAST = { algorithmSuite: 0x0478 } as const;
const kms = new FakeKms();
let ciphertext: Uint8Array;

const strict = (options: AwsKmsKeyringOptions = {}): Keyring =>
  awsKmsKeyring({ keyIds: ARNS, clientSupplier: kms.clientSupplier, ...options });
const decrypts = (...regions: string[]) => regions.map((region) => `Decrypt ${region}`);

beforeAll(async () => {
  const keyring = strict({ generatorKeyId: ARNS[0], keyIds: ARNS.slice(1) });
  ({ ciphertext } = await encrypt(bytes(9), { ...FAST, keyring }));
});
beforeEach(() => kms.reset());

describe('order', () => {
  it.each([
    ['the message’s', [], ['us-east-1', 'us-west-2', 'eu-west-1']],
    ['one region first', ['eu-west-1'], ['eu-west-1', 'us-east-1', 'us-west-2']],
    ['two regions first', ['eu-west-1', 'us-west-2'], ['eu-west-1', 'us-west-2', 'us-east-1']],
    [
      'regions without a key passed over',
      ['sa-east-1', 'us-west-2'],
      ['us-west-2', 'us-east-1', 'eu-west-1'],
    ],
  ])('%s', async (_, preferredRegions, expected) => {
    for (const region of REGIONS) kms.set(region, named('DisabledException', 400));
    const error = await failure(decrypt(ciphertext, { keyring: strict({ preferredRegions }) }));
    expect(kms.log).toEqual(decrypts(...expected));
    expect(error.attempts.map(({ keyName }) => keyName.split(':')[3])).toEqual(expected);
  });

  it('does not depend on the order of the configured keys', async () => {
    await decrypt(ciphertext, { keyring: strict({ keyIds: [...ARNS].reverse() }) });
    expect(kms.log).toEqual(decrypts('us-east-1'));
  });

  it('preferred regions of multi-Region keys are those that are called', async () => {
    const keys = REGIONS.map((region) => keyArn(region, MRK));
    const writer = awsKmsMrkKeyring({ generatorKeyId: keys[0], clientSupplier: kms.clientSupplier });
    const message = await encrypt(bytes(9), { ...FAST, keyring: writer });
    kms.reset();
    const reader = awsKmsMrkDiscoveryKeyring({
      regions: REGIONS,
      discoveryFilter: 'any-account',
      preferredRegions: ['eu-west-1'],
      clientSupplier: kms.clientSupplier,
    });
    expect((await decrypt(message.ciphertext, { keyring: reader })).plaintext).toEqual(bytes(9));
    expect(kms.calls.map(({ keyId }) => keyId)).toEqual([keys[2]]);
  });

  it('lists entries of other keys after those that were tried', async () => {
    kms.set('eu-west-1', named('DisabledException', 400));
    const error = await failure(decrypt(ciphertext, { keyring: strict({ keyIds: [ARNS[2]!] }) }));
    expect(error.attempts.map(({ keyName }) => keyName)).toEqual([ARNS[2], ARNS[0], ARNS[1]]);
    expect(error.attempts[0]!.reason).toContain('DisabledException');
  });
});

describe('regions that do not answer', () => {
  it('an attempt that takes too long gives way to the next entry', async () => {
    kms.set('us-east-1', 'hang');
    const { plaintext } = await decrypt(ciphertext, { keyring: strict({ attemptTimeoutMs: 40 }) });
    expect(plaintext).toEqual(bytes(9));
    expect(kms.log).toEqual(decrypts('us-east-1', 'us-west-2'));
    expect(kms.calls[0]!.signal.aborted).toBe(true);
  });

  it('other entries of a region that is out of reach go last: one timeout, not one for each', async () => {
    const inEast = ['a', 'b', 'c'].map((id) => keyArn('us-east-1', id));
    const keyIds = [...inEast, ARNS[1]!];
    const both = strict({ generatorKeyId: keyIds[0], keyIds: keyIds.slice(1) });
    const message = await encrypt(bytes(9), { ...FAST, keyring: both });
    const outOfReach: Behaviour[] = [
      'hang',
      named('ThrottlingException', 400),
      named('KMSInternalException', 500),
    ];
    for (const behaviour of outOfReach) {
      kms.reset();
      kms.set('us-east-1', behaviour);
      const reader = strict({ keyIds, attemptTimeoutMs: 40 });
      expect((await decrypt(message.ciphertext, { keyring: reader })).plaintext).toEqual(bytes(9));
      expect(kms.log).toEqual(decrypts('us-east-1', 'us-west-2'));
    }
    kms.reset();
    kms.set('us-east-1', named('AccessDeniedException', 400));
    await decrypt(message.ciphertext, { keyring: strict({ keyIds }) });
    expect(kms.log).toEqual(decrypts('us-east-1', 'us-east-1', 'us-east-1', 'us-west-2'));
  });

  it('tries them all the same when nothing else opens', async () => {
    const inEast = ['a', 'b'].map((id) => keyArn('us-east-1', id));
    const keyIds = [...inEast, ARNS[1]!];
    const both = strict({ generatorKeyId: keyIds[0], keyIds: keyIds.slice(1) });
    const message = await encrypt(bytes(9), { ...FAST, keyring: both });
    kms.reset();
    let first = true;
    kms.set('us-east-1', (output) => {
      if (!first) return output;
      first = false;
      throw named('KeyUnavailableException', 500);
    });
    kms.set('us-west-2', named('DisabledException', 400));
    const { plaintext } = await decrypt(message.ciphertext, { keyring: strict({ keyIds }) });
    expect(plaintext).toEqual(bytes(9));
    expect(kms.log).toEqual(decrypts('us-east-1', 'us-west-2', 'us-east-1'));
  });

  it('the deadline bounds the whole: what was not tried is told with it, and not called', async () => {
    for (const region of REGIONS) kms.set(region, 'hang');
    const keyring = strict({ attemptTimeoutMs: 60, deadlineMs: 90 });
    const error = await failure(decrypt(ciphertext, { keyring }));
    expect(kms.log).toEqual(decrypts('us-east-1', 'us-west-2'));
    expect(error.attempts.map(({ reason }) => /attemptTimeoutMs|deadlineMs/.exec(reason)![0])).toEqual([
      'attemptTimeoutMs',
      'deadlineMs',
      'deadlineMs',
    ]);
    for (const [i, { reason }] of error.attempts.entries()) {
      expect(reason).toContain(`KMS Decrypt in ${REGIONS[i]} for ${ARNS[i]}`);
    }
  });

  it('stops at an abort, and calls nothing more', async () => {
    for (const region of REGIONS) kms.set(region, 'hang');
    for (const hedgeAfterMs of [undefined, 20]) {
      kms.calls.length = 0;
      const signal = AbortSignal.timeout(50);
      const error = await failure(decrypt(ciphertext, { keyring: strict({ hedgeAfterMs }), signal }));
      expect(error.code).toBe('ABORTED');
      expect(kms.calls.every((call) => call.signal.aborted)).toBe(true);
      const made = kms.calls.length;
      await new Promise((resolve) => setTimeout(resolve, 60));
      expect(kms.calls).toHaveLength(made);
    }
  });

  it('makes no call for a signal that has aborted', async () => {
    const keyring = strict();
    const options = { signal: AbortSignal.abort('no') };
    const materials = { algorithmSuite: { keyLength: 32 }, encryptionContext: {} } as never;
    const edk = {
      providerId: 'aws-kms',
      providerInfo: new TextEncoder().encode(ARNS[0]),
      ciphertext: bytes(9),
    };
    expect(await failureCode(keyring.onDecrypt(materials, [edk], options))).toBe('ABORTED');
    expect(kms.calls).toEqual([]);
  });
});

describe('hedging', () => {
  it('is off by default', async () => {
    kms.set('us-east-1', (output) => new Promise((resolve) => setTimeout(resolve, 80, output)));
    await decrypt(ciphertext, { keyring: strict() });
    expect(kms.log).toEqual(decrypts('us-east-1'));
  });

  it('starts the next entry early; the first good answer wins, the loser is aborted', async () => {
    kms.set('us-east-1', 'hang');
    const seen: KmsCall[] = [];
    const keyring = strict({ hedgeAfterMs: 20, onKmsCall: (call) => seen.push(call) });
    const { plaintext } = await decrypt(ciphertext, { keyring });
    expect(plaintext).toEqual(bytes(9));
    expect(kms.log).toEqual(decrypts('us-east-1', 'us-west-2'));
    expect(kms.calls[0]!.signal.aborted).toBe(true);
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(seen.map(({ region, outcome }) => `${region} ${outcome}`)).toEqual([
      'us-west-2 ok',
      'us-east-1 ABORTED',
    ]);
  });

  it('does not wait for the hedge when the first one fails', async () => {
    kms.set('us-east-1', named('DisabledException', 400));
    await decrypt(ciphertext, { keyring: strict({ hedgeAfterMs: 2 ** 31 - 1 }) });
    expect(kms.log).toEqual(decrypts('us-east-1', 'us-west-2'));
  });

  it('starts one after another, as long as no answer comes', async () => {
    kms.set('us-east-1', 'hang');
    kms.set('us-west-2', 'hang');
    await decrypt(ciphertext, { keyring: strict({ hedgeAfterMs: 20 }) });
    expect(kms.log).toEqual(decrypts('us-east-1', 'us-west-2', 'eu-west-1'));
  });

  it('an answer that is wrong does not win', async () => {
    let open: (() => void) | undefined;
    const waiting = new Promise<void>((resolve) => {
      open = resolve;
    });
    kms.set('us-east-1', async (output) => {
      await waiting;
      return output;
    });
    kms.set('us-west-2', (output) => ({ ...output, KeyId: ARNS[0] }));
    kms.set('eu-west-1', () => {
      open!();
      return new Promise(() => {});
    });
    const { plaintext } = await decrypt(ciphertext, { keyring: strict({ hedgeAfterMs: 20 }) });
    expect(plaintext).toEqual(bytes(9));
    expect(kms.log).toEqual(decrypts('us-east-1', 'us-west-2', 'eu-west-1'));
  });

  it('does not hedge within a region: a second call there would wait for the same', async () => {
    const inEast = ['a', 'b'].map((id) => keyArn('us-east-1', id));
    const both = strict({ generatorKeyId: inEast[0], keyIds: inEast.slice(1) });
    const message = await encrypt(bytes(9), { ...FAST, keyring: both });
    kms.reset();
    const underWay: number[] = [];
    kms.set('us-east-1', (_, { signal }) => {
      underWay.push(kms.calls.filter((call) => !call.signal.aborted).length);
      return new Promise((_resolve, reject) => signal.addEventListener('abort', reject));
    });
    const reader = strict({ keyIds: inEast, hedgeAfterMs: 5, attemptTimeoutMs: 60 });
    expect(await failureCode(decrypt(message.ciphertext, { keyring: reader }))).toBe('NO_DATA_KEY');
    expect(kms.log).toEqual(decrypts('us-east-1', 'us-east-1'));
    expect(underWay).toEqual([1, 1]);
  });

  it('wipes the plaintext of a loser that answers all the same', async () => {
    const ours = new FakeKms(true);
    const options = { clientSupplier: ours.clientSupplier };
    const writer = strict({ ...options, generatorKeyId: ARNS[0], keyIds: ARNS.slice(1) });
    const message = await encrypt(bytes(9), { ...FAST, keyring: writer });
    ours.reset();
    let answer: (() => void) | undefined;
    ours.set('us-east-1', (output) => new Promise((resolve) => (answer = () => resolve(output))));
    const keyring = strict({ ...options, hedgeAfterMs: 20 });
    expect((await decrypt(message.ciphertext, { keyring })).plaintext).toEqual(bytes(9));
    const loser = ours.calls[0]!.output as KmsOutput;
    expect(loser.Plaintext).not.toEqual(new Uint8Array(32));
    answer!();
    await new Promise((resolve) => setTimeout(resolve, 0));
    expect(loser.Plaintext).toEqual(new Uint8Array(32));
    expect(ours.calls[1]!.output!.Plaintext).toEqual(new Uint8Array(32)); // read, and so wiped as well
  });

  it('wipes the data key of one that opens in the very same turn', async () => {
    const keys = [bytes(32, 1), bytes(32, 2)];
    const candidates = REGIONS.slice(0, 2).map((region, i) => ({
      edk: { providerId: 'aws-kms', providerInfo: bytes(1), ciphertext: bytes(1) },
      keyId: ARNS[i]!,
      region,
    }));
    const answers: (() => void)[] = [];
    const running = firstToOpen(candidates, {
      open: ({ keyId }) =>
        new Promise((resolve) => {
          answers.push(() => resolve({ plaintextDataKey: keys[ARNS.indexOf(keyId)] } as never));
        }),
      failed: () => {},
      turn: () => undefined,
      hedgeAfterMs: 5,
    });
    await vi.waitFor(() => expect(answers).toHaveLength(2));
    for (const answer of answers) answer();
    expect((await running)!.plaintextDataKey).toEqual(bytes(32, 1));
    await Promise.resolve();
    expect(keys).toEqual([bytes(32, 1), new Uint8Array(32)]);
  });
});

describe('against the local KMS', () => {
  let local: LocalKms;
  let arns: string[];
  let message: Uint8Array;

  beforeAll(async () => {
    local = await startLocalKms({ regions: REGIONS });
    arns = [];
    for (const region of REGIONS) arns.push((await local.createKey({ region })).arn);
    const keyring = awsKmsKeyring({
      generatorKeyId: arns[0],
      keyIds: arns.slice(1),
      clientSupplier: local.clientSupplier,
    });
    message = (await encrypt(bytes(9), { ...FAST, keyring })).ciphertext;
  });
  afterAll(() => local.close());
  beforeEach(() => {
    for (const region of REGIONS) local.setFault(region, null);
    local.requests.length = 0;
  });

  const keyring = (options: AwsKmsKeyringOptions = {}) =>
    awsKmsKeyring({ keyIds: arns, clientSupplier: local.clientSupplier, ...options });
  const outcomes = () => local.requests.map(({ region, outcome }) => `${region} ${outcome}`);

  it('a black-holed region costs one attempt, whatever the SDK would wait', async () => {
    local.setFault('us-east-1', { kind: 'black-hole' });
    const { plaintext } = await decrypt(message, { keyring: keyring({ attemptTimeoutMs: 400 }) });
    expect(plaintext).toEqual(bytes(9));
    expect(local.requests.map(({ operation, region }) => `${operation} ${region}`)).toEqual(
      decrypts('us-east-1', 'us-west-2'),
    );
    const [lost, opened] = local.requests;
    await vi.waitFor(() => expect(lost!.outcome).toBeDefined());
    expect(opened!.startedAt).toBeGreaterThanOrEqual(lost!.startedAt + 300);
    expect(opened!.outcome).toBe('ok');
  });

  it('an abort ends the SDK’s back-off sleep', async () => {
    for (const region of REGIONS) local.setFault(region, { kind: 'throttle' });
    const controller = new AbortController();
    const running = failure(decrypt(message, { keyring: keyring(), signal: controller.signal }));
    await vi.waitFor(() => expect(local.requests.length).toBeGreaterThan(0));
    controller.abort('enough');
    const error = await running;
    expect([error.code, error.cause]).toEqual(['ABORTED', 'enough']);
    const made = local.requests.length;
    await new Promise((resolve) => setTimeout(resolve, 1500)); // the second attempt would come after about a second
    expect(local.requests).toHaveLength(made);
  });

  it('an attempt ends with its timeout in the midst of the SDK’s retries', async () => {
    local.setFault('us-east-1', { kind: 'throttle' });
    const { plaintext } = await decrypt(message, { keyring: keyring({ attemptTimeoutMs: 400 }) });
    expect(plaintext).toEqual(bytes(9));
    expect(outcomes().filter((outcome) => outcome === 'us-west-2 ok')).toHaveLength(1);
  });

  it('a hedge wins, and the loser’s connection is cut', async () => {
    local.setFault('us-east-1', { kind: 'black-hole' });
    const { plaintext } = await decrypt(message, { keyring: keyring({ hedgeAfterMs: 200 }) });
    expect(plaintext).toEqual(bytes(9));
    await vi.waitFor(() => expect(outcomes()).toEqual(['us-east-1 black-hole', 'us-west-2 ok']));
  });
});
