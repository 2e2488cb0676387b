/**
 * Key policies. What of them is enforced: see `key-policy.ts`.
 *
 * Source: AWS KMS API Reference, GetKeyPolicy and PutKeyPolicy.
 */
import { managedKey } from '../access.ts';
import { KmsError, malformedPolicy, noSuchPolicy } from '../errors.ts';
import { decide, defaultPolicy, parsePolicy } from '../key-policy.ts';
import type { Call, Operation } from './operation.ts';

const NAME = 'default';
const MAX_POLICY = 32_768;
const CHARACTERS = /^[\t\n\r\u0020-\u00ff]+$/;

export const getKeyPolicy: Operation = (call) => {
  const key = managedKey(call);
  requireName(call);
  const policy = key.policy ?? defaultPolicy(key.region, call.kms.store.accountId);
  return { Policy: policy, PolicyName: NAME };
};

export const putKeyPolicy: Operation = (call) => {
  const key = managedKey(call);
  requireName(call);
  const policy = call.input.requiredText('Policy', 131_072);
  checkPolicy(call, policy, key.arn);
  key.policy = policy;
  call.kms.store.changed();
  return {};
};

/** `Policy` of a request that makes a key. */
export function policyForNewKey(call: Call): string | undefined {
  if (!call.input.has('Policy')) return undefined;
  const policy = call.input.requiredText('Policy', 131_072);
  checkPolicy(call, policy, '*');
  return policy;
}

/** Unless told otherwise, refuses a policy under which its writer could not replace it. */
function checkPolicy({ input, caller }: Call, text: string, keyArn: string): void {
  if (text.length > MAX_POLICY) {
    throw new KmsError('LimitExceededException', `The policy has more than ${MAX_POLICY} characters.`);
  }
  if (!CHARACTERS.test(text)) throw malformedPolicy('The policy has characters that are not allowed.');
  const policy = parsePolicy(text);
  if (input.flag('BypassPolicyLockoutSafetyCheck')) return;
  if (decide(policy, { caller, action: 'PutKeyPolicy', keyArn }) !== 'Allow') {
    throw malformedPolicy('The new key policy will not allow you to update the key policy in the future.');
  }
}

function requireName({ input }: Call): void {
  if ((input.text('PolicyName') ?? NAME) !== NAME) throw noSuchPolicy();
}
