/**
 * What the service keeps: keys, aliases and grants. Times are milliseconds since 1970.
 *
 * Source: AWS KMS API Reference, `KeyMetadata`, `RotationsListEntry` and `GrantListEntry`.
 */
import type { EncryptionContext } from './encryption-context.ts';

export const KEY_STATES = [
  'Creating',
  'Enabled',
  'Disabled',
  'PendingImport',
  'PendingDeletion',
  'PendingReplicaDeletion',
  'Updating',
] as const;

export type KeyState = (typeof KEY_STATES)[number];

/** What brought new key material. */
export type RotationType = 'AUTOMATIC' | 'ON_DEMAND';

export interface KeyMaterial {
  /** 32 bytes. */
  readonly bytes: Buffer;
  /** When it became the current one. */
  readonly since: number;
  /** `undefined` for the first material of a key. */
  readonly rotation: RotationType | undefined;
}

/** One key in one region. */
export interface KmsKey {
  readonly id: string;
  readonly region: string;
  readonly arn: string;
  readonly description: string;
  readonly usage: string;
  readonly spec: string;
  readonly origin: string;
  readonly createdAt: number;
  /** Before this time requests do not find it; 0 for always. */
  readonly visibleAt: number;
  /** Region of the primary key; `undefined` for single-Region keys. */
  primaryRegion: string | undefined;
  /**
   * Oldest first; the last one is current. Empty while an import is pending and for keys that do not encrypt.
   * Related multi-Region keys have the same ones.
   */
  materials: readonly KeyMaterial[];
  /** Automatic rotation, if enabled. Related multi-Region keys have the same. */
  rotation: { readonly periodInDays: number; readonly nextAt: number } | undefined;
  /** The on-demand rotation in progress. */
  onDemand: { readonly startedAt: number; readonly endsAt: number } | undefined;
  /** The key policy as it was put; `undefined` for the default one. */
  policy: string | undefined;
  state: KeyState;
  /** When the present state ends by itself: `Creating`, `Updating` and `PendingDeletion` do. */
  stateEndsAt: number | undefined;
  pendingWindowInDays: number | undefined;
}

export interface KmsAlias {
  readonly name: string;
  readonly region: string;
  readonly arn: string;
  readonly createdAt: number;
  readonly visibleAt: number;
  targetKeyId: string;
  updatedAt: number;
}

/** Grant constraints: the encryption context of a request must equal or contain these pairs. */
export interface GrantConstraints {
  readonly equals: EncryptionContext | undefined;
  readonly subset: EncryptionContext | undefined;
}

/** A grant on one key in one region. */
export interface KmsGrant {
  /** 64 hexadecimal digits. */
  readonly id: string;
  readonly region: string;
  readonly keyId: string;
  readonly name: string | undefined;
  /** ARNs of IAM principals. */
  readonly grantee: string;
  readonly retiring: string | undefined;
  readonly operations: readonly string[];
  readonly constraints: GrantConstraints;
  readonly createdAt: number;
  /** From this time it counts without its token; 0 for always. */
  readonly effectiveAt: number;
}

/** The material that encrypts; the key must have one. */
export function currentMaterial(key: KmsKey): KeyMaterial {
  const material = key.materials.at(-1);
  if (material === undefined) throw new Error(`${key.arn} has no key material; please report`);
  return material;
}

/** Whether it is on its way out. */
export function isPendingDeletion({ state }: KmsKey): boolean {
  return state === 'PendingDeletion' || state === 'PendingReplicaDeletion';
}

/** A multi-Region key whose primary is elsewhere. */
export function isReplica({ primaryRegion, region }: KmsKey): boolean {
  return primaryRegion !== undefined && primaryRegion !== region;
}
