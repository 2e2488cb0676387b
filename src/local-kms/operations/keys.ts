/**
 * Making, describing, replicating, disabling and deleting keys.
 *
 * Source: AWS KMS API Reference, the actions of the same names; AWS KMS Developer Guide, "Key states" and
 * "Multi-Region keys". Policies and tags are accepted and ignored: this server authorises everybody who signs.
 */
import { materialIdOf } from '../ciphertext-blob.ts';
import { constraint, invalidState, unsupported, validation } from '../errors.ts';
import { requireState, resolveKey, resolveManagedKey } from '../key-id.ts';
import type { KmsKey } from '../key-store.ts';
import { newKey, newReplica } from '../new-key.ts';
import type { Call, Operation, Reply } from './operation.ts';

const DAY = 86_400_000;
const USAGES = ['SIGN_VERIFY', 'ENCRYPT_DECRYPT', 'GENERATE_VERIFY_MAC', 'KEY_AGREEMENT'];

/** Signing keys can be made, so that their wrong use can be tried; they do not sign here. */
const SIGNING_ALGORITHMS: Readonly<Record<string, string>> = {
  ECC_NIST_P256: 'ECDSA_SHA_256',
  ECC_NIST_P384: 'ECDSA_SHA_384',
  ECC_NIST_P521: 'ECDSA_SHA_512',
};

export const createKey: Operation = ({ input, kms, region }) => {
  input.refuse('CustomKeyStoreId', 'XksKeyId');
  const spec = input.text('KeySpec') ?? input.text('CustomerMasterKeySpec') ?? 'SYMMETRIC_DEFAULT';
  const origin = input.oneOf('Origin', ['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE']);
  if (origin !== undefined && origin !== 'AWS_KMS' && origin !== 'EXTERNAL') {
    throw unsupported(`Origin ${origin} is not supported by the local KMS.`);
  }
  const key = newKey(kms, {
    region,
    spec,
    usage: keyUsage(spec, input.oneOf('KeyUsage', USAGES)),
    origin: origin ?? 'AWS_KMS',
    multiRegion: input.flag('MultiRegion'),
    description: description(input.text('Description')),
  });
  return { KeyMetadata: metadata({ kms }, key) };
};

export const describeKey: Operation = ({ input, kms, region }) => ({
  KeyMetadata: metadata({ kms }, resolveKey(kms.store, region, input.requiredText('KeyId'))),
});

export const replicateKey: Operation = (call) => {
  const { input, kms } = call;
  const region = input.requiredText('ReplicaRegion');
  const text = description(input.text('Description'));
  const replica = newReplica(kms, managedKey(call), region, { description: text, ready: false });
  const creating = { ...metadata({ kms }, replica), KeyState: 'Creating', Enabled: false };
  return { ReplicaKeyMetadata: creating, ReplicaPolicy: input.text('Policy') ?? '', ReplicaTags: [] };
};

export const enableKey: Operation = (call) => {
  requireState(managedKey(call)).state = 'Enabled';
  call.kms.store.changed();
  return {};
};

export const disableKey: Operation = (call) => {
  requireState(managedKey(call)).state = 'Disabled';
  call.kms.store.changed();
  return {};
};

/** A primary key with replicas waits for them: its period starts when the last one is gone. */
export const scheduleKeyDeletion: Operation = (call) => {
  const { input, kms } = call;
  const days = input.integer('PendingWindowInDays', 7, 30) ?? 30;
  const key = managedKey(call);
  if (key.state !== 'PendingImport') requireState(key);
  const waits = key.primaryRegion === key.region && kms.store.relatives(key).length > 1;
  key.state = waits ? 'PendingReplicaDeletion' : 'PendingDeletion';
  key.stateEndsAt = waits ? undefined : kms.now() + days * DAY;
  key.pendingWindowInDays = days;
  kms.store.changed();
  const date = key.stateEndsAt === undefined ? {} : { DeletionDate: seconds(key.stateEndsAt) };
  return { KeyId: key.arn, ...date, KeyState: key.state, PendingWindowInDays: days };
};

