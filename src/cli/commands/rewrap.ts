/**
 * `frameseal rewrap`: messages under other keys.
 */
import { unlink } from 'node:fs/promises';
import { rewrapStream } from '../../index.ts';
import { rewrapFile } from '../../node/index.ts';
import { fileError, UsageError } from '../failure.ts';
import type { Io } from '../io.ts';
import {
  DRY_RUN,
  FILE_OPTIONS,
  formatOf,
  KEY_OPTIONS,
  keyringOf,
  MESSAGE_OPTIONS,
  messageOptions,
  REQUIRED_CONTEXT,
  SIDECAR_OPTION,
} from '../message-options.ts';
import type { Mover } from '../move.ts';
import type { Arguments, Command } from '../options.ts';
import { besideOf, bytesOf, type SidecarFile } from '../sidecars.ts';
import { transfer } from '../transfer.ts';

const { output, recursive, overwrite, suffix } = FILE_OPTIONS;

export const command: Command = {
  name: 'rewrap',
  usage: ['--key KEY [--key KEY ...] --to KEY [--to KEY ...] [options] [FILE | FOLDER | -] ...'],
  about: `Writes messages anew under other keys: IN PLACE, unless --output says otherwise, stdin to stdout. A file is
replaced when all of the old message has been verified and the new one is on the disk. The old keys open the new
message only with --keep-existing. Where it is sound the data key stays; whoever has read the message once can read
the new one then, so say --fresh-data-key after a leak. A copy of the old message still opens with the old keys.
FILE.sidecar beside a message opens it too, and is removed when the message has been rewrapped in place.`,
  options: {
    ...KEY_OPTIONS,
    to: { value: 'KEY', multiple: true, help: 'a key of the new message; an RSA public key is enough' },
    'keep-existing': { help: 'the old keys open the new message too; fails where the data key cannot stay' },
    'fresh-data-key': { help: 'a new data key in any case' },
    'keep-data-key': { help: 'never a new data key: fail where the old one cannot stay' },
    ...REQUIRED_CONTEXT,
    ...SIDECAR_OPTION,
    output: { ...output!, help: 'a file, a folder, or - for stdout; default in place' },
    recursive: recursive!,
    overwrite: { ...overwrite!, help: 'replace existing files that --output names' },
    suffix: suffix!,
    suite: { value: 'SUITE', help: "default the old one, or the policy's where that may not be written" },
    'frame-length': { value: 'BYTES', help: 'default that of the old message' },
    ...DRY_RUN,
    ...MESSAGE_OPTIONS,
  },
  run: (args, io) => transfer({ direction: 'rewrap', args, io, load: () => mover(args, io) }),
};

async function mover(args: Arguments, io: Io): Promise<Mover> {
  const options = {
    keepExisting: args.flag('keep-existing'),
    freshDataKey: freshDataKeyOf(args),
    ...formatOf(args),
    ...(await messageOptions(args, io)),
    to: await keyringOf(args, 'to'),
  };
  return {
    readsBase64: false,
    sidecars: args.texts('sidecar'),
    file: async (source, target, { onProgress, dryRun, sidecars, ...more }) => {
      const inPlace = target === source;
      const given = { ...options, onProgress, dryRun, sidecar: bytesOf(sidecars) };
      if (!inPlace) return rewrapFile(source, target, { ...given, ...more });
      const result = await rewrapFile(source, undefined, given);
      const removedSidecar = dryRun ? undefined : await removeSidecar(source, sidecars);
      return { ...result, ...(removedSidecar !== undefined && { removedSidecar }) };
    },
    stream: ({ onProgress, sidecars }) =>
      rewrapStream({ ...options, onProgress, sidecar: bytesOf(sidecars) }),
  };
}

function freshDataKeyOf(args: Arguments): boolean | undefined {
  const [fresh, keep, existing] = ['fresh-data-key', 'keep-data-key', 'keep-existing'].map((name) =>
    args.flag(name),
  );
  if (fresh && (keep || existing)) {
    const other = keep ? '--keep-data-key' : '--keep-existing';
    throw new UsageError(`--fresh-data-key and ${other} exclude each other: no old key opens a new data key`);
  }
  return fresh ? true : keep ? false : undefined;
}

// It fits the old message alone.
async function removeSidecar(message: string, sidecars: readonly SidecarFile[]): Promise<string | undefined> {
  const path = besideOf(message);
  if (!sidecars.some((one) => one.path === path)) return undefined;
  try {
    await unlink(path);
  } catch (cause) {
    throw fileError(path, 'remove the sidecar of the rewrapped message', cause);
  }
  return path;
}
