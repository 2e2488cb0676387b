/**
 * Key policies: a documented subset of the IAM policy language, enforced.
 *
 *   Statement: Effect, Principal ("*" or { AWS: … }), Action and Resource with the wildcards * and ?
 *
 * A Deny that applies wins over everything, grants included. An Allow for the account is one for the account
 * itself: the users and roles here have no IAM policies through which it would reach them. A Deny for the account
 * reaches all of them. What cannot be evaluated here (Condition, NotAction, NotPrincipal, NotResource) is refused
 * when the policy is put, so no policy means something else here than it says.
 *
 * Source: AWS KMS Developer Guide, "Key policies in AWS KMS"; AWS IAM User Guide, "IAM JSON policy reference".
 */
import { partitionOf } from './arn.ts';
import { malformedPolicy, unsupported } from './errors.ts';
import { accountArn, accountOf, isPrincipal, samePrincipal } from './principal.ts';

interface Statement {
  readonly effect: 'Allow' | 'Deny';
  /** ARNs, account ids or `*`. Principals that no caller here can be are left out. */
  readonly principals: readonly string[];
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

/** A policy that can be asked. */
export type KeyPolicy = readonly Statement[];

/** What is asked: may this principal do this with this key? */
export interface PolicyQuestion {
  /** ARN of the caller. */
  readonly caller: string;
  /** Without the prefix `kms:`, such as `ReEncryptFrom`. */
  readonly action: string;
  readonly keyArn: string;
}

const MEMBERS = ['Sid', 'Effect', 'Principal', 'Action', 'Resource'];
const NOT_EVALUATED = ['Condition', 'NotAction', 'NotPrincipal', 'NotResource'];

/** The policy of a key that was made without one: the account may do everything. Its text is that of AWS. */
export function defaultPolicy(region: string, accountId: string): string {
  return `{
  "Version" : "2012-10-17",
  "Id" : "key-default-1",
  "Statement" : [ {
    "Sid" : "Enable IAM User Permissions",
    "Effect" : "Allow",
    "Principal" : {
      "AWS" : "${accountArn(partitionOf(region), accountId)}"
    },
    "Action" : "kms:*",
    "Resource" : "*"
  } ]
}`;
}

/** Parses a policy document. Refuses one that is malformed, or that says what is not evaluated here. */
export function parsePolicy(text: string): KeyPolicy {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw malformedPolicy('The policy is not valid JSON.');
  }
  const { Statement: statements } = fieldsOf(document);
  const list = listOf(statements);
  if (list.length === 0) throw malformedPolicy('The policy has no Statement.');
  return list.map(parseStatement);
}

/** What the policy says: `undefined` if nothing of it applies. */
export function decide(policy: KeyPolicy, question: PolicyQuestion): 'Allow' | 'Deny' | undefined {
  const effects = policy.filter((statement) => applies(statement, question)).map(({ effect }) => effect);
  return effects.includes('Deny') ? 'Deny' : effects[0];
}

function parseStatement(value: unknown): Statement {
  const fields = fieldsOf(value);
  const refused = NOT_EVALUATED.find((name) => name in fields);
  if (refused !== undefined) throw unsupported(`${refused} in a policy is not supported by the local KMS.`);
  const unknown = Object.keys(fields).find((name) => !MEMBERS.includes(name));
  if (unknown !== undefined) throw malformedPolicy(`A statement has the unknown element ${unknown}.`);
  const { Effect: effect, Principal: principal, Action: action, Resource: resource } = fields;
  if (effect !== 'Allow' && effect !== 'Deny') throw malformedPolicy('Effect must be Allow or Deny.');
  return {
    effect,
    principals: principalsOf(principal),
    actions: textsOf(action, 'Action'),
    resources: textsOf(resource, 'Resource'),
  };
}

function principalsOf(value: unknown): readonly string[] {
  if (value === '*') return ['*'];
  if (value === undefined) throw malformedPolicy('A statement of a key policy needs a Principal.');
  const principals = textsOf(fieldsOf(value).AWS, 'Principal');
  if (principals.every((principal) => principal === '*' || isPrincipal(principal))) return principals;
  throw malformedPolicy('Policy contains a statement with one or more invalid principals.');
}

/** A statement without Action or Resource has no effect, but is no error. */
function textsOf(value: unknown, name: string): readonly string[] {
  return listOf(value).map((item) => {
    if (typeof item !== 'string') throw malformedPolicy(`${name} has an entry that is not a string.`);
    return item;
  });
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value };
  throw malformedPolicy('The policy has a value where an object is expected.');
}

function applies(statement: Statement, { caller, action, keyArn }: PolicyQuestion): boolean {
  return (
    statement.principals.some((principal) => names(principal, caller, statement.effect)) &&
    statement.actions.some((pattern) => matches(pattern.toLowerCase(), `kms:${action}`.toLowerCase())) &&
    statement.resources.some((pattern) => matches(pattern, keyArn))
  );
}

function names(principal: string, caller: string, effect: Statement['effect']): boolean {
  if (principal === '*' || samePrincipal(principal, caller)) return true;
  return effect === 'Deny' && samePrincipal(principal, accountOf(caller));
}

/** Wildcards of the policy language: `*` for any characters, `?` for one. */
function matches(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}
