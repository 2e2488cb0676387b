/**
 * Keys, aliases and grants of all regions of one account, in memory.
 *
 * A multi-Region key is one entry per region, all with the same id and the same material. What time changes,
 * such as a key past its deletion date, is made up for before the next look-up.
 */
import { aliasArn, keyArn } from './arn.ts';
import type { KmsAlias, KmsGrant, KmsKey } from './kms-key.ts';

/** Keys and aliases without their ARNs, which follow from account, region and id; grants. */
export interface KeyStoreContent {
  readonly keys: readonly Omit<KmsKey, 'arn'>[];
  readonly aliases: readonly Omit<KmsAlias, 'arn'>[];
  readonly grants: readonly KmsGrant[];
}

/** What the store does not do itself. */
export interface KeyStoreHooks {
  /** The server's clock, in milliseconds since 1970. */
  now(): number;
  /** Runs before look-ups and does what is due; true if it changed something. */
  settle(store: KeyStore): boolean;
  /** Runs after each change and may throw, which fails the request. */
  changed(store: KeyStore): void;
}

export class KeyStore {
  readonly accountId: string;
  readonly #keys = new Map<string, KmsKey>();
  readonly #aliases = new Map<string, KmsAlias>();
  readonly #grants = new Map<string, KmsGrant>();
  readonly #hooks: KeyStoreHooks;
  #settling = false;

  constructor(accountId: string, hooks: KeyStoreHooks, saved?: KeyStoreContent) {
    this.accountId = accountId;
    this.#hooks = hooks;
    for (const key of saved?.keys ?? []) this.#setKey(key);
    for (const alias of saved?.aliases ?? []) this.#setAlias(alias);
    for (const grant of saved?.grants ?? []) this.#grants.set(grant.id, grant);
  }

  key(region: string, id: string): KmsKey | undefined {
    this.#settle();
    return this.#keys.get(`${region}/${id}`);
  }

  /** All keys in any order, as they were at the last look-up. */
  allKeys(): IterableIterator<KmsKey> {
    return this.#keys.values();
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

  /** All grants, or those on one key, ordered by id. */
  grants(key?: KmsKey): KmsGrant[] {
    this.#settle();
    const found = [...this.#grants.values()].filter(
      ({ region, keyId }) => key === undefined || (region === key.region && keyId === key.id),
    );
    return found.sort((a, b) => (a.id < b.id ? -1 : 1));
  }

  /** Whether requests find it by now: after its creation that takes a while, if so configured. */
  isVisible({ visibleAt }: { readonly visibleAt: number }): boolean {
    return visibleAt <= this.#hooks.now();
  }

  addKey(key: Omit<KmsKey, 'arn'>): KmsKey {
    const added = this.#setKey(key);
    this.changed();
    return added;
  }

  /** Removes a key with its aliases and grants; to be called while settling only. */
  removeKey(key: KmsKey): void {
    this.#keys.delete(`${key.region}/${key.id}`);
    for (const [name, alias] of this.#aliases) {
      if (alias.region === key.region && alias.targetKeyId === key.id) this.#aliases.delete(name);
    }
    for (const { id } of this.grants(key)) this.#grants.delete(id);
  }

  addAlias(alias: Omit<KmsAlias, 'arn'>): void {
    this.#setAlias(alias);
    this.changed();
  }

  removeAlias(alias: KmsAlias): void {
    this.#aliases.delete(`${alias.region}/${alias.name}`);
    this.changed();
  }

  addGrant(grant: KmsGrant): void {
    this.#grants.set(grant.id, grant);
    this.changed();
  }

  removeGrants(grants: readonly KmsGrant[]): void {
    for (const { id } of grants) this.#grants.delete(id);
    this.changed();
  }

  /** To be called after a change to a key or alias that the store handed out. */
  changed(): void {
    this.#hooks.changed(this);
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

  /** Look-ups made while settling do not start it again. */
  #settle(): void {
    if (this.#settling) return;
    this.#settling = true;
    try {
      if (this.#hooks.settle(this)) this.changed();
    } finally {
      this.#settling = false;
    }
  }
}
