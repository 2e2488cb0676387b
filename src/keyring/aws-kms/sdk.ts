/**
 * The AWS SDK at arm's length: it is loaded when a client of it is first used, and never for callers who bring their own
 * `KmsApi`.
 */
import { checkOptions, invalidArgument, kindOf } from '../../errors.ts';
import { markOurs } from '../../materials/data-key.ts';
import type { Sdk } from './clients.ts';
import type { ClientSupplier } from './kms-api.ts';

/**
 * What keyrings without a `clientSupplier` use: one `KMSClient` for each region, made at its first use and kept for the
 * whole process, with the environment's credentials, endpoint and retry settings, and timeouts that fire: 2 seconds to
 * connect, 5 for an answer. For {@link limitRegions} and {@link excludeRegions}.
 * @param options `userAgentSuffix` is added to the user agent.
 * @throws FramesealError `INVALID_ARGUMENT`
 */
export function sdkClientSupplier(
  options: { readonly userAgentSuffix?: string | undefined } = {},
): ClientSupplier {
  checkOptions(options, ['userAgentSuffix']);
  const { userAgentSuffix = '' } = options;
  if (typeof userAgentSuffix !== 'string') {
    throw invalidArgument('userAgentSuffix', 'a text', kindOf(userAgentSuffix));
  }
  return async (region) => {
    const { ownClient, sdkApi } = await import('./kms-client.ts');
    return markOurs(sdkApi(ownClient(region, userAgentSuffix)));
  };
}

/** For keyrings that may use the SDK. */
export const SDK: Sdk = {
  supplier: sdkClientSupplier,
  apiOf: async (sender) => (await import('./kms-client.ts')).sdkApi(sender),
};
