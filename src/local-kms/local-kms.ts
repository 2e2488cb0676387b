/** Puts the parts together: state, ports, clients. */
import { isKeyId, isMultiRegionId, parseArn } from './arn.ts';
import { BlobSealer } from './ciphertext-blob.ts';
import { ClientCache } from './clients.ts';
import { type Entropy, randomEntropy, seededEntropy } from './entropy.ts';
import { type ExchangeSettings, exchange } from './exchange.ts';
import { type Fault, FaultBoard } from './faults.ts';
import { resolveManagedKey } from './key-id.ts';
import { KeyStore } from './key-store.ts';
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
import { loadState, saveState } from './state-file.ts';

/** Recognisably made up. */
const CREDENTIALS = {
  accessKeyId: 'AKIDLOCALKMSEXAMPLE',
  secretAccessKey: 'local-kms-example-secret-key-not-a-real-one',
} as const;

/**
 * Starts a local KMS: one port for all regions, and one per region.
 *
 * Rejects if an option cannot work, if NODE_ENV is `production` (see `allowProduction`), if the port is taken,
 * or if `file` is of another account, of no known format or open to others than its owner.
 */
export function startLocalKms(options: LocalKmsOptions): Promise<LocalKms> {
  return RunningLocalKms.start(options);
}

/** The service behind the ports, with the keys of its file if it has one. */
function openState(options: LocalKmsOptions): KmsState {
  const { file, seed, regions, replicaCreatingMs = 0, now = () => Date.now() } = options;
  const saved = file === undefined ? undefined : loadState(file);
  if (saved && options.accountId !== undefined && options.accountId !== saved.accountId) {
    throw new Error(`local KMS: "${file}" is of account ${saved.accountId}, not ${options.accountId}`);
  }
  const entropy: Entropy = seed === undefined ? randomEntropy : seededEntropy(seed);
  const secret = saved?.secret ?? entropy.bytes(32, 'server secret');
  const save = (store: KeyStore) => file !== undefined && saveState(file, secret, store);
  const accountId = saved?.accountId ?? options.accountId ?? '000000000000';
  const store = new KeyStore(accountId, now, save, saved);
  store.changed();
  return { store, blobs: new BlobSealer(secret, entropy), entropy, regions, replicaCreatingMs, now };
}

class RunningLocalKms implements LocalKms {
  readonly credentials = CREDENTIALS;
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
    this.#settings = {
      kms: this.#kms,
      log,
      faults: new FaultBoard(),
      credentials: CREDENTIALS,
      cors: options.cors ?? [],
      open: new Map(),
    };
    const config = { ...options.clientOptions, credentials: CREDENTIALS };
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
      AWS_ACCESS_KEY_ID: CREDENTIALS.accessKeyId,
      AWS_SECRET_ACCESS_KEY: CREDENTIALS.secretAccessKey,
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
    const key = newKey(this.#kms, { ...SYMMETRIC, region, multiRegion, ...(keyId && { id: keyId }) });
    if (alias !== undefined) addAlias(this.#kms, alias, key);
    return { arn: key.arn };
  }

  async replicateKey({ arn, region }: { arn: string; region: string }): Promise<{ arn: string }> {
    const primary = resolveManagedKey(this.#kms.store, parseArn(arn)?.region ?? '', arn);
    return { arn: newReplica(this.#kms, primary, region, { description: '', ready: true }).arn };
  }

  setFault(region: string, fault: Fault | null): void {
    const listener = this.#listener(region);
    this.#settings.faults.set(region, fault);
    if (this.#settings.faults.isDown(region)) this.#takeDown(region, listener);
    else listener.resume();
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([this.#clients.destroy(), ...this.#listeners.map((listener) => listener.close())]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  get #firstRegion(): string {
    return this.#kms.regions[0] as string;
  }

  #takeDown(region: string, listener: Listener): void {
    listener.suspend();
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
