/**
 * `@aws-sdk/client-kms` behind {@link KmsApi}: the only file that imports the SDK. It is loaded at the first use of an
 * SDK client, and never for callers who bring their own `KmsApi`.
 */
import { DecryptCommand, EncryptCommand, GenerateDataKeyCommand, KMSClient } from '@aws-sdk/client-kms';
import { VERSION } from '../../version.ts';
import type { KmsApi, KmsSender } from './kms-api.ts';

/** The operations over a client, which is not changed. */
export function sdkApi(client: KmsSender): KmsApi {
  return {
    generateDataKey: (input, { signal }) =>
      client.send(new GenerateDataKeyCommand(input), { abortSignal: signal }),
    encrypt: (input, { signal }) => client.send(new EncryptCommand(input), { abortSignal: signal }),
    decrypt: (input, { signal }) => client.send(new DecryptCommand(input), { abortSignal: signal }),
  };
}

const made = new Map<string, KMSClient>();

/** Our own client for a region: one for each, kept, with the environment's credentials, endpoint and retry settings. */
export function ownClient(region: string | undefined, userAgentSuffix: string): KMSClient {
  const key = `${region ?? ''}\n${userAgentSuffix}`;
  let client = made.get(key);
  if (client === undefined) {
    client = new KMSClient({
      ...(region !== undefined && { region }),
      requestHandler: TIMEOUTS,
      customUserAgent: [['frameseal', VERSION], ...(userAgentSuffix ? [[userAgentSuffix] as [string]] : [])],
    });
    made.set(key, client);
  }
  return client;
}

/** Milliseconds. By default the SDK waits for ever, and without the last one `requestTimeout` only warns. */
const TIMEOUTS = { connectionTimeout: 2000, requestTimeout: 5000, throwOnRequestTimeout: true };
