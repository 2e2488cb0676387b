/**
 * `frameseal keygen`: new wrapping keys, as files that only their owner can read. Nothing is ever overwritten.
 */
import { generateKeyPair, randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { EXIT, UsageError } from '../failure.ts';
import { type Io, write } from '../io.ts';
import { shellQuoted } from '../keys.ts';
import type { Arguments, Command } from '../options.ts';
import { STDIO } from '../plan.ts';
import { Report } from '../report.ts';
import { checkTarget, writeWhole } from '../whole-file.ts';

const BITS = { aes: ['256', '192', '128'], rsa: ['3072', '4096', '2048'] } as const;

export const command: Command = {
  name: 'keygen',
  usage: ['aes --output FILE [--bits 256 | 192 | 128]', 'rsa --output FILE [--bits 3072 | 4096 | 2048]'],
  about: `Makes an AES key (one line of base64), or an RSA key pair: the private key as FILE (PEM, PKCS#8), the public
one as FILE.pub (PEM, SPKI). Private files have mode 0600. Nothing is overwritten. Prints the --key options to use:
for RSA first the public key's, which encrypts, then the private key's, which decrypts. A message names its keys by
NAMESPACE/NAME: whoever decrypts must give the same.`,
  options: {
    output: { short: 'o', value: 'FILE', help: 'where the key goes' },
    bits: { value: 'N', help: 'default 256 for AES, 3072 for RSA' },
    name: { value: 'NAMESPACE/NAME', help: "default local/ and the file's name" },
  },
  run: keygen,
};

async function keygen(args: Arguments, io: Io): Promise<number> {
  const [kind, ...more] = args.positionals;
  if ((kind !== 'aes' && kind !== 'rsa') || more.length > 0)
    throw new UsageError('keygen expected aes or rsa');
  const file = args.text('output');
  if (file === undefined || file === STDIO) throw new UsageError('keygen needs --output FILE, a name');
  const bits = Number(args.oneOf('bits', BITS[kind]) ?? BITS[kind][0]);
  const name = checkName(args.text('name') ?? `local/${basename(file)}`);
  const files = kind === 'aes' ? aesFiles(file, bits) : await rsaFiles(file, bits);
  await writeNew(files);
  const keys = files.map(({ path }) => `${kind}:${name}=${path}`).reverse();
  await new Report(io, { json: args.flag('json') }).json({ ok: true, kind, bits, keys });
  if (!args.flag('json')) await write(io.stdout, keys.map((key) => `--key ${shellQuoted(key)}\n`).join(''));
  return EXIT.ok;
}

interface NewFile {
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

function checkName(name: string): string {
  if (/^[^/]+\/[^=]+$/.test(name) && !name.startsWith('aws-kms')) return name;
  throw new UsageError(
    `--name expected NAMESPACE/NAME without "=", not beginning with aws-kms, got "${name}"`,
  );
}

function aesFiles(path: string, bits: number): NewFile[] {
  return [{ path, text: `${randomBytes(bits / 8).toString('base64')}\n`, mode: 0o600 }];
}

async function rsaFiles(path: string, modulusLength: number): Promise<NewFile[]> {
  const { privateKey, publicKey } = await promisify(generateKeyPair)('rsa', {
    modulusLength,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  return [
    { path, text: privateKey, mode: 0o600 },
    { path: `${path}.pub`, text: publicKey, mode: 0o644 },
  ];
}

// The private key first: without it nothing is made. A public one that cannot be written takes it back.
async function writeNew([first, ...rest]: readonly NewFile[]): Promise<void> {
  for (const { path } of [first!, ...rest]) await checkTarget(path, 'keys are never overwritten');
  await writeWhole(first!.path, first!.text, { overwrite: false, mode: first!.mode });
  try {
    for (const { path, text, mode } of rest) await writeWhole(path, text, { overwrite: false, mode });
  } catch (error) {
    await rm(first!.path);
    throw error;
  }
}
