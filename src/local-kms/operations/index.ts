/**
 * The table of operations: `TrentService.<name>` of the request to what does it.
 *
 * To add one: a function in this folder, a row here. Unknown names are an UnknownOperationException.
 */
import { invalidGrantToken, unknownOperation } from '../errors.ts';
import { createAlias, deleteAlias, listAliases, listKeys, updateAlias } from './aliases.ts';
import {
  decrypt,
  encrypt,
  generateDataKey,
  generateDataKeyWithoutPlaintext,
  generateRandom,
  reEncrypt,
} from './cryptographic.ts';
import { createGrant, listGrants, retireGrant, revokeGrant } from './grants.ts';
import {
  cancelKeyDeletion,
  createKey,
  describeKey,
  disableKey,
  enableKey,
  scheduleKeyDeletion,
} from './keys.ts';
import { replicateKey, updatePrimaryRegion } from './multi-region.ts';
import type { Call, Operation, Reply } from './operation.ts';
import { getKeyPolicy, putKeyPolicy } from './policies.ts';
import {
  disableKeyRotation,
  enableKeyRotation,
  getKeyRotationStatus,
  listKeyRotations,
  rotateKeyOnDemand,
} from './rotation.ts';

const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['CancelKeyDeletion', cancelKeyDeletion],
  ['CreateAlias', createAlias],
  ['CreateGrant', createGrant],
  ['CreateKey', createKey],
  ['Decrypt', decrypt],
  ['DeleteAlias', deleteAlias],
  ['DescribeKey', describeKey],
  ['DisableKey', disableKey],
  ['DisableKeyRotation', disableKeyRotation],
  ['EnableKey', enableKey],
  ['EnableKeyRotation', enableKeyRotation],
  ['Encrypt', encrypt],
  ['GenerateDataKey', generateDataKey],
  ['GenerateDataKeyWithoutPlaintext', generateDataKeyWithoutPlaintext],
  ['GenerateRandom', generateRandom],
  ['GetKeyPolicy', getKeyPolicy],
  ['GetKeyRotationStatus', getKeyRotationStatus],
  ['ListAliases', listAliases],
  ['ListGrants', listGrants],
  ['ListKeyRotations', listKeyRotations],
  ['ListKeys', listKeys],
  ['PutKeyPolicy', putKeyPolicy],
  ['ReEncrypt', reEncrypt],
  ['ReplicateKey', replicateKey],
  ['RetireGrant', retireGrant],
  ['RevokeGrant', revokeGrant],
  ['RotateKeyOnDemand', rotateKeyOnDemand],
  ['ScheduleKeyDeletion', scheduleKeyDeletion],
  ['UpdateAlias', updateAlias],
  ['UpdatePrimaryRegion', updatePrimaryRegion],
]);

const MAX_GRANT_TOKENS = 10;

/** Performs a request. Every failure is a `KmsError`. */
export function perform(request: Omit<Call, 'grantIds'>): Reply {
  const operation = OPERATIONS.get(request.operation);
  if (operation === undefined) throw unknownOperation();
  const tokens = request.input.texts('GrantTokens', MAX_GRANT_TOKENS);
  const grantIds = tokens.map((token) => {
    const id = request.kms.tokens.open(token);
    if (id === undefined) throw invalidGrantToken();
    return id;
  });
  return operation({ ...request, grantIds: new Set(grantIds) });
}
