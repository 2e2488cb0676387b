/**
 * The command: finds what is asked for, runs it, and turns whatever happens into lines and an exit code.
 */
import { VERSION } from '../version.ts';
import { EXIT, UsageError } from './failure.ts';
import { type Io, write } from './io.ts';
import { type Command, helpText, nearest, parseArguments, parseLoosely } from './options.ts';
import { failWith, Report } from './report.ts';

/** The commands, each loaded when it is asked for. */
const COMMANDS: Readonly<Record<string, { about: string; load: () => Promise<{ command: Command }> }>> = {
  encrypt: {
    about: 'files, folders or stdin, under all keys given',
    load: () => import('./commands/encrypt.ts'),
  },
  decrypt: { about: 'the same back, with any one of the keys', load: () => import('./commands/decrypt.ts') },
  rewrap: {
    about: 'messages under other keys, in place unless told otherwise',
    load: () => import('./commands/rewrap.ts'),
  },
  'add-keys': {
    about: 'further keys for messages that stay as they are',
    load: () => import('./commands/add-keys.ts'),
  },
  inspect: { about: "a message's header, without any key", load: () => import('./commands/inspect.ts') },
  keygen: { about: 'an AES key or an RSA key pair, as files', load: () => import('./commands/keygen.ts') },
  bench: {
    about: 'how fast this machine is, and which engine to force, if any',
    load: () => import('./commands/bench.ts'),
  },
  'local-kms': { about: 'a KMS on 127.0.0.1, for tests', load: () => import('./commands/local-kms.ts') },
};

/**
 * Runs the command.
 * @param argv what follows the program's name.
 * @returns the exit code: 0 if all went well, 1 if something failed, 2 if the call cannot work, 128 and the number of the
 *   signal that ended it.
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  // A failed write is reported by its callback; without a listener it would also end the process.
  for (const stream of [io.stdout, io.stderr]) stream.on('error', () => {});
  try {
    return await dispatch(argv, io);
  } catch (error) {
    return failWith(error, await reportOf(argv, io), io);
  }
}

async function dispatch([name, ...rest]: readonly string[], io: Io): Promise<number> {
  if (name === undefined)
    throw new UsageError(`a command is needed: ${Object.keys(COMMANDS).join(', ')}; see --help`);
  if (name === '--version') return print(io, `${VERSION}\n`);
  if (name === '--help' || name === '-h') return print(io, overview());
  if (name === 'help')
    return rest[0] === undefined ? print(io, overview()) : print(io, helpText(await load(rest[0])));
  const command = await load(name);
  const words = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest;
  if (words.includes('--help') || words.includes('-h')) return print(io, helpText(command));
  return command.run(parseArguments(command, rest), io);
}

// For what fails before a command has a report of its own.
async function reportOf(argv: readonly string[], io: Io): Promise<Report> {
  const command = await load(argv[0] ?? '').catch(() => undefined);
  const args = parseLoosely(command, command === undefined ? argv : argv.slice(1));
  const moves = ['encrypt', 'decrypt', 'rewrap'].includes(command?.name ?? '');
  const outputs = args.texts('output');
  const toStdout = outputs.length > 0 ? outputs : args.positionals;
  const dataOnStdout = moves && (toStdout.length === 0 || toStdout.includes('-'));
  return new Report(io, { json: args.flag('json'), dataOnStdout });
}

async function load(name: string): Promise<Command> {
  const known = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (known !== undefined) return (await known.load()).command;
  const near = nearest(name, Object.keys(COMMANDS));
  throw new UsageError(`unknown command ${name}${near ? ` (is it ${near}?)` : ''}; see "frameseal --help"`);
}

async function print(io: Io, text: string): Promise<number> {
  await write(io.stdout, text);
  return EXIT.ok;
}

function overview(): string {
  const rows = Object.entries(COMMANDS).map(([name, { about }]) => `  ${name.padEnd(12)}${about}`);
  return `frameseal ${VERSION}: AWS Encryption SDK messages

Usage
  frameseal COMMAND [options] [file ...]
  frameseal COMMAND --help
  frameseal --version

Commands
${rows.join('\n')}

Exit code: 0 if all went well, 1 if something failed, 2 if the call cannot work, 130 after an interrupt.
`;
}
