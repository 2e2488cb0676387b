/** Puts the parts together: state, ports, clients. */
import { isKeyId, isMultiRegionId, parseArn, partitionOf } from './arn.ts';
import { ClientCache } from './clients.ts';
import {
  CredentialBook,
  type IssueCredentialsOptions,
  type IssuedCredentials,
  type LocalKmsCredentials,
} from './credentials.ts';
import { type ExchangeSettings, exchange } from './exchange.ts';
import { FaultBoard } from './fault-board.ts';
import type { Fault } from './faults.ts';
import { resolveManagedKey } from './key-id.ts';
import { Listener } from './listener.ts';
import { newKey, newReplica } from './new-key.ts';
import { addAlias, checkNewAlias } from './operations/aliases.ts';
import type { KmsState } from './operations/operation.ts';
import {
  type CreateKeyOptions,
  checkOptions,
  type LocalKms,
  type LocalKmsEnv,
  type LocalKmsOptions,
} from './options.ts';
import { RequestLog } from './request-log.ts';
import { openState } from './state.ts';

/**
 * Starts a local KMS: one port for all regions, and one per region.
 *
 * Rejects if an option cannot work, if NODE_ENV is `production` (see `allowProduction`), if the port is taken,
 * or if `file` is of another account, of no known format or open to others than its owner.
 */
export function startLocalKms(options: LocalKmsOptions): Promise<LocalKms> {
  return RunningLocalKms.start(options);
}

class RunningLocalKms implements LocalKms {
  readonly credentials: LocalKmsCredentials;
  readonly requests: LocalKms['requests'];
  readonly #kms: KmsState;
  readonly #settings: ExchangeSettings;
  readonly #clients: ClientCache;
  readonly #regional = new Map<string, Listener>();
  readonly #listeners: Listener[] = [];
  #closed = false;

  private constructor(options: LocalKmsOptions) {
    const log = new RequestLog(options.maxRequests ?? 100_000);
    this.requests = log.records;
    this.#kms = openState(options);
    const { store, entropy, now } = this.#kms;
    const partition = partitionOf(this.#firstRegion);
    this.#settings = {
      kms: this.#kms,
      log,
      faults: new FaultBoard((region, down) => this.#setPort(region, down)),
      credentials: new CredentialBook(partition, store.accountId, entropy, now),
      cors: options.cors ?? [],
      open: new Map(),
    };
    this.credentials = this.#settings.credentials.account;
    const config = { ...options.clientOptions, credentials: this.credentials };
    this.#clients = new ClientCache((region) => this.regionEndpoint(region), config);
  }

  static async start(options: LocalKmsOptions): Promise<LocalKms> {
    checkOptions(options);
    const server = new RunningLocalKms(options);
    try {
      await server.#listen(options.regions, options.port ?? 0);
      for (const region of options.regions) {
        server.#regional.set(region, await server.#listen([region], 0));
      }
    } catch (error) {
      await server.close();
      throw error;
    }
    return server;
  }

  get endpoint(): string {
    return (this.#listeners[0] as Listener).url;
  }

  get env(): LocalKmsEnv {
    return {
      AWS_ENDPOINT_URL_KMS: this.endpoint,
      AWS_ACCESS_KEY_ID: this.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: this.credentials.secretAccessKey,
      AWS_REGION: this.#firstRegion,
    };
  }

  regionEndpoint(region: string): string {
    return this.#listener(region).url;
  }

  readonly clientSupplier: LocalKms['clientSupplier'] = async (region = this.#firstRegion) => {
    if (this.#closed) throw new Error('the local KMS is closed');
    return this.#regional.has(region) ? this.#clients.client(region) : undefined;
  };

  async createKey(options: CreateKeyOptions): Promise<{ arn: string }> {
    const { region, keyId } = options;
    this.#listener(region);
    const multiRegion = options.multiRegion ?? (keyId !== undefined && isMultiRegionId(keyId));
    if (keyId !== undefined && (!isKeyId(keyId) || isMultiRegionId(keyId) !== multiRegion)) {
      throw new TypeError(`"keyId" is no id of a ${multiRegion ? 'multi' : 'single'}-Region key: ${keyId}`);
    }
    const alias = options.alias?.replace(/^(?!alias\/)/, 'alias/');
    if (alias !== undefined) checkNewAlias(this.#kms, region, alias);
    const key = newKey(this.#kms, {
      ...SYMMETRIC,
      region,
      multiRegion,
      ready: true,
      ...(keyId && { id: keyId }),
    });
    if (alias !== undefined) addAlias(this.#kms, alias, key, 0);
    return { arn: key.arn };
  }

  async replicateKey({ arn, region }: { arn: string; region: string }): Promise<{ arn: string }> {
    const primary = resolveManagedKey(this.#kms.store, parseArn(arn)?.region ?? '', arn);
    return { arn: newReplica(this.#kms, primary, region, { description: '', ready: true }).arn };
  }

  issueCredentials(options: IssueCredentialsOptions = {}): IssuedCredentials {
    return this.#settings.credentials.issue(options);
  }

  setFault(region: string, fault: Fault | readonly Fault[] | null): void {
    this.#listener(region);
    const faults = fault === null ? [] : [fault].flat();
    this.#settings.faults.set(region, faults);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#settings.faults.close();
    await Promise.all([this.#clients.destroy(), ...this.#listeners.map((listener) => listener.close())]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #firstRegion(): string {
    return this.#kms.regions[0] as string;
  }

  #setPort(region: string, down: boolean): void {
    const listener = this.#regional.get(region);
    if (this.#closed || listener === undefined) return;
    if (!down) listener.resume();
    else if (listener.suspend()) this.#cutRequests(region);
  }

  #cutRequests(region: string): void {
    for (const [response, openRegion] of this.#settings.open) {
      if (openRegion === region) response.socket?.destroy();
    }
  }

  #listener(region: string): Listener {
    const listener = this.#regional.get(region);
    if (listener === undefined) throw new RangeError(`the local KMS does not serve the region "${region}"`);
    if (this.#closed) throw new Error('the local KMS is closed');
    return listener;
  }

  async #listen(regions: readonly string[], port: number): Promise<Listener> {
    const listener = await Listener.start((request, response) => {
      void exchange(this.#settings, regions, request, response);
    }, port);
    this.#listeners.push(listener);
    return listener;
  }
}

const SYMMETRIC = {
  spec: 'SYMMETRIC_DEFAULT',
  usage: 'ENCRYPT_DECRYPT',
  origin: 'AWS_KMS',
  description: '',
} as const;
