/**
 * From a KeyId in a request to the key: ids, key ARNs, alias names and alias ARNs.
 *
 * An ARN of another region is refused, whatever it names: a regional endpoint knows only its own keys (AWS KMS
 * Developer Guide, "Key identifiers"; "Key states" for what a key may be used for).
 */
import { aliasArn, isKeyId, keyArn, parseArn, partitionOf } from './arn.ts';
import {
  invalidKeyId,
  invalidRegionOfArn,
  invalidState,
  keyDisabled,
  noSuchAlias,
  noSuchKey,
} from './errors.ts';
import type { KeyStore } from './key-store.ts';
import { isPendingDeletion, type KeyState, type KmsKey } from './kms-key.ts';

const UNUSABLE: Readonly<Partial<Record<KeyState, string>>> = {
  Creating: 'creating',
  PendingImport: 'pending import',
  PendingDeletion: 'pending deletion',
  PendingReplicaDeletion: 'pending replica deletion',
  Updating: 'updating',
};

/** The key that any form names; cryptographic operations and DescribeKey take aliases too. */
export function resolveKey(store: KeyStore, region: string, text: string): KmsKey {
  const resource = localResource(store, region, text);
  if (!resource.startsWith('alias/')) return existingKey(store, region, text, resource);
  const alias = store.alias(region, resource);
  const key = alias && store.isVisible(alias) ? store.key(region, alias.targetKeyId) : undefined;
  if (key === undefined || !store.isVisible(key))
    throw noSuchAlias(aliasArn(region, store.accountId, resource));
  return key;
}

/** The key that a key id or key ARN names; management operations take no alias. */
export function resolveManagedKey(store: KeyStore, region: string, text: string): KmsKey {
  return existingKey(store, region, text, localResource(store, region, text));
}

/** Refuses a key that cannot do cryptographic work now. */
export function requireUsable(key: KmsKey): KmsKey {
  if (key.state === 'Disabled') throw keyDisabled(key.arn);
  return key.state === 'Updating' ? key : requireState(key);
}

/** Refuses a key that is neither enabled nor disabled. */
export function requireState(key: KmsKey): KmsKey {
  const state = UNUSABLE[key.state];
  if (state !== undefined) throw invalidState(key.arn, state);
  return key;
}

/** Refuses a key on its way out. */
export function requireKept(key: KmsKey): KmsKey {
  return isPendingDeletion(key) ? requireState(key) : key;
}

/** `alias/…` or a key id: what an ARN of this region and account names, or the text itself. */
function localResource(store: KeyStore, region: string, text: string): string {
  if (!text.startsWith('arn:')) return text;
  const arn = parseArn(text);
  if (arn?.service !== 'kms' || arn.partition !== partitionOf(arn.region)) throw invalidKeyId(text);
  if (arn.region !== region) throw invalidRegionOfArn(arn.region);
  if (arn.account !== store.accountId) throw noSuchKey(text);
  if (arn.resource.startsWith('alias/')) return arn.resource;
  if (!arn.resource.startsWith('key/')) throw invalidKeyId(text);
  return arn.resource.slice('key/'.length);
}

function existingKey(store: KeyStore, region: string, text: string, id: string): KmsKey {
  if (!isKeyId(id)) throw invalidKeyId(text);
  const key = store.key(region, id);
  if (key === undefined || !store.isVisible(key)) throw noSuchKey(keyArn(region, store.accountId, id));
  return key;
}
