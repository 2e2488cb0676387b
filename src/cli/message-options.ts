/**
 * The options that commands on messages share, and what they mean to the library.
 */
import { FramesealError } from '../errors.ts';
import {
  type AlgorithmSuiteName,
  algorithmSuite,
  type CommitmentPolicy,
  type CommonOptions,
  type EncryptOptions,
  type EngineChoice,
  type Keyring,
} from '../index.ts';
import { UsageError } from './failure.ts';
import type { Io } from './io.ts';
import { loadKeyring, RSA_PADDINGS } from './keys.ts';
import type { Arguments, OptionSpec } from './options.ts';

const POLICIES: readonly CommitmentPolicy[] = [
  'REQUIRE_ENCRYPT_REQUIRE_DECRYPT',
  'REQUIRE_ENCRYPT_ALLOW_DECRYPT',
  'FORBID_ENCRYPT_ALLOW_DECRYPT',
];
const ENGINES: readonly EngineChoice[] = ['auto', 'wasm', 'native', 'hybrid'];
/** The library has no limit of its own; a command is given messages of strangers. */
const MAX_ENCRYPTED_DATA_KEYS = 16;

/** Keys: the same for both ways. */
export const KEY_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  key: {
    short: 'k',
    value: 'KEY',
    multiple: true,
    help: `aws-kms:ARN, aes:NAMESPACE/NAME=FILE (raw, base64 or hexadecimal)
or rsa:NAMESPACE/NAME=PEM; several times for several keys`,
  },
  'rsa-padding': {
    value: 'PADDING',
    help: `of all RSA keys: ${RSA_PADDINGS.join(', ')};\ndefault ${RSA_PADDINGS[0]}`,
  },
};

/** Where results go. */
export const FILE_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  output: { short: 'o', value: 'FILE', help: 'a file, a folder, or - for stdout; default beside each file' },
  recursive: { short: 'r', help: 'the files of folders too; links are not followed' },
  overwrite: { help: 'replace existing files' },
  suffix: { value: 'TEXT', help: 'what ends the names of messages; default .fseal' },
};

/** What the readers of messages take of their context. */
export const REQUIRED_CONTEXT: Readonly<Record<string, OptionSpec>> = {
  'encryption-context': {
    short: 'c',
    value: 'KEY=VALUE',
    multiple: true,
    help: 'a pair that the message must carry; several times for several pairs',
  },
};

/** Further keys of the message that is read. */
export const SIDECAR_OPTION: Readonly<Record<string, OptionSpec>> = {
  sidecar: {
    value: 'FILE',
    multiple: true,
    help: 'further keys of the message, from add-keys; for one message only',
  },
};

/** For what is written. */
export const DRY_RUN: Readonly<Record<string, OptionSpec>> = {
  'dry-run': { help: 'open each header, ask the new keys, say what would be done, write nothing' },
};

/** Limits and choices. */
export const MESSAGE_OPTIONS: Readonly<Record<string, OptionSpec>> = {
  'commitment-policy': { value: 'POLICY', help: `${POLICIES.join(',\n')};\ndefault the first` },
  'max-encrypted-data-keys': {
    value: 'N',
    help: `those of sidecars included; default ${MAX_ENCRYPTED_DATA_KEYS}`,
  },
  'max-frame-length': { value: 'BYTES', help: 'default 67108864, 64 MiB' },
  engine: { value: 'ENGINE', help: `${ENGINES.join(', ')}; default ${ENGINES[0]}` },
};

/** @throws UsageError, and what {@link loadKeyring} throws */
export async function messageOptions(args: Arguments, { signal }: Io): Promise<CommonOptions> {
  const options = {
    encryptionContext: contextOf(args.texts('encryption-context')),
    commitmentPolicy: policyOf(args.text('commitment-policy')),
    maxEncryptedDataKeys: args.integer('max-encrypted-data-keys', 1, 0xffff) ?? MAX_ENCRYPTED_DATA_KEYS,
    maxFrameLength: args.integer('max-frame-length', 1, 0xffff_ffff),
    engine: args.oneOf('engine', ENGINES),
    signal,
  };
  return { ...options, keyring: await keyringOf(args, 'key') };
}

/** The keyring over the keys of one option. @throws what {@link loadKeyring} throws */
export function keyringOf(args: Arguments, option: 'key' | 'add' | 'to'): Promise<Keyring> {
  const padding = args.oneOf('rsa-padding', RSA_PADDINGS) ?? 'oaep-sha256';
  return loadKeyring(args.texts(option), padding, option);
}

/** What is to be written, where the call says so. @throws UsageError */
export function formatOf(args: Arguments): Pick<EncryptOptions, 'algorithmSuite' | 'frameLength'> {
  return {
    algorithmSuite: suiteOf(args.text('suite')),
    frameLength: args.integer('frame-length', 1, 2 ** 31 - 1),
  };
}

function suiteOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  try {
    return algorithmSuite(/^0x[0-9a-f]+$/i.test(text) ? Number(text) : (text as AlgorithmSuiteName)).id;
  } catch (error) {
    if (error instanceof FramesealError) throw new UsageError(`--suite: ${error.message}`);
    throw error;
  }
}

/** Pairs KEY=VALUE; the key ends at the first equals sign. @throws UsageError, also for a key given twice */
export function contextOf(texts: readonly string[]): ReadonlyMap<string, string> {
  const context = new Map<string, string>();
  for (const text of texts) {
    const at = text.indexOf('=');
    const key = text.slice(0, Math.max(at, 0));
    if (key === '') throw new UsageError(`--encryption-context expected KEY=VALUE, got "${text}"`);
    if (context.has(key)) throw new UsageError(`--encryption-context has "${key}" twice`);
    context.set(key, text.slice(at + 1));
  }
  return context;
}

// As other tools write it too: require-encrypt-allow-decrypt.
function policyOf(text: string | undefined): CommitmentPolicy | undefined {
  if (text === undefined) return undefined;
  const policy = POLICIES.find((one) => one === text.toUpperCase().replaceAll('-', '_'));
  if (policy === undefined) {
    throw new UsageError(`--commitment-policy expected one of ${POLICIES.join(', ')}, got "${text}"`);
  }
  return policy;
}
