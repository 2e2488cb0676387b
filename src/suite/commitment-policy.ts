/**
 * Commitment policies: which suites may be written and read.
 *
 * Source: AWS Encryption SDK specification, `framework/commitment-policy.md`.
 */
import { FramesealError, invalidArgument, quote } from '../errors.ts';
import { type AlgorithmSuite, suiteById } from './algorithm-suites.ts';

/** Which suites may be written and read. The default requires key commitment both ways. */
export type CommitmentPolicy =
  | 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT'
  | 'REQUIRE_ENCRYPT_ALLOW_DECRYPT'
  | 'FORBID_ENCRYPT_ALLOW_DECRYPT';

const POLICIES: readonly string[] = [
  'REQUIRE_ENCRYPT_REQUIRE_DECRYPT',
  'REQUIRE_ENCRYPT_ALLOW_DECRYPT',
  'FORBID_ENCRYPT_ALLOW_DECRYPT',
];

/** The caller's policy, or the default. @throws FramesealError `INVALID_ARGUMENT` for any other text. */
export function resolvePolicy(policy: CommitmentPolicy | undefined): CommitmentPolicy {
  if (policy === undefined) return 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT';
  if (!POLICIES.includes(policy))
    throw invalidArgument('commitmentPolicy', `one of ${POLICIES.join(', ')}`, quote(policy));
  return policy;
}

/**
 * The suite that a policy writes when the caller names none: 0x0578, under FORBID 0x0378. The specification lists
 * 0x0078 for FORBID; the official SDKs write 0x0378, and so do we.
 */
export function defaultSuite(policy: CommitmentPolicy): AlgorithmSuite {
  return suiteById(policy === 'FORBID_ENCRYPT_ALLOW_DECRYPT' ? 0x0378 : 0x0578)!;
}

/** @throws FramesealError `COMMITMENT_POLICY` if the policy does not let this suite be written. */
export function checkEncryptPolicy(policy: CommitmentPolicy, suite: AlgorithmSuite): void {
  if (!mayWrite(policy, suite)) throw refused('write', policy, suite);
}

/** Whether the policy lets this suite be written. */
export function mayWrite(policy: CommitmentPolicy, suite: AlgorithmSuite): boolean {
  return policy === 'FORBID_ENCRYPT_ALLOW_DECRYPT' ? !suite.committing : suite.committing;
}

/** @throws FramesealError `COMMITMENT_POLICY` if the policy does not let this suite be read. */
export function checkDecryptPolicy(policy: CommitmentPolicy, suite: AlgorithmSuite): void {
  if (policy === 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT' && !suite.committing) throw refused('read', policy, suite);
}

function refused(verb: string, policy: CommitmentPolicy, suite: AlgorithmSuite): FramesealError {
  const kind = suite.committing ? 'has key commitment' : 'has no key commitment';
  return new FramesealError(
    'COMMITMENT_POLICY',
    `the commitment policy ${policy} does not ${verb} ${suite.name}, which ${kind}`,
  );
}
