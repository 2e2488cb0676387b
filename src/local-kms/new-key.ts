/** Making keys and replicas, for requests and for the caller of `startLocalKms` alike. */
import { dashed, isMultiRegionId, keyArn, partitionOf } from './arn.ts';
import { uuidDigits } from './entropy.ts';
import { alreadyExists, notPrimary, unsupported, validation } from './errors.ts';
import { requireState, requireUsable } from './key-id.ts';
import type { KeyMaterial, KmsKey } from './kms-key.ts';
import { countsFrom, type KmsState } from './operations/operation.ts';

export interface NewKey {
  readonly region: string;
  readonly spec: string;
  readonly usage: string;
  readonly origin: string;
  readonly multiRegion: boolean;
  readonly description: string;
  /** A checked key policy; the default one without it. */
  readonly policy?: string | undefined;
  /** Chosen by the caller; a new one by default. */
  readonly id?: string;
  /** Whether it can be used at once, however long new keys otherwise take to be seen. */
  readonly ready?: boolean;
}

export interface NewReplica {
  readonly description: string;
  readonly policy?: string | undefined;
  /** Whether it can be used at once, instead of being `Creating` for a while. */
  readonly ready: boolean;
}

/** Adds a single-Region key or a multi-Region primary key. */
export function newKey(kms: KmsState, options: NewKey): KmsKey {
  const { region, spec, usage, origin, description, policy } = options;
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
    policy,
    createdAt: kms.now(),
    visibleAt: countsFrom(kms, options.ready ? 0 : kms.delays.visibility),
    primaryRegion: options.multiRegion ? region : undefined,
    materials: hasMaterial ? [firstMaterial(kms, region, id)] : [],
    rotation: undefined,
    onDemand: undefined,
    state: origin === 'EXTERNAL' ? 'PendingImport' : 'Enabled',
    stateEndsAt: undefined,
    pendingWindowInDays: undefined,
  });
}

/**
 * Adds a replica with the primary's id, material and rotation. Refuses another key than a usable primary, and a
 * region that cannot have a replica.
 */
export function newReplica(kms: KmsState, primary: KmsKey, region: string, options: NewReplica): KmsKey {
  requirePrimary(primary);
  requireState(requireUsable(primary));
  checkReplicaRegion(kms, primary, region);
  const { replica, visibility } = kms.delays;
  const creating = !options.ready && replica > 0;
  return kms.store.addKey({
    ...primary,
    region,
    description: options.description,
    policy: options.policy,
    createdAt: kms.now(),
    visibleAt: countsFrom(kms, options.ready ? 0 : visibility),
    onDemand: undefined,
    state: creating ? 'Creating' : 'Enabled',
    stateEndsAt: creating ? kms.now() + replica : undefined,
  });
}

/** Refuses what is not the primary key of a multi-Region key. */
export function requirePrimary(key: KmsKey): KmsKey {
  if (key.primaryRegion !== key.region) throw notPrimary(key.arn);
  return key;
}

function firstMaterial(kms: KmsState, region: string, id: string): KeyMaterial {
  const bytes = kms.entropy.bytes(32, 'key material', region, id);
  return { bytes, since: kms.now(), rotation: undefined };
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
