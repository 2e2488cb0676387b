/**
 * The multi-keyring: one generator, and children that wrap or unwrap the same data key.
 *
 * Source: AWS Encryption SDK specification, `framework/multi-keyring.md`.
 */
import type { EncryptedDataKey } from '../encrypted-data-key.ts';
import { type DecryptAttempt, escapeText, FramesealError, invalidArgument, kindOf } from '../errors.ts';
import { isOurs, markOurs } from '../materials/data-key.ts';
import type { DecryptionMaterials, EncryptionMaterials } from '../materials/materials.ts';
import {
  type Keyring,
  noDataKey,
  type OnDecryptOptions,
  type OnEncryptOptions,
  refuseDataKey,
} from './keyring.ts';

/** Options of {@link multiKeyring}: a generator, or at least one child, or both. */
export interface MultiKeyringOptions {
  /** Generates the data key. Without it, the multi-keyring can only wrap a data key that another has generated. */
  readonly generator?: Keyring;
  readonly children?: readonly Keyring[];
}

/**
 * A keyring of keyrings. On encrypt the generator goes first; then children of this library wrap in parallel, and a
 * caller's own child runs alone and sees every entry before it; entries stand in configured order. On decrypt the
 * generator and then each child are asked in turn until one opens the data key.
 * @throws FramesealError `INVALID_ARGUMENT` without any keyring.
 */
export function multiKeyring(options: MultiKeyringOptions): Keyring {
  const { generator, children = [] } = options;
  const members = generator ? [generator, ...children] : [...children];
  if (members.length === 0)
    throw invalidArgument('children', 'at least one keyring, or a generator', kindOf(children));
  for (const member of members) {
    if (typeof member?.onEncrypt !== 'function')
      throw invalidArgument('children', 'keyrings', kindOf(member));
  }
  const groups = parallelGroups(children);

  async function onEncrypt(
    materials: EncryptionMaterials,
    call: OnEncryptOptions,
  ): Promise<EncryptionMaterials> {
    let current = generator ? await generate(generator, materials, call) : materials;
    if (current.plaintextDataKey === undefined) {
      throw new FramesealError(
        'INVALID_ARGUMENT',
        '"generator" expected a keyring, got none: children only wrap a data key',
      );
    }
    for (const group of groups) current = await wrapAll(group, current, call);
    return current;
  }

  async function onDecrypt(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
    call: OnDecryptOptions,
  ): Promise<DecryptionMaterials> {
    refuseDataKey(materials);
    const failures: unknown[] = [];
    for (const member of members) {
      try {
        const answer = await member.onDecrypt(materials, encryptedDataKeys, call);
        if (answer.plaintextDataKey !== undefined) return answer;
      } catch (error) {
        if (call.signal?.aborted) throw error;
        failures.push(error);
      }
    }
    if (failures.length === 0) return materials;
    throw allFailed(failures);
  }

  const keyring = { onEncrypt, onDecrypt };
  return members.every(isOurs) ? markOurs(keyring) : keyring;
}

async function generate(
  generator: Keyring,
  materials: EncryptionMaterials,
  call: OnEncryptOptions,
): Promise<EncryptionMaterials> {
  if (materials.plaintextDataKey !== undefined) {
    throw new FramesealError(
      'INVALID_ARGUMENT',
      '"generator" expected materials without a data key: it would be the second generator',
    );
  }
  return generator.onEncrypt(materials, call);
}

// Neighbours of ours form one group; a caller's keyring is a group of its own.
function parallelGroups(children: readonly Keyring[]): Keyring[][] {
  const groups: Keyring[][] = [];
  let open: Keyring[] | undefined;
  for (const child of children) {
    if (isOurs(child) && open !== undefined) {
      open.push(child);
    } else {
      const group = [child];
      groups.push(group);
      open = isOurs(child) ? group : undefined;
    }
  }
  return groups;
}

// All are tried before one failure fails the whole.
async function wrapAll(
  group: readonly Keyring[],
  materials: EncryptionMaterials,
  call: OnEncryptOptions,
): Promise<EncryptionMaterials> {
  if (group.length === 1) return group[0]!.onEncrypt(materials, call);
  const answers = await Promise.allSettled(group.map((keyring) => keyring.onEncrypt(materials, call)));
  const failures = answers.flatMap((answer) =>
    answer.status === 'rejected' ? [answer.reason as unknown] : [],
  );
  if (failures.length > 0) throw wrapFailure(failures);
  const before = materials.encryptedDataKeys.length;
  const added = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  return {
    ...materials,
    encryptedDataKeys: [
      ...materials.encryptedDataKeys,
      ...added.flatMap((one) => one.encryptedDataKeys.slice(before)),
    ],
    missingKeys: [
      ...(materials.missingKeys ?? []),
      ...added.flatMap((one) => one.missingKeys?.slice(materials.missingKeys?.length ?? 0) ?? []),
    ],
  };
}

function wrapFailure(failures: readonly unknown[]): unknown {
  if (failures.length === 1) return failures[0];
  const first = failures.find((failure) => failure instanceof FramesealError) ?? failures[0];
  const texts = failures.map((failure) => (failure instanceof Error ? failure.message : String(failure)));
  const code = first instanceof FramesealError ? first.code : 'INVALID_ARGUMENT';
  return new FramesealError(
    code,
    `${failures.length} keyrings could not wrap the data key: ${texts.join('; ')}`,
    {
      cause: new AggregateError(failures),
      ...(first instanceof FramesealError && {
        region: first.region,
        ...(first.operation !== undefined && { operation: first.operation }),
        ...(first.keyId !== undefined && { keyId: first.keyId }),
      }),
    },
  );
}

function allFailed(failures: readonly unknown[]): unknown {
  const known = failures.filter((failure) => failure instanceof FramesealError);
  // A PKCS#1 v1.5 key that proved to be another message's: the common authentication error, whatever else failed.
  const provisional = known.find((failure) => failure.code === 'AUTHENTICATION_FAILED');
  if (provisional !== undefined) return provisional;
  const attempts = failures.flatMap(attemptsOf);
  return noDataKey(
    attempts,
    failures.filter((failure) => !(failure instanceof FramesealError) || failure.cause !== undefined),
  );
}

function attemptsOf(failure: unknown): readonly DecryptAttempt[] {
  if (failure instanceof FramesealError && failure.attempts.length > 0) return failure.attempts;
  const reason = escapeText(failure instanceof Error ? failure.message : String(failure));
  return [{ providerId: '', keyName: '', keyring: 'keyring', reason }];
}
