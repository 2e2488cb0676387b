/**
 * The multi-keyring: one generator, and children that wrap or unwrap the same data key.
 *
 * A caller's own keyring is given a copy of the data key and its answer is checked: it adds entries, and changes nothing
 * else. Source: AWS Encryption SDK specification, `framework/multi-keyring.md`.
 */
import { copy, equal } from '../bytes.ts';
import {
  checkEncryptedDataKey,
  copyEncryptedDataKey,
  type EncryptedDataKey,
  sameEncryptedDataKey,
} from '../encrypted-data-key.ts';
import {
  checkOptions,
  combined,
  type DecryptAttempt,
  escapeText,
  FramesealError,
  invalidArgument,
  kindOf,
  textOf,
  throwIfAborted,
} from '../errors.ts';
import { isOurs, markOurs } from '../materials/data-key.ts';
import type { DecryptionMaterials, EncryptionMaterials, MissingKey } from '../materials/materials.ts';
import {
  checkKeyring,
  hasDataKey,
  type Keyring,
  noDataKey,
  type OnDecryptOptions,
  type OnEncryptOptions,
  refuseDataKey,
} from './keyring.ts';

/** Options of {@link multiKeyring}: a generator, or at least one child, or both. */
export interface MultiKeyringOptions {
  /** Generates the data key. Without it, the multi-keyring can only wrap a data key that another has generated. */
  readonly generator?: Keyring | undefined;
  readonly children?: readonly Keyring[] | undefined;
}

/**
 * A keyring of keyrings. On encrypt the generator goes first; then children of this library wrap in parallel, and a
 * caller's own child runs alone and sees every entry before it; entries stand in configured order. On decrypt the
 * generator and then each child are asked in turn until one opens the data key.
 * @throws FramesealError `INVALID_ARGUMENT` without any keyring.
 */
export function multiKeyring(options: MultiKeyringOptions): Keyring {
  checkOptions(options, ['generator', 'children']);
  const { generator, children = [] } = options;
  if (!Array.isArray(children)) throw invalidArgument('children', 'an array of keyrings', kindOf(children));
  const members: readonly Keyring[] = generator ? [generator, ...children] : [...children];
  if (members.length === 0) throw invalidArgument('children', 'at least one keyring, or a generator', 'none');
  for (const member of members) checkKeyring(member === generator ? 'generator' : 'children', member);
  const groups = parallelGroups(children);

  async function onEncrypt(
    materials: EncryptionMaterials,
    call: OnEncryptOptions,
  ): Promise<EncryptionMaterials> {
    const generated = generator ? await generate(generator, materials, call) : materials;
    if (generated.plaintextDataKey === undefined) {
      throw invalidArgument('generator', 'a keyring, because children only wrap a data key', 'none');
    }
    try {
      let current = generated;
      for (const group of groups) current = await wrapAll(group, current, call);
      return current;
    } catch (error) {
      if (generator) generated.plaintextDataKey.fill(0);
      throw error;
    }
  }

  async function onDecrypt(
    materials: DecryptionMaterials,
    encryptedDataKeys: readonly EncryptedDataKey[],
    call: OnDecryptOptions,
  ): Promise<DecryptionMaterials> {
    refuseDataKey(materials);
    const failures: unknown[] = [];
    for (const member of members) {
      throwIfAborted(call.signal);
      try {
        const answer = await member.onDecrypt(materials, encryptedDataKeys, call);
        if (hasDataKey(answer, materials.algorithmSuite.keyLength))
          return { ...materials, plaintextDataKey: owned(member, answer.plaintextDataKey) };
        if (answer?.plaintextDataKey != null)
          failures.push(new Error('it answered no data key of the right length'));
      } catch (error) {
        throwIfAborted(call.signal);
        failures.push(error);
      }
    }
    if (failures.length === 0) return materials;
    throw allFailed(failures);
  }

  const keyring = markOurs({ onEncrypt, onDecrypt });
  membersOf.set(keyring, members);
  return keyring;
}

const membersOf = new WeakMap<Keyring, readonly Keyring[]>();

/**
 * The keyring as one that only wraps a data key that is there: a multi-keyring's generator is one of its children then.
 * For data keys of finished messages; a multi-keyring itself refuses them, as `framework/multi-keyring.md#onencrypt` wants.
 */
export function asWrapper(keyring: Keyring): Keyring {
  return multiKeyring({ children: membersOf.get(keyring)?.map(asWrapper) ?? [keyring] });
}

