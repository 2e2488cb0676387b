/**
 * Keys and aliases of all regions of one account, in memory.
 *
 * A multi-Region key is one entry per region, all with the same id and the same material. Time moves states
 * along: a replica stops being `Creating`, a key past its deletion date is gone. That is done lazily, before
 * the next look-up (AWS KMS Developer Guide, "Key states of AWS KMS keys").
 */
import { aliasArn, keyArn } from './arn.ts';

export type KeyState =
  | 'Creating'
  | 'Enabled'
  | 'Disabled'
  | 'PendingImport'
  | 'PendingDeletion'
  | 'PendingReplicaDeletion';

/** One key in one region. Times are milliseconds since 1970. */
export interface KmsKey {
  readonly id: string;
  readonly region: string;
  readonly arn: string;
  readonly description: string;
  readonly usage: string;
  readonly spec: string;
  readonly origin: string;
  readonly createdAt: number;
  /** Region of the primary key; `undefined` for single-Region keys. */
  readonly primaryRegion: string | undefined;
  /** 32 bytes; `undefined` while an import is pending and for keys that do not encrypt. */
  readonly material: Buffer | undefined;
  state: KeyState;
  /** When the present state ends by itself: `Creating` and `PendingDeletion` do. */
  stateEndsAt: number | undefined;
  pendingWindowInDays: number | undefined;
}

export interface KmsAlias {
  readonly name: string;
  readonly region: string;
  readonly arn: string;
  targetKeyId: string;
  readonly createdAt: number;
  updatedAt: number;
}

/** Keys and aliases without their ARNs, which follow from account, region and id. */
export interface KeyStoreContent {
  readonly keys: readonly Omit<KmsKey, 'arn'>[];
  readonly aliases: readonly Omit<KmsAlias, 'arn'>[];
}

const DAY = 86_400_000;

export class KeyStore {
  readonly accountId: string;
  readonly #keys = new Map<string, KmsKey>();
  readonly #aliases = new Map<string, KmsAlias>();
  readonly #now: () => number;
  readonly #onChange: (store: KeyStore) => void;

  /** `onChange` runs after each change and may throw, which fails the request. */
  constructor(
    accountId: string,
    now: () => number,
    onChange: (store: KeyStore) => void,
    saved: KeyStoreContent = { keys: [], aliases: [] },
  ) {
    this.accountId = accountId;
    this.#now = now;
    this.#onChange = onChange;
    for (const key of saved.keys) this.#setKey(key);
    for (const alias of saved.aliases) this.#setAlias(alias);
  }

  key(region: string, id: string): KmsKey | undefined {
    this.#settle();
    return this.#keys.get(`${region}/${id}`);
  }

  /** All keys, or those of one region, ordered by id. */
  keys(region?: string): KmsKey[] {
    this.#settle();
    const found = [...this.#keys.values()].filter((key) => region === undefined || key.region === region);
    return found.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** The primary key and the replicas that a key belongs to, itself included. */
  relatives(key: KmsKey): KmsKey[] {
    return key.primaryRegion === undefined ? [key] : this.keys().filter(({ id }) => id === key.id);
  }

  alias(region: string, name: string): KmsAlias | undefined {
    this.#settle();
    return this.#aliases.get(`${region}/${name}`);
  }

  /** All aliases, or those of one region, ordered by name. */
  aliases(region?: string): KmsAlias[] {
    this.#settle();
    const found = [...this.#aliases.values()].filter(
      (alias) => region === undefined || alias.region === region,
    );
    return found.sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  addKey(key: Omit<KmsKey, 'arn'>): KmsKey {
    const added = this.#setKey(key);
    this.changed();
    return added;
  }

  addAlias(alias: Omit<KmsAlias, 'arn'>): void {
    this.#setAlias(alias);
    this.changed();
  }

  removeAlias(alias: KmsAlias): void {
    this.#aliases.delete(`${alias.region}/${alias.name}`);
    this.changed();
  }

  /** To be called after a change to a key or alias that the store handed out. */
  changed(): void {
    this.#onChange(this);
  }

  #setKey(key: Omit<KmsKey, 'arn'>): KmsKey {
    const added = { ...key, arn: keyArn(key.region, this.accountId, key.id) };
    this.#keys.set(`${key.region}/${key.id}`, added);
    return added;
  }

  #setAlias(alias: Omit<KmsAlias, 'arn'>): void {
    const added = { ...alias, arn: aliasArn(alias.region, this.accountId, alias.name) };
    this.#aliases.set(`${alias.region}/${alias.name}`, added);
  }

  #settle(): void {
    const now = this.#now();
    for (const key of this.#keys.values()) {
      if (key.stateEndsAt !== undefined && key.stateEndsAt <= now) this.#endState(key);
    }
  }

  #endState(key: KmsKey): void {
    key.stateEndsAt = undefined;
    if (key.state === 'Creating') key.state = 'Enabled';
    if (key.state === 'PendingDeletion') this.#removeKey(key);
    this.changed();
  }

  #removeKey(key: KmsKey): void {
    this.#keys.delete(`${key.region}/${key.id}`);
    for (const [name, alias] of this.#aliases) {
      if (alias.region === key.region && alias.targetKeyId === key.id) this.#aliases.delete(name);
    }
    this.#startPrimaryDeletion(key);
  }

  /** The waiting period of a primary key begins when its last replica is gone. */
  #startPrimaryDeletion(removed: KmsKey): void {
    const left = [...this.#keys.values()].filter(({ id }) => id === removed.id);
    const [primary] = left;
    if (left.length !== 1 || primary?.state !== 'PendingReplicaDeletion') return;
    primary.state = 'PendingDeletion';
    primary.stateEndsAt = this.#now() + (primary.pendingWindowInDays ?? 30) * DAY;
  }
}
