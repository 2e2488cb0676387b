/** A local KMS that ends with its test, and the error that a promise rejects with. */
import { KMSClient, type KMSServiceException } from '@aws-sdk/client-kms';
import { onTestFinished } from 'vitest';
import { type LocalKms, type LocalKmsOptions, startLocalKms } from '../../src/local-kms/index.ts';

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
