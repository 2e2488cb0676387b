/**
 * `frameseal encrypt`: files, folders or stdin into messages.
 */
import { encryptStream } from '../../index.ts';
import { encryptFile } from '../../node/index.ts';
import type { Io } from '../io.ts';
import { FILE_OPTIONS, formatOf, KEY_OPTIONS, MESSAGE_OPTIONS, messageOptions } from '../message-options.ts';
import type { Mover } from '../move.ts';
import type { Arguments, Command } from '../options.ts';
import { transfer } from '../transfer.ts';

export const command: Command = {
  name: 'encrypt',
  usage: ['--key KEY [--key KEY ...] [options] [FILE | FOLDER | -] ...'],
  about: `Encrypts files, or stdin to stdout. Any one of the keys will decrypt the message. The first one makes the data
key; an RSA public key is enough. FILE becomes FILE.fseal beside it, unless --output says otherwise.`,
  options: {
    ...KEY_OPTIONS,
    'encryption-context': {
      short: 'c',
      value: 'KEY=VALUE',
      multiple: true,
      help: 'stored in clear and authenticated; several times for several pairs',
    },
    ...FILE_OPTIONS,
    suite: { value: 'SUITE', help: 'a name or an id such as 0x0478; default 0x0578 (committing, signed)' },
    'frame-length': { value: 'BYTES', help: 'plaintext bytes of a frame; default 4096' },
    ...MESSAGE_OPTIONS,
  },
  run: (args, io) => transfer({ direction: 'encrypt', args, io, load: () => mover(args, io) }),
};

async function mover(args: Arguments, io: Io): Promise<Mover> {
  const options = { ...formatOf(args), ...(await messageOptions(args, io)) };
  return {
    readsBase64: false,
    file: (source, target, { onProgress, overwrite }) =>
      encryptFile(source, target, { ...options, onProgress, overwrite }),
    stream: ({ onProgress }) => encryptStream({ ...options, onProgress }),
  };
}
