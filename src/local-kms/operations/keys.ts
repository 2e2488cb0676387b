/**
 * Making, describing, disabling and deleting keys.
 *
 * Source: AWS KMS API Reference, the actions of the same names; AWS KMS Developer Guide, "Key states". Tags are
 * accepted and ignored.
 */
import { managedKey, requireAccount, usedKey } from '../access.ts';
import { constraint, invalidState, unsupported, validation } from '../errors.ts';
import { forgiveMissedRotations, startDeletion } from '../key-clock.ts';
import { requireKept, requireState } from '../key-id.ts';
import { isPendingDeletion } from '../kms-key.ts';
import { newKey } from '../new-key.ts';
import { metadata, SIGNING_ALGORITHMS } from './metadata.ts';
import { type Operation, seconds } from './operation.ts';
import { policyForNewKey } from './policies.ts';

const USAGES = ['SIGN_VERIFY', 'ENCRYPT_DECRYPT', 'GENERATE_VERIFY_MAC', 'KEY_AGREEMENT'];
const ORIGINS = ['AWS_KMS', 'EXTERNAL', 'AWS_CLOUDHSM', 'EXTERNAL_KEY_STORE'];

export const createKey: Operation = (call) => {
  const { input, kms, region } = call;
  requireAccount(call);
  input.refuse('CustomKeyStoreId', 'XksKeyId');
  const spec = input.text('KeySpec') ?? input.text('CustomerMasterKeySpec') ?? 'SYMMETRIC_DEFAULT';
  const origin = input.oneOf('Origin', ORIGINS) ?? 'AWS_KMS';
  if (origin !== 'AWS_KMS' && origin !== 'EXTERNAL') {
    throw unsupported(`Origin ${origin} is not supported by the local KMS.`);
  }
  const key = newKey(kms, {
    region,
    spec,
    usage: keyUsage(spec, input.oneOf('KeyUsage', USAGES)),
    origin,
    multiRegion: input.flag('MultiRegion'),
    description: description(input.text('Description')),
    policy: policyForNewKey(call),
  });
  return { KeyMetadata: metadata(kms, key) };
};

export const describeKey: Operation = (call) => ({
  KeyMetadata: metadata(call.kms, usedKey(call, call.input.requiredText('KeyId'), 'DescribeKey')),
});

export const enableKey: Operation = (call) => {
  const { kms } = call;
  const key = requireState(managedKey(call));
  key.state = 'Enabled';
  forgiveMissedRotations(kms.store, key, kms.now());
  kms.store.changed();
  return {};
};

export const disableKey: Operation = (call) => {
  requireState(managedKey(call)).state = 'Disabled';
  call.kms.store.changed();
  return {};
};

export const scheduleKeyDeletion: Operation = (call) => {
  const { input, kms } = call;
  const days = input.integer('PendingWindowInDays', 7, 30) ?? 30;
  const key = requireKept(managedKey(call));
  if (key.state === 'Updating') throw invalidState(key.arn, 'updating');
  startDeletion(kms.store, key, days, kms.now());
  const date = key.stateEndsAt === undefined ? {} : { DeletionDate: seconds(key.stateEndsAt) };
  return { KeyId: key.arn, ...date, KeyState: key.state, PendingWindowInDays: days };
};

export const cancelKeyDeletion: Operation = (call) => {
  const key = managedKey(call);
  if (!isPendingDeletion(key)) throw invalidState(key.arn, 'not pending deletion');
  key.state = key.origin === 'EXTERNAL' && key.materials.length === 0 ? 'PendingImport' : 'Disabled';
  key.stateEndsAt = undefined;
  key.pendingWindowInDays = undefined;
  call.kms.store.changed();
  return { KeyId: key.arn };
};

export function description(text = ''): string {
  if (text.length > 8192) throw constraint('Description', text, 'have length less than or equal to 8192');
  return text;
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
