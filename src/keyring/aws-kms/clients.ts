/**
 * Clients of KMS: where they come from, one for each region, and suppliers that refuse regions.
 */
import { untilAborted } from '../../deadline.ts';
import { invalidArgument, kindOf } from '../../errors.ts';
import { checkRegions } from './key-arn.ts';
import type { ClientSupplier, KmsApi, KmsClient, KmsSender } from './kms-api.ts';

/** What only the AWS SDK can do. The entry point without it has none. */
export interface Sdk {
  readonly supplier: (options: { readonly userAgentSuffix?: string | undefined }) => ClientSupplier;
  /** The operations over a `KMSClient`. */
  readonly apiOf: (sender: KmsSender) => Promise<KmsApi>;
}

/** The clients of one keyring: the supplier is asked once for a region, when the region is first called. */
export class Clients {
  readonly #supplier: ClientSupplier;
  readonly #sdk: Sdk | undefined;
  readonly #clients = new Map<string | undefined, Promise<KmsApi>>();

  constructor(supplier: ClientSupplier, sdk: Sdk | undefined) {
    this.#supplier = supplier;
    this.#sdk = sdk;
  }

  /** A refusal, a failure and a client that has not come in time are not kept. @throws Error */
  async get(region: string | undefined, signal: AbortSignal): Promise<KmsApi> {
    let client = this.#clients.get(region);
    if (client === undefined) {
      client = this.#ask(region);
      this.#clients.set(region, client);
    }
    try {
      return await untilAborted(signal, client);
    } catch (error) {
      if (this.#clients.get(region) === client) this.#clients.delete(region);
      throw error;
    }
  }

  async #ask(region: string | undefined): Promise<KmsApi> {
    const client: Partial<KmsApi & KmsSender> | undefined = await this.#supplier(region);
    if (client == null) throw new Error('the clientSupplier refuses this region');
    if (typeof client.generateDataKey === 'function') return client as KmsApi;
    if (typeof client.send !== 'function') {
      throw new Error('the clientSupplier answered neither a KMSClient nor a KmsApi');
    }
    if (this.#sdk === undefined) {
      throw new Error(
        'the clientSupplier answered a KMSClient: that needs the keyrings of frameseal/aws-kms',
      );
    }
    return this.#sdk.apiOf(client as KmsSender);
  }
}

/**
 * The supplier, for these regions alone; every other region is refused. So is the environment's own, which bare key ids and
 * aliases ask for: nobody knows beforehand which it is.
 * @throws FramesealError `INVALID_ARGUMENT`
 */
export function limitRegions<Client extends KmsClient>(
  supplier: ClientSupplier<Client>,
  regions: readonly string[],
): ClientSupplier<Client> {
  const allowed = checked(supplier, regions);
  return (region) => (region !== undefined && allowed.has(region) ? supplier(region) : undefined);
}

/**
 * The supplier, for all regions but these. The environment's own, which bare key ids and aliases ask for, is refused too:
 * it may be one of them.
 * @throws FramesealError `INVALID_ARGUMENT`
 */
export function excludeRegions<Client extends KmsClient>(
  supplier: ClientSupplier<Client>,
  regions: readonly string[],
): ClientSupplier<Client> {
  const excluded = checked(supplier, regions);
  return (region) => (region !== undefined && !excluded.has(region) ? supplier(region) : undefined);
}

function checked(supplier: unknown, regions: readonly string[]): ReadonlySet<string> {
  if (typeof supplier !== 'function') throw invalidArgument('supplier', 'a function', kindOf(supplier));
  return new Set(checkRegions('regions', regions));
}
