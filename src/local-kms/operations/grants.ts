/**
 * Grants: permissions for one principal on one key, given and taken back without a policy.
 *
 * Source: AWS KMS API Reference, CreateGrant, ListGrants, RetireGrant, RevokeGrant; AWS KMS Developer Guide,
 * "Grants in AWS KMS" and "Creating grants".
 */
import { grantsFor, isAccountCaller, managedKey, policyDecision } from '../access.ts';
import { partitionOf } from '../arn.ts';
import { accessDenied, invalidGrantToken, KmsError, noSuchGrant, validation } from '../errors.ts';
import { requireUsable, resolveManagedKey } from '../key-id.ts';
import type { KmsGrant, KmsKey } from '../kms-key.ts';
import { accountArn, samePrincipal } from '../principal.ts';
import { isAsStrict, isSameGrant, principal, requestedGrant } from './grant-request.ts';
import { type Call, endDryRun, type Operation, type Reply, seconds } from './operation.ts';
import { page } from './page.ts';

const GRANT_ID = /^[0-9a-f]{64}$/;

/** With a name, the same request again answers the same grant under another token. */
export const createGrant: Operation = (call) => {
  const { kms, input } = call;
  input.refuse('GranteeServicePrincipal', 'RetiringServicePrincipal');
  const key = requireUsable(managedKey(call));
  const grant = requestedGrant(call, key);
  requireDelegable(call, key, grant);
  endDryRun(call);
  const same = kms.store.grants(key).find((other) => grant.name !== undefined && isSameGrant(grant, other));
  const { id } = same ?? grant;
  if (same === undefined) kms.store.addGrant(grant);
  return { GrantId: id, GrantToken: kms.tokens.issue(id) };
};

export const listGrants: Operation = (call) => {
  const { input, kms } = call;
  input.refuse('GranteeServicePrincipal');
  const key = managedKey(call);
  const id = input.has('GrantId') ? grantId(call) : undefined;
  const grantee = input.has('GranteePrincipal') ? principal(call, 'GranteePrincipal') : undefined;
  const grants = kms.store
    .grants(key)
    .filter((grant) => id === undefined || grant.id === id)
    .filter((grant) => grantee === undefined || samePrincipal(grant.grantee, grantee));
  const { entries, rest } = page(input, grants, (grant) => grant.id, { size: 50, max: 100 });
  return { Grants: entries.map((grant) => grantEntry(call, key, grant)), ...rest };
};

/** For the account, the retiring principal, and a grantee that the grant allows it; no policy allows it. */
export const retireGrant: Operation = (call) => {
  const { key, grant } = grantToRetire(call);
  const may =
    isAccountCaller(call) ||
    (grant.retiring !== undefined && samePrincipal(grant.retiring, call.caller)) ||
    grantsFor(call, key, 'RetireGrant').includes(grant);
  if (policyDecision(call, key, 'RetireGrant') === 'Deny' || !may) {
    throw accessDenied(call.caller, 'RetireGrant', `resource: ${key.arn}`, '');
  }
  endDryRun(call);
  call.kms.store.removeGrants([grant]);
  return {};
};

export const revokeGrant: Operation = (call) => {
  const grant = grantOf(call, managedKey(call), grantId(call));
  endDryRun(call);
  call.kms.store.removeGrants([grant]);
  return {};
};

/** Who may create grants only by a grant can pass on no more than that one allows. */
function requireDelegable(call: Call, key: KmsKey, grant: KmsGrant): void {
  if (policyDecision(call, key, 'CreateGrant') === 'Allow') return;
  const covered = grantsFor(call, key, 'CreateGrant').some(
    (own) =>
      grant.operations.every((operation) => own.operations.includes(operation)) &&
      isAsStrict(grant.constraints, own.constraints),
  );
  if (covered) return;
  const why = ' because the grant that allows it does not allow what is to be granted';
  throw accessDenied(call.caller, 'CreateGrant', `resource: ${key.arn}`, why);
}

/** By a token, or by the key and the grant id. */
function grantToRetire(call: Call): { key: KmsKey; grant: KmsGrant } {
  const { input, kms, region } = call;
  const token = input.text('GrantToken');
  if (token === undefined) {
    if (!input.has('KeyId') || !input.has('GrantId')) {
      throw validation('Please specify either the grant token, or the key ID and the grant ID.');
    }
    const key = resolveManagedKey(kms.store, region, input.requiredText('KeyId'));
    return { key, grant: grantOf(call, key, grantId(call)) };
  }
  if (input.has('GrantId')) throw validation('Please specify either the grant token or the grant ID.');
  const id = kms.tokens.open(token);
  const grant = kms.store.grants().find((one) => one.id === id);
  const key = grant && grant.region === region ? kms.store.key(region, grant.keyId) : undefined;
  if (grant === undefined || key === undefined) throw invalidGrantToken();
  return { key, grant };
}

function grantId({ input }: Call): string {
  const id = input.requiredText('GrantId', 128);
  if (!GRANT_ID.test(id)) throw new KmsError('InvalidGrantIdException', 'The grant ID is not valid.');
  return id;
}

function grantOf({ kms }: Call, key: KmsKey, id: string): KmsGrant {
  const grant = kms.store.grants(key).find((one) => one.id === id);
  if (grant === undefined) throw noSuchGrant(id);
  return grant;
}

function grantEntry({ kms }: Call, key: KmsKey, grant: KmsGrant): Reply {
  const { equals, subset } = grant.constraints;
  const constraints = {
    ...(equals && { EncryptionContextEquals: equals }),
    ...(subset && { EncryptionContextSubset: subset }),
  };
  return {
    KeyId: key.arn,
    GrantId: grant.id,
    Name: grant.name ?? '',
    CreationDate: seconds(grant.createdAt),
    GranteePrincipal: grant.grantee,
    ...(grant.retiring !== undefined && { RetiringPrincipal: grant.retiring }),
    IssuingAccount: accountArn(partitionOf(key.region), kms.store.accountId),
    Operations: grant.operations,
    ...((equals ?? subset) !== undefined && { Constraints: constraints }),
  };
}
