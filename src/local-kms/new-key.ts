/** Making keys and replicas, for requests and for the caller of `startLocalKms` alike. */
import { dashed, isMultiRegionId, keyArn, partitionOf } from './arn.ts';
import { uuidDigits } from './entropy.ts';
import { alreadyExists, unsupported, validation } from './errors.ts';
import { requireUsable } from './key-id.ts';
import type { KmsKey } from './key-store.ts';
import type { KmsState } from './operations/operation.ts';

export interface NewKey {
  readonly region: string;
  readonly spec: string;
  readonly usage: string;
  readonly origin: string;
  readonly multiRegion: boolean;
  readonly description: string;
  /** Chosen by the caller; a new one by default. */
  readonly id?: string;
}

/** Adds a single-Region key or a multi-Region primary key. */
export function newKey(kms: KmsState, options: NewKey): KmsKey {
  const { region, spec, usage, origin, description } = options;
  const id = options.id ?? newKeyId(kms, region, options.multiRegion);
  if (idTaken(kms, region, id)) throw alreadyExists(id);
  const hasMaterial = spec === 'SYMMETRIC_DEFAULT' && origin === 'AWS_KMS';
  return kms.store.addKey({
    id,
    region,
    spec,
    usage,
    origin,
    description,
    createdAt: kms.now(),
    primaryRegion: options.multiRegion ? region : undefined,
    material: hasMaterial ? kms.entropy.bytes(32, 'key material', region, id) : undefined,
    state: origin === 'EXTERNAL' ? 'PendingImport' : 'Enabled',
    stateEndsAt: undefined,
    pendingWindowInDays: undefined,
  });
}

/**
 * Adds a replica with the primary's id and material; `ready`: at once, instead of `Creating` for a while.
 * Refuses another key than a usable primary, and a region that cannot have a replica.
 */
export function newReplica(
  kms: KmsState,
  primary: KmsKey,
  region: string,
  options: { readonly description: string; readonly ready: boolean },
): KmsKey {
  requireUsable(primary);
  if (primary.primaryRegion !== primary.region) {
    throw unsupported(`${primary.arn} is not a multi-region primary key.`);
  }
  checkReplicaRegion(kms, primary, region);
  const creating = !options.ready && kms.replicaCreatingMs > 0;
  return kms.store.addKey({
    ...primary,
    region,
    description: options.description,
    createdAt: kms.now(),
    state: creating ? 'Creating' : 'Enabled',
    stateEndsAt: creating ? kms.now() + kms.replicaCreatingMs : undefined,
  });
}

function checkReplicaRegion(kms: KmsState, primary: KmsKey, region: string): void {
  if (!kms.regions.includes(region)) {
    throw validation(`The replica region ${region} is not served by this local KMS.`);
  }
  if (partitionOf(region) !== partitionOf(primary.region)) {
    throw unsupported(`The replica region ${region} is not in the partition of ${primary.arn}.`);
  }
  if (kms.store.key(region, primary.id) !== undefined) {
    throw alreadyExists(keyArn(region, kms.store.accountId, primary.id));
  }
}

/** A seed gives the same ids again after a restart with a file, hence the search for a free one. */
function newKeyId(kms: KmsState, region: string, multiRegion: boolean): string {
  for (;;) {
    const digits = uuidDigits(kms.entropy.bytes(16, 'key id', region));
    const id = multiRegion ? `mrk-${digits}` : dashed(digits);
    if (!idTaken(kms, region, id)) return id;
  }
}

/** An id of a multi-Region key is taken in every region: equal ids mean related keys. */
function idTaken(kms: KmsState, region: string, id: string): boolean {
  return isMultiRegionId(id)
    ? kms.store.keys().some((key) => key.id === id)
    : kms.store.key(region, id) !== undefined;
}
