/**
 * The grant that a CreateGrant request asks for, and how it compares with others.
 *
 * Source: AWS KMS API Reference, CreateGrant and GrantConstraints.
 */
import { contains } from '../access.ts';
import type { EncryptionContext } from '../encryption-context.ts';
import { constraint, KmsError, validation } from '../errors.ts';
import type { Input } from '../input.ts';
import type { GrantConstraints, KmsGrant, KmsKey } from '../kms-key.ts';
import { isPrincipalArn } from '../principal.ts';
import { type Call, countsFrom } from './operation.ts';

/** What a grant on a symmetric encryption key can allow. */
const OPERATIONS = [
  'Decrypt',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'ReEncryptFrom',
  'ReEncryptTo',
  'CreateGrant',
  'RetireGrant',
  'DescribeKey',
  'GenerateDataKeyPair',
  'GenerateDataKeyPairWithoutPlaintext',
];
const NAME = /^[a-zA-Z0-9:/_-]+$/;
const MAX_PAIRS = 8;

/** Checked, and not yet added. */
export function requestedGrant(call: Call, key: KmsKey): KmsGrant {
  const { input, kms } = call;
  return {
    id: kms.entropy.bytes(32, 'grant id', key.arn).toString('hex'),
    region: key.region,
    keyId: key.id,
    name: grantName(input),
    grantee: principal(call, 'GranteePrincipal'),
    retiring: input.has('RetiringPrincipal') ? principal(call, 'RetiringPrincipal') : undefined,
    operations: grantOperations(call, key),
    constraints: grantConstraints(input),
    createdAt: kms.now(),
    effectiveAt: countsFrom(kms, kms.delays.grant),
  };
}

/** The ARN of a user, role or account. */
export function principal({ input }: Call, member: string): string {
  const arn = input.requiredText(member, 256);
  if (!isPrincipalArn(arn)) throw new KmsError('InvalidArnException', `${member} is not a valid ARN.`);
  return arn;
}

/** Whether whatever `inner` lets through, `outer` does too. */
export function isAsStrict(inner: GrantConstraints, outer: GrantConstraints): boolean {
  if (outer.equals !== undefined && !samePairs(inner.equals, outer.equals)) return false;
  return outer.subset === undefined || contains(inner.equals ?? inner.subset ?? {}, outer.subset);
}

/** Whether they differ in id and dates at most. */
export function isSameGrant(one: KmsGrant, other: KmsGrant): boolean {
  return (
    one.name === other.name &&
    one.grantee === other.grantee &&
    one.retiring === other.retiring &&
    [...one.operations].sort().join() === [...other.operations].sort().join() &&
    samePairs(one.constraints.equals, other.constraints.equals) &&
    samePairs(one.constraints.subset, other.constraints.subset)
  );
}

function grantName(input: Input): string | undefined {
  if (!input.has('Name')) return undefined;
  const name = input.requiredText('Name', 256);
  if (NAME.test(name)) return name;
  throw constraint('Name', name, `satisfy regular expression pattern: ${NAME.source}`);
}

function grantOperations({ input }: Call, key: KmsKey): readonly string[] {
  const operations = input.texts('Operations', 50);
  if (operations.length === 0) throw constraint('Operations', null, 'not be null');
  const wrong = operations.find((operation) => !OPERATIONS.includes(operation));
  if (wrong === undefined && key.spec === 'SYMMETRIC_DEFAULT') return operations;
  throw validation(`The operation ${wrong ?? operations[0]} is not supported in a grant on ${key.arn}.`);
}

function grantConstraints(input: Input): GrantConstraints {
  const members = input.object('Constraints');
  members?.refuse('SourceArn');
  return {
    equals: constraintPairs(members, 'EncryptionContextEquals'),
    subset: constraintPairs(members, 'EncryptionContextSubset'),
  };
}

function constraintPairs(members: Input | undefined, name: string): EncryptionContext | undefined {
  const pairs = members?.pairs(name);
  if (pairs !== undefined && Object.keys(pairs).length > MAX_PAIRS) {
    throw validation(`${name} has more than ${MAX_PAIRS} pairs.`);
  }
  return pairs;
}

function samePairs(one: EncryptionContext | undefined, other: EncryptionContext | undefined): boolean {
  if (one === undefined || other === undefined) return one === other;
  return contains(one, other) && contains(other, one);
}
