/**
 * Replicas, and which of the related keys is the primary one.
 *
 * Source: AWS KMS API Reference, ReplicateKey and UpdatePrimaryRegion; AWS KMS Developer Guide, "Multi-Region
 * keys".
 */
import { managedKey, requireAccess } from '../access.ts';
import { keyArn } from '../arn.ts';
import { noSuchKey, unsupported } from '../errors.ts';
import { requireUsable } from '../key-id.ts';
import { defaultPolicy } from '../key-policy.ts';
import type { KmsKey } from '../kms-key.ts';
import { newReplica, requirePrimary } from '../new-key.ts';
import { description } from './keys.ts';
import { metadata } from './metadata.ts';
import type { Call, Operation } from './operation.ts';
import { policyForNewKey } from './policies.ts';

/** The answer describes a key that is still being created: it has no key material id yet. */
export const replicateKey: Operation = (call) => {
  const { input, kms } = call;
  const region = input.requiredText('ReplicaRegion');
  const text = description(input.text('Description'));
  const primary = managedKey(call);
  const policy = policyForNewKey(call);
  const replica = newReplica(kms, primary, region, { description: text, policy, ready: false });
  const { CurrentKeyMaterialId: _, ...described } = metadata(kms, replica);
  return {
    ReplicaKeyMetadata: { ...described, KeyState: 'Creating', Enabled: false },
    ReplicaPolicy: policy ?? defaultPolicy(region, kms.store.accountId),
  };
};

/** The caller needs the permission for the old and for the new primary key. */
export const updatePrimaryRegion: Operation = (call) => {
  const { input, kms } = call;
  const region = input.requiredText('PrimaryRegion');
  const primary = requirePrimary(managedKey(call));
  const replica = newPrimary(call, primary, region);
  requireUsable(primary);
  requireUsable(replica);
  for (const key of kms.store.relatives(primary)) key.primaryRegion = region;
  if (kms.delays.primaryUpdate > 0) {
    for (const key of [primary, replica]) {
      key.state = 'Updating';
      key.stateEndsAt = kms.now() + kms.delays.primaryUpdate;
    }
  }
  kms.store.changed();
  return {};
};

function newPrimary(call: Call, primary: KmsKey, region: string): KmsKey {
  const { store } = call.kms;
  if (region === primary.region) throw unsupported(`${primary.arn} is the primary key already.`);
  const replica = store.key(region, primary.id);
  if (replica === undefined) throw noSuchKey(keyArn(region, store.accountId, primary.id));
  return requireAccess(call, replica, 'UpdatePrimaryRegion');
}
