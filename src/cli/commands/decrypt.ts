/**
 * `frameseal decrypt`: messages back into files or onto stdout.
 */
import { decryptStream } from '../../index.ts';
import { decryptFile } from '../../node/index.ts';
import type { Io } from '../io.ts';
import {
  FILE_OPTIONS,
  KEY_OPTIONS,
  MESSAGE_OPTIONS,
  messageOptions,
  REQUIRED_CONTEXT,
  SIDECAR_OPTION,
} from '../message-options.ts';
import type { Mover } from '../move.ts';
import type { Arguments, Command } from '../options.ts';
import { bytesOf } from '../sidecars.ts';
import { transfer } from '../transfer.ts';

export const command: Command = {
  name: 'decrypt',
  usage: ['--key KEY [--key KEY ...] [options] [FILE | FOLDER | -] ...'],
  about: `Decrypts files, or stdin to stdout. FILE.fseal becomes FILE beside it, unless --output says otherwise. A file
appears when all of it has been verified. On stdout frames come as they are verified, the final one of a signed
message after the signature: if the command fails, discard what it has written. Base64 text is decoded first. Where
FILE.fseal.sidecar lies beside the message, its keys open the message too; one that does not fit is an error.`,
  options: {
    ...KEY_OPTIONS,
    ...REQUIRED_CONTEXT,
    ...SIDECAR_OPTION,
    ...FILE_OPTIONS,
    ...MESSAGE_OPTIONS,
  },
  run: (args, io) => transfer({ direction: 'decrypt', args, io, load: () => mover(args, io) }),
};

async function mover(args: Arguments, io: Io): Promise<Mover> {
  const options = await messageOptions(args, io);
  return {
    readsBase64: true,
    sidecars: args.texts('sidecar'),
    file: (source, target, { onProgress, overwrite, sidecars }) =>
      decryptFile(source, target, { ...options, onProgress, overwrite, sidecar: bytesOf(sidecars) }),
    stream: ({ onProgress, sidecars }) =>
      decryptStream({ ...options, onProgress, sidecar: bytesOf(sidecars) }),
  };
}
