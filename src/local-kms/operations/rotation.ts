/**
 * Rotation of key material, by a schedule and on demand.
 *
 * Related multi-Region keys rotate together, by requests to the primary key.
 *
 * Source: AWS KMS API Reference, the actions of the same names; AWS KMS Developer Guide, "Rotate AWS KMS keys"
 * and "Key states".
 */
import { managedKey } from '../access.ts';
import { materialIdOf } from '../ciphertext-blob.ts';
import { KmsError, notPrimary, rotationLimitReached, unsupported, wrongOrigin } from '../errors.ts';
import { DAY, rotate } from '../key-clock.ts';
import { requireUsable } from '../key-id.ts';
import { isPendingDeletion, isReplica, type KeyMaterial, type KmsKey } from '../kms-key.ts';
import { type Call, type Operation, type Reply, seconds } from './operation.ts';
import { page } from './page.ts';

const DEFAULT_PERIOD = 365;
const MAX_ON_DEMAND = 10;
/** So shortly before an automatic rotation there is no other. */
const SCHEDULED_SOON_MS = 20 * 60_000;

export const enableKeyRotation: Operation = (call) => {
  const periodInDays = call.input.integer('RotationPeriodInDays', 90, 2560) ?? DEFAULT_PERIOD;
  const key = schedulableKey(call);
  setRotation(call, key, { periodInDays, nextAt: call.kms.now() + periodInDays * DAY });
  return {};
};

export const disableKeyRotation: Operation = (call) => {
  setRotation(call, schedulableKey(call), undefined);
  return {};
};

/** A key that is pending deletion does not rotate, and says so. */
export const getKeyRotationStatus: Operation = (call) => {
  const key = requireSchedulable(requireSymmetric(managedKey(call)));
  const rotation = isPendingDeletion(key) ? undefined : key.rotation;
  const schedule = rotation && {
    RotationPeriodInDays: rotation.periodInDays,
    NextRotationDate: seconds(rotation.nextAt),
  };
  const started = key.onDemand && { OnDemandRotationStartDate: seconds(key.onDemand.startedAt) };
  return { KeyId: key.arn, KeyRotationEnabled: rotation !== undefined, ...schedule, ...started };
};

export const rotateKeyOnDemand: Operation = (call) => {
  const { kms } = call;
  const key = requireOwnRotation(requireSymmetric(requireUsable(managedKey(call))));
  const now = kms.now();
  if (key.onDemand !== undefined || (key.rotation && key.rotation.nextAt - now < SCHEDULED_SOON_MS)) {
    throw new KmsError('ConflictException', `A rotation of ${key.arn} is in progress or scheduled to begin.`);
  }
  const onDemand = key.materials.filter(({ rotation }) => rotation === 'ON_DEMAND').length;
  if (onDemand >= MAX_ON_DEMAND) throw rotationLimitReached(key.arn);
  if (kms.delays.rotation > 0) key.onDemand = { startedAt: now, endsAt: now + kms.delays.rotation };
  else rotate(kms.store, kms.entropy, key, 'ON_DEMAND', now);
  kms.store.changed();
  return { KeyId: key.arn };
};

export const listKeyRotations: Operation = (call) => {
  const { input } = call;
  const all = input.oneOf('IncludeKeyMaterial', ['ALL_KEY_MATERIAL', 'ROTATIONS_ONLY']);
  const key = requireSymmetric(managedKey(call));
  const listed = key.materials
    .map((material, index) => ({ material, name: String(index).padStart(6, '0') }))
    .filter(({ material }) => all === 'ALL_KEY_MATERIAL' || material.rotation !== undefined);
  const { entries, rest } = page(input, listed, ({ name }) => name, { size: 100, max: 1000 });
  return { Rotations: entries.map(({ material }) => rotationEntry(key, material)), ...rest };
};

function rotationEntry(key: KmsKey, material: KeyMaterial): Reply {
  const rotated = { RotationDate: seconds(material.since), RotationType: material.rotation };
  return {
    KeyId: key.arn,
    KeyMaterialId: materialIdOf(material),
    KeyMaterialState: material === key.materials.at(-1) ? 'CURRENT' : 'NON_CURRENT',
    ...(material.rotation === undefined ? {} : rotated),
  };
}

function setRotation({ kms }: Call, key: KmsKey, rotation: KmsKey['rotation']): void {
  for (const relative of kms.store.relatives(key)) relative.rotation = rotation;
  kms.store.changed();
}

/** A key whose schedule can be changed now. */
function schedulableKey(call: Call): KmsKey {
  const key = requireSchedulable(requireSymmetric(managedKey(call)));
  return requireOwnRotation(requireUsable(key));
}

/** The service makes no new material for keys whose material comes from elsewhere. */
function requireSchedulable(key: KmsKey): KmsKey {
  if (key.origin !== 'AWS_KMS') throw wrongOrigin(key.arn);
  return key;
}

function requireSymmetric(key: KmsKey): KmsKey {
  if (key.spec !== 'SYMMETRIC_DEFAULT') throw unsupported();
  return key;
}

/** A replica takes over the rotations of its primary key and has none of its own. */
function requireOwnRotation(key: KmsKey): KmsKey {
  if (isReplica(key)) throw notPrimary(key.arn);
  return key;
}
