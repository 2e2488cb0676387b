/**
 * What a rewrap comes to: whether the data key stays, and the suite that the new message is written in.
 *
 * | old message | new message |
 * |---|---|
 * | unsigned, with a KDF, of a suite that may be written | same data key and suite |
 * | signed: its signing key is gone | new data key, same suite |
 * | without KDF: its derived key would be the old one | new data key, same suite |
 * | of a suite that the policy does not let be written | new data key, the policy's default suite |
 *
 * Every new message has a new message id, and so derived keys of its own: a second header is never authenticated under
 * the keys of a first. Two tags under one key and IV give the hash key away (NIST SP 800-38D, appendix A), and with
 * it every frame.
 */
import { FramesealError } from '../errors.ts';
import type { AlgorithmSuite } from '../suite/algorithm-suites.ts';
import { type CommitmentPolicy, defaultSuite, mayWrite } from '../suite/commitment-policy.ts';

/** What the caller wants. */
export interface RewrapWishes {
  readonly commitmentPolicy: CommitmentPolicy;
  /** The suite to write; absent: the old one, if it may be written. */
  readonly algorithmSuite: AlgorithmSuite | undefined;
  /** Absent: as the suite allows. */
  readonly freshDataKey: boolean | undefined;
  readonly keepExisting: boolean;
}

/** What comes of it. */
export interface RewrapPlan {
  readonly dataKey: 'kept' | 'new';
  readonly suite: AlgorithmSuite;
}

/** @throws FramesealError `UNSUPPORTED` if the data key is to stay and cannot. */
export function planRewrap(old: AlgorithmSuite, wishes: RewrapWishes): RewrapPlan {
  const { commitmentPolicy, algorithmSuite, freshDataKey, keepExisting } = wishes;
  const same = mayWrite(commitmentPolicy, old) ? old : defaultSuite(commitmentPolicy);
  const suite = algorithmSuite ?? same;
  if (freshDataKey === true) return { dataKey: 'new', suite };
  const why = whyNew(old, suite);
  if (why === undefined) return { dataKey: 'kept', suite };
  const wish = keepExisting ? '"keepExisting" is true' : freshDataKey === false && '"freshDataKey" is false';
  if (wish === false) return { dataKey: 'new', suite };
  throw new FramesealError(
    'UNSUPPORTED',
    `${wish}, and ${why}: leave that out for a new data key, or add keys to the message as it is with addWrappingKeys`,
  );
}

function whyNew(old: AlgorithmSuite, suite: AlgorithmSuite): string | undefined {
  if (old !== suite) return `the data key of ${old.name} cannot serve ${suite.name}, which is to be written`;
  if (old.signature) return `the message is signed (${old.name}), by a key that no longer exists`;
  if (old.kdf === undefined) return `${old.name} has no KDF: a data key serves one message only`;
  return undefined;
}
