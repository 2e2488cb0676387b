/**
 * `frameseal decrypt`: messages back into files or onto stdout.
 */
import { decryptStream } from '../../index.ts';
import { decryptFile } from '../../node/index.ts';
import type { Io } from '../io.ts';
import { FILE_OPTIONS, KEY_OPTIONS, MESSAGE_OPTIONS, messageOptions } from '../message-options.ts';
import type { Mover } from '../move.ts';
import type { Arguments, Command } from '../options.ts';
import { transfer } from '../transfer.ts';

export const command: Command = {
  name: 'decrypt',
  usage: ['--key KEY [--key KEY ...] [options] [FILE | FOLDER | -] ...'],
  about: `Decrypts files, or stdin to stdout. FILE.fseal becomes FILE beside it, unless --output says otherwise. A file
appears when all of it has been verified. On stdout frames come as they are verified, the final one of a signed
message after the signature: if the command fails, discard what it has written. Base64 text is decoded first.`,
  options: {
    ...KEY_OPTIONS,
    'encryption-context': {
      short: 'c',
      value: 'KEY=VALUE',
      multiple: true,
      help: 'a pair that the message must carry; several times for several pairs',
    },
    ...FILE_OPTIONS,
    ...MESSAGE_OPTIONS,
  },
  run: (args, io) => transfer({ direction: 'decrypt', args, io, load: () => mover(args, io) }),
};

async function mover(args: Arguments, io: Io): Promise<Mover> {
  const options = await messageOptions(args, io);
  return {
    readsBase64: true,
    file: (source, target, more) => decryptFile(source, target, { ...options, ...more }),
    stream: ({ onProgress }) => decryptStream({ ...options, onProgress }),
  };
}
