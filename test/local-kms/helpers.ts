/** A local KMS that ends with its test, and the error that a promise rejects with. */
import { connect } from 'node:net';
import { KMSClient, type KMSServiceException } from '@aws-sdk/client-kms';
import { onTestFinished } from 'vitest';
import {
  type IssueCredentialsOptions,
  type LocalKms,
  type LocalKmsOptions,
  startLocalKms,
} from '../../src/local-kms/index.ts';

export const EAST = 'us-east-1';
export const WEST = 'us-west-2';

export async function start(options: Partial<LocalKmsOptions> = {}): Promise<LocalKms> {
  const kms = await startLocalKms({
    regions: [EAST, WEST],
    ...options,
    clientOptions: { maxAttempts: 1, ...options.clientOptions },
  });
  onTestFinished(() => kms.close());
  return kms;
}

export async function clientOf(kms: LocalKms, region: string = EAST): Promise<KMSClient> {
  const client = await kms.clientSupplier(region);
  if (client === undefined) throw new Error(`no client for ${region}`);
  return client;
}

/** A local KMS whose time goes on only when told so; the supplier's clients go with it. */
export async function startWithClock(
  options: Partial<LocalKmsOptions> = {},
): Promise<{ kms: LocalKms; pass: (ms: number) => Promise<void> }> {
  const started = Date.now();
  let passed = 0;
  const kms = await start({ ...options, now: () => started + passed });
  const pass = async (ms: number) => {
    passed += ms;
    for (const region of options.regions ?? [EAST, WEST]) {
      Object.assign((await clientOf(kms, region)).config, { systemClockOffset: passed });
    }
  };
  return { kms, pass };
}

/** A client with credentials of a user or role, or of another sort. */
export function clientAs(kms: LocalKms, options: IssueCredentialsOptions, region: string = EAST): KMSClient {
  return sharedClient(kms, { region, credentials: kms.issueCredentials(options) });
}

/** A client of the shared endpoint, with other settings than the supplier's. */
export function sharedClient(
  kms: LocalKms,
  config: ConstructorParameters<typeof KMSClient>[0] = {},
): KMSClient {
  const base = { region: EAST, endpoint: kms.endpoint, credentials: kms.credentials, maxAttempts: 1 };
  const client = new KMSClient({ ...base, ...config });
  onTestFinished(() => client.destroy());
  return client;
}

/** The error, with the HTTP status of its answer; fails if the promise resolves. */
export async function failureOf(
  promise: Promise<unknown>,
): Promise<{ name: string; message: string; status: number | undefined }> {
  try {
    await promise;
  } catch (error) {
    const { name, message, $metadata } = error as KMSServiceException;
    return { name, message, status: $metadata?.httpStatusCode };
  }
  throw new Error('expected a rejection');
}

/** Whether somebody listens on the port of a URL. */
export function canConnect(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