export const cancelKeyDeletion: Operation = (call) => {
  const key = managedKey(call);
  if (key.state !== 'PendingDeletion' && key.state !== 'PendingReplicaDeletion') {
    throw invalidState(key.arn, 'not pending deletion');
  }
  key.state = key.origin === 'EXTERNAL' && key.material === undefined ? 'PendingImport' : 'Disabled';
  key.stateEndsAt = undefined;
  key.pendingWindowInDays = undefined;
  call.kms.store.changed();
  return { KeyId: key.arn };
};

function managedKey({ input, kms, region }: Call): KmsKey {
  return resolveManagedKey(kms.store, region, input.requiredText('KeyId'));
}

function keyUsage(spec: string, usage: string | undefined): string {
  if (spec === 'SYMMETRIC_DEFAULT') {
    if (usage === undefined || usage === 'ENCRYPT_DECRYPT') return 'ENCRYPT_DECRYPT';
    throw validation(`KeyUsage ${usage} is not compatible with KeySpec ${spec}`);
  }
  if (usage === undefined) {
    throw validation(
      'You must specify a KeyUsage value for all KMS keys except for symmetric encryption keys.',
    );
  }
  if (usage === 'SIGN_VERIFY' && Object.hasOwn(SIGNING_ALGORITHMS, spec)) return usage;
  throw unsupported(`KeySpec ${spec} with KeyUsage ${usage} is not supported by the local KMS.`);
}

function description(text = ''): string {
  if (text.length > 8192) throw constraint('Description', text, 'have length less than or equal to 8192');
  return text;
}

/** `KeyMetadata`. Its KeyId is the bare id; only here and in ListKeys. */
function metadata({ kms }: Pick<Call, 'kms'>, key: KmsKey): Reply {
  const signing = SIGNING_ALGORITHMS[key.spec];
  return {
    AWSAccountId: kms.store.accountId,
    KeyId: key.id,
    Arn: key.arn,
    CreationDate: seconds(key.createdAt),
    Enabled: key.state === 'Enabled',
    Description: key.description,
    KeyUsage: key.usage,
    KeyState: key.state,
    Origin: key.origin,
    KeyManager: 'CUSTOMER',
    CustomerMasterKeySpec: key.spec,
    KeySpec: key.spec,
    ...(signing === undefined ? { EncryptionAlgorithms: [key.spec] } : { SigningAlgorithms: [signing] }),
    ...deletion(key),
    MultiRegion: key.primaryRegion !== undefined,
    ...(key.primaryRegion === undefined ? {} : { MultiRegionConfiguration: multiRegion({ kms }, key) }),
    ...(key.material === undefined ? {} : { CurrentKeyMaterialId: materialIdOf(key.material) }),
  };
}

function deletion(key: KmsKey): Reply {
  if (key.state === 'PendingReplicaDeletion') {
    return { PendingDeletionWindowInDays: key.pendingWindowInDays };
  }
  if (key.state !== 'PendingDeletion' || key.stateEndsAt === undefined) return {};
  return { DeletionDate: seconds(key.stateEndsAt) };
}

function multiRegion({ kms }: Pick<Call, 'kms'>, key: KmsKey): Reply {
  const relatives = kms.store.relatives(key).sort((a, b) => (a.region < b.region ? -1 : 1));
  const named = relatives.map(({ arn, region }) => ({ Arn: arn, Region: region }));
  return {
    MultiRegionKeyType: key.region === key.primaryRegion ? 'PRIMARY' : 'REPLICA',
    PrimaryKey: named.find(({ Region }) => Region === key.primaryRegion),
    ReplicaKeys: named.filter(({ Region }) => Region !== key.primaryRegion),
  };
}

function seconds(milliseconds: number): number {
  return milliseconds / 1000;
}
