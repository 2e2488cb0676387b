/**
 * What happens to keys as time passes: transient states end, deletions and rotations fall due.
 *
 * Source: AWS KMS Developer Guide, "Key states of AWS KMS keys", "Rotate AWS KMS keys" and "Deleting
 * multi-Region keys".
 */
import type { Entropy } from './entropy.ts';
import type { KeyStore } from './key-store.ts';
import { isReplica, type KmsKey, type RotationType } from './kms-key.ts';

export const DAY = 86_400_000;

/** Does what is due by `now`; true if that changed anything. */
export function settle(store: KeyStore, entropy: Entropy, now: number): boolean {
  let changed = false;
  for (const key of store.allKeys()) {
    if (key.stateEndsAt !== undefined && key.stateEndsAt <= now) changed = endState(store, key, now);
    if (key.onDemand !== undefined && key.onDemand.endsAt <= now) changed = endOnDemand(store, entropy, key);
    if (!isReplica(key)) changed = rotateAutomatically(store, entropy, key, now) || changed;
  }
  return changed;
}

/** Gives a key and all its relatives new material. The old one goes on to open what it has sealed. */
export function rotate(
  store: KeyStore,
  entropy: Entropy,
  key: KmsKey,
  rotation: RotationType,
  since: number,
): void {
  const label = [key.primaryRegion ?? key.region, key.id, String(key.materials.length)];
  const bytes = entropy.bytes(32, 'rotated key material', ...label);
  const materials = [...key.materials, { bytes, since, rotation }];
  for (const relative of store.relatives(key)) relative.materials = materials;
}

/** What was due while a key was disabled is made up for by one rotation, not by one for each date. */
export function forgiveMissedRotations(store: KeyStore, key: KmsKey, now: number): void {
  if (isReplica(key) || key.rotation === undefined || key.rotation.nextAt > now) return;
  const rotation = { ...key.rotation, nextAt: now };
  for (const relative of store.relatives(key)) relative.rotation = rotation;
}

/** A primary key with replicas waits for them: its period starts when the last one is gone. */
export function startDeletion(store: KeyStore, key: KmsKey, days: number, now: number): void {
  const waits = key.primaryRegion === key.region && store.relatives(key).length > 1;
  key.state = waits ? 'PendingReplicaDeletion' : 'PendingDeletion';
  key.stateEndsAt = waits ? undefined : now + days * DAY;
  key.pendingWindowInDays = days;
  store.changed();
}

function endState(store: KeyStore, key: KmsKey, now: number): true {
  key.stateEndsAt = undefined;
  if (key.state === 'Creating' || key.state === 'Updating') key.state = 'Enabled';
  if (key.state === 'PendingDeletion') {
    store.removeKey(key);
    startPrimaryDeletion(store, key, now);
  }
  return true;
}

/** The waiting period of a primary key begins when its last replica is gone. */
function startPrimaryDeletion(store: KeyStore, removed: KmsKey, now: number): void {
  const left = store.keys().filter(({ id }) => id === removed.id);
  const [primary] = left;
  if (left.length !== 1 || primary?.state !== 'PendingReplicaDeletion') return;
  primary.state = 'PendingDeletion';
  primary.stateEndsAt = now + (primary.pendingWindowInDays ?? 30) * DAY;
}

function endOnDemand(store: KeyStore, entropy: Entropy, key: KmsKey): true {
  const endsAt = key.onDemand?.endsAt ?? 0;
  key.onDemand = undefined;
  rotate(store, entropy, key, 'ON_DEMAND', endsAt);
  return true;
}

/** Only enabled keys rotate by themselves; each date that has passed counts. */
function rotateAutomatically(store: KeyStore, entropy: Entropy, key: KmsKey, now: number): boolean {
  let changed = false;
  while (key.state === 'Enabled' && key.rotation !== undefined && key.rotation.nextAt <= now) {
    const { periodInDays, nextAt } = key.rotation;
    rotate(store, entropy, key, 'AUTOMATIC', nextAt);
    const rotation = { periodInDays, nextAt: nextAt + periodInDays * DAY };
    for (const relative of store.relatives(key)) relative.rotation = rotation;
    changed = true;
  }
  return changed;
}
