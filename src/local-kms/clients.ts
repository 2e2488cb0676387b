/** SDK clients for the local KMS: one per region, made when first asked for. */
import type { KMSClient, KMSClientConfig } from '@aws-sdk/client-kms';

/** What a client may be configured with; where it connects to, and as whom, is given. */
export type ClientOptions = Omit<KMSClientConfig, 'region' | 'endpoint' | 'credentials'>;

export class ClientCache {
  readonly #clients = new Map<string, Promise<KMSClient>>();
  readonly #endpointOf: (region: string) => string;
  readonly #config: KMSClientConfig;

  constructor(endpointOf: (region: string) => string, config: KMSClientConfig) {
    this.#endpointOf = endpointOf;
    this.#config = config;
  }

  client(region: string): Promise<KMSClient> {
    const made = this.#clients.get(region) ?? this.#make(region);
    this.#clients.set(region, made);
    return made;
  }

  /** Closes the connections of all clients. */
  async destroy(): Promise<void> {
    const made = await Promise.allSettled(this.#clients.values());
    this.#clients.clear();
    for (const client of made) if (client.status === 'fulfilled') client.value.destroy();
  }

  /** The SDK is loaded here and not at the top, so that a server alone does not need it. */
  async #make(region: string): Promise<KMSClient> {
    const { KMSClient } = await import('@aws-sdk/client-kms');
    return new KMSClient({ ...this.#config, region, endpoint: this.#endpointOf(region) });
  }
}
