/**
 * `frameseal add-keys`: further wrapping keys for messages, in sidecars beside them.
 */
import { unreachable } from '../../errors.ts';
import { addWrappingKeysToFile } from '../../node/index.ts';
import type { Io } from '../io.ts';
import {
  DRY_RUN,
  FILE_OPTIONS,
  KEY_OPTIONS,
  keyringOf,
  MESSAGE_OPTIONS,
  messageOptions,
  REQUIRED_CONTEXT,
} from '../message-options.ts';
import type { Mover } from '../move.ts';
import type { Arguments, Command } from '../options.ts';
import { transfer } from '../transfer.ts';

const { output, recursive, suffix } = FILE_OPTIONS;

export const command: Command = {
  name: 'add-keys',
  usage: ['--key KEY [--key KEY ...] --add KEY [--add KEY ...] [options] FILE | FOLDER ...'],
  about: `Adds keys to messages: any one of them opens a message from then on, as its own keys do. The message stays as it
is, and only its header is read; the keys go into FILE.sidecar beside it, which decrypt and rewrap find there. Keys
that the sidecar has already stay, and one of them may be the --key. Nobody's access ends by it: see rewrap.`,
  options: {
    ...KEY_OPTIONS,
    add: { value: 'KEY', multiple: true, help: 'a key to add; an RSA public key is enough' },
    ...REQUIRED_CONTEXT,
    output: { ...output!, help: "the sidecar's file, or a folder; default beside each message" },
    recursive: recursive!,
    suffix: suffix!,
    ...DRY_RUN,
    ...MESSAGE_OPTIONS,
  },
  run: (args, io) => transfer({ direction: 'add-keys', args, io, load: () => mover(args, io) }),
};

async function mover(args: Arguments, io: Io): Promise<Mover> {
  const options = { ...(await messageOptions(args, io)), add: await keyringOf(args, 'add') };
  return {
    readsBase64: false,
    file: async (message, sidecar, { dryRun }) => {
      const result = await addWrappingKeysToFile(message, sidecar, { ...options, dryRun });
      const { header, added, encryptedDataKeys } = result;
      const bytesWritten = dryRun ? 0 : result.sidecar.length;
      return { header, added, sidecarKeys: encryptedDataKeys, bytesRead: header.headerLength, bytesWritten };
    },
    stream: () => {
      throw unreachable('keys were to be added to a stream');
    },
  };
}
