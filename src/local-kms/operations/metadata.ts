/** `KeyMetadata`, as DescribeKey, CreateKey and ReplicateKey answer it. */
import { materialIdOf } from '../ciphertext-blob.ts';
import { currentMaterial, isReplica, type KmsKey } from '../kms-key.ts';
import { type KmsState, type Reply, seconds } from './operation.ts';

/** Signing keys can be made, so that their wrong use can be tried; they do not sign here. */
export const SIGNING_ALGORITHMS: Readonly<Record<string, string>> = {
  ECC_NIST_P256: 'ECDSA_SHA_256',
  ECC_NIST_P384: 'ECDSA_SHA_384',
  ECC_NIST_P521: 'ECDSA_SHA_512',
};

/** Its KeyId is the bare id; only here and in ListKeys. */
export function metadata(kms: KmsState, key: KmsKey): Reply {
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
    ...(key.primaryRegion === undefined ? {} : { MultiRegionConfiguration: multiRegion(kms, key) }),
    ...(key.materials.length === 0 ? {} : { CurrentKeyMaterialId: materialIdOf(currentMaterial(key)) }),
  };
}

function deletion(key: KmsKey): Reply {
  if (key.state === 'PendingReplicaDeletion') {
    return { PendingDeletionWindowInDays: key.pendingWindowInDays };
  }
  if (key.state !== 'PendingDeletion' || key.stateEndsAt === undefined) return {};
  return { DeletionDate: seconds(key.stateEndsAt) };
}

function multiRegion(kms: KmsState, key: KmsKey): Reply {
  const relatives = kms.store.relatives(key).sort((a, b) => (a.region < b.region ? -1 : 1));
  const named = relatives.map(({ arn, region }) => ({ Arn: arn, Region: region }));
  return {
    MultiRegionKeyType: isReplica(key) ? 'REPLICA' : 'PRIMARY',
    PrimaryKey: named.find(({ Region }) => Region === key.primaryRegion),
    ReplicaKeys: named.filter(({ Region }) => Region !== key.primaryRegion),
  };
}