// The generator's data key, as bytes that are ours: so that what is handed on may be wiped by whoever is done with it.
async function generate(
  generator: Keyring,
  materials: EncryptionMaterials,
  call: OnEncryptOptions,
): Promise<EncryptionMaterials> {
  if (materials.plaintextDataKey !== undefined) {
    throw invalidArgument(
      'generator',
      'materials without a data key',
      'one: this would be the second generator',
    );
  }
  const answer = await generator.onEncrypt(materials, call);
  const { keyLength } = materials.algorithmSuite;
  if (!(answer?.plaintextDataKey instanceof Uint8Array) || answer.plaintextDataKey.length !== keyLength) {
    throw invalidArgument(
      'generator',
      `a keyring that answers a data key of ${keyLength} bytes`,
      kindOf(answer?.plaintextDataKey),
    );
  }
  return {
    ...materials,
    plaintextDataKey: owned(generator, answer.plaintextDataKey),
    encryptedDataKeys: checkedEntries('generator', answer.encryptedDataKeys),
    missingKeys: missingKeysOf(answer) ?? [],
  };
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
  const answers = await Promise.allSettled(group.map((keyring) => wrap(keyring, materials, call)));
  throwIfAborted(call.signal);
  const failures = answers.flatMap((answer) =>
    answer.status === 'rejected' ? [answer.reason as unknown] : [],
  );
  if (failures.length > 0) throw combined(failures, 'keyrings could not wrap the data key');
  const added = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
  const { encryptedDataKeys, missingKeys = [] } = materials;
  return {
    ...materials,
    encryptedDataKeys: [
      ...encryptedDataKeys,
      ...added.flatMap((one) => one.encryptedDataKeys.slice(encryptedDataKeys.length)),
    ],
    missingKeys: [
      ...missingKeys,
      ...added.flatMap((one) => one.missingKeys?.slice(missingKeys.length) ?? []),
    ],
  };
}

async function wrap(
  keyring: Keyring,
  materials: EncryptionMaterials,
  call: OnEncryptOptions,
): Promise<EncryptionMaterials> {
  if (isOurs(keyring)) return keyring.onEncrypt(materials, call);
  const plaintextDataKey = copy(materials.plaintextDataKey!);
  const encryptedDataKeys = materials.encryptedDataKeys.map(copyEncryptedDataKey);
  const lent = { ...materials, plaintextDataKey, encryptedDataKeys: [...encryptedDataKeys] };
  try {
    const answer = await keyring.onEncrypt(lent, call);
    checkKey(materials, plaintextDataKey, answer);
    const entries = checkedEntries('children', answer.encryptedDataKeys);
    const kept = materials.encryptedDataKeys.every(
      (edk, i) => entries[i] !== undefined && sameEncryptedDataKey(edk, entries[i]),
    );
    if (!kept)
      throw invalidArgument(
        'children',
        'keyrings that keep the entries before theirs',
        'fewer or other ones',
      );
    const missingKeys = missingKeysOf(answer) ?? materials.missingKeys ?? [];
    return { ...materials, encryptedDataKeys: entries, missingKeys };
  } finally {
    plaintextDataKey.fill(0);
  }
}

// A caller's child is lent a copy, which it may wipe; it must not wrap another data key.
function checkKey(before: EncryptionMaterials, lent: Uint8Array, answer: EncryptionMaterials): void {
  const key = answer?.plaintextDataKey;
  const same = key === lent || (key instanceof Uint8Array && equal(key, before.plaintextDataKey!));
  if (!same) throw invalidArgument('children', 'keyrings that keep the data key', kindOf(key));
}

// A caller's keyring may be one around ours: what it reports is passed on.
function missingKeysOf({ missingKeys }: EncryptionMaterials): readonly MissingKey[] | undefined {
  return Array.isArray(missingKeys) ? missingKeys : undefined;
}

function checkedEntries(argument: string, edks: readonly EncryptedDataKey[]): EncryptedDataKey[] {
  if (!Array.isArray(edks))
    throw invalidArgument(argument, 'a keyring that answers encrypted data keys', kindOf(edks));
  for (const edk of edks) checkEncryptedDataKey(edk);
  return edks.map(copyEncryptedDataKey);
}

function owned(keyring: Keyring, dataKey: Uint8Array): Uint8Array {
  return isOurs(keyring) ? dataKey : copy(dataKey);
}

function allFailed(failures: readonly unknown[]): unknown {
  // A PKCS#1 v1.5 key that proved to be another message's: the common authentication error, whatever else failed.
  const provisional = failures.find(
    (failure) => failure instanceof FramesealError && failure.code === 'AUTHENTICATION_FAILED',
  );
  if (provisional !== undefined) return provisional;
  const causes = failures.filter(
    (failure) => !(failure instanceof FramesealError) || failure.cause !== undefined,
  );
  return noDataKey(failures.flatMap(attemptsOf), causes);
}

function attemptsOf(failure: unknown): readonly DecryptAttempt[] {
  if (failure instanceof FramesealError && failure.attempts.length > 0) return failure.attempts;
  const reason = escapeText(textOf(failure));
  return [{ providerId: '', keyName: '', keyring: 'keyring', reason }];
}
