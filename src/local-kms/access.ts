/**
 * Whether the caller of a request may do something with a key: the key policy first, then the grants.
 *
 * Source: AWS KMS Developer Guide, "Troubleshooting AWS KMS permissions" (the order) and "Grants in AWS KMS".
 */
import type { EncryptionContext } from './encryption-context.ts';
import { accessDenied } from './errors.ts';
import { resolveKey, resolveManagedKey } from './key-id.ts';
import { decide, defaultPolicy, parsePolicy } from './key-policy.ts';
import type { KmsGrant, KmsKey } from './kms-key.ts';
import type { Call } from './operations/operation.ts';
import { accountOf, samePrincipal } from './principal.ts';

/** Operations whose grants an encryption context constrains; DescribeKey and RetireGrant have none. */
const WITHOUT_CONTEXT = ['CreateGrant', 'DescribeKey', 'RetireGrant'];

/** The key of a management operation, which takes only a key id or key ARN. */
export function managedKey(call: Call, member = 'KeyId'): KmsKey {
  const { input, kms, region } = call;
  return requireAccess(
    call,
    resolveManagedKey(kms.store, region, input.requiredText(member)),
    call.operation,
  );
}

/** The key of an operation that takes aliases too. `action`: what is done with it, such as `ReEncryptTo`. */
export function usedKey(call: Call, keyId: string, action: string, context?: EncryptionContext): KmsKey {
  return requireAccess(call, resolveKey(call.kms.store, call.region, keyId), action, context);
}

/** Refuses a caller that may not do `action` with a key. */
export function requireAccess(call: Call, key: KmsKey, action: string, context?: EncryptionContext): KmsKey {
  const decision = access(call, key, action, context);
  if (decision === 'Allow') return key;
  const why =
    decision === 'Deny'
      ? ' with an explicit deny in a resource-based policy'
      : ` because no resource-based policy allows the kms:${action} action`;
  throw accessDenied(call.caller, action, `resource: ${key.arn}`, why);
}

export function hasAccess(call: Call, key: KmsKey, action: string, context?: EncryptionContext): boolean {
  return access(call, key, action, context) === 'Allow';
}

/** Operations on no key in particular: users and roles have no policies that would allow them. */
export function requireAccount(call: Call): void {
  if (isAccountCaller(call)) return;
  const why = ` because no identity-based policy allows the kms:${call.operation} action`;
  throw accessDenied(call.caller, call.operation, 'resource: *', why);
}

export function isAccountCaller({ caller }: Call): boolean {
  return samePrincipal(caller, accountOf(caller));
}

/** What the key's policy says about the caller. */
export function policyDecision(
  { kms, caller }: Call,
  key: KmsKey,
  action: string,
): 'Allow' | 'Deny' | undefined {
  const text = key.policy ?? defaultPolicy(key.region, kms.store.accountId);
  return decide(parsePolicy(text), { caller, action, keyArn: key.arn });
}

function access(
  call: Call,
  key: KmsKey,
  action: string,
  context?: EncryptionContext,
): 'Allow' | 'Deny' | undefined {
  const granted = () => (grantsFor(call, key, action, context).length > 0 ? 'Allow' : undefined);
  return policyDecision(call, key, action) ?? granted();
}

/** The grants by which the caller may do `action`: those in effect, and those whose token is in the request. */
export function grantsFor(
  { kms, caller, grantIds }: Call,
  key: KmsKey,
  action: string,
  context: EncryptionContext = {},
): KmsGrant[] {
  const now = kms.now();
  return kms.store
    .grants(key)
    .filter(
      (grant) =>
        samePrincipal(grant.grantee, caller) &&
        grant.operations.includes(action) &&
        (grant.effectiveAt <= now || grantIds.has(grant.id)) &&
        (WITHOUT_CONTEXT.includes(action) || allowsContext(grant, context)),
    );
}

function allowsContext({ constraints }: KmsGrant, context: EncryptionContext): boolean {
  const { equals, subset } = constraints;
  if (equals !== undefined && !(contains(equals, context) && contains(context, equals))) return false;
  return subset === undefined || contains(context, subset);
}

/** Whether `all` has every pair of `some`. */
export function contains(all: EncryptionContext, some: EncryptionContext): boolean {
  return Object.entries(some).every(([key, value]) => Object.hasOwn(all, key) && all[key] === value);
}
