/** The command in this process: its streams are kept, its folder ends with the test. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough, Readable, Writable } from 'node:stream';
import { onTestFinished } from 'vitest';
import type { Io } from '../../src/cli/io.ts';
import { run } from '../../src/cli/run.ts';
import { bytes } from '../support/messages.ts';

export interface Call {
  readonly stdin?: string | Uint8Array | Readable;
  readonly env?: Record<string, string>;
  readonly signal?: AbortSignal;
  /** stdout, stderr and stdin are a terminal. */
  readonly terminal?: boolean;
  readonly stdout?: Writable;
  readonly stderr?: Writable;
}

export interface Outcome {
  readonly code: number;
  readonly bytes: Buffer;
  readonly out: string;
  readonly err: string;
  /** The lines of stdout, each of them JSON. */
  json(): JsonLine[];
}

// biome-ignore lint/suspicious/noExplicitAny: lines of any shape
export type JsonLine = any;

/** Runs the command. */
export async function frameseal(argv: readonly string[], call: Call = {}): Promise<Outcome> {
  const stdout = keeper(call.terminal);
  const stderr = keeper(call.terminal);
  const { stdin = '', env = {}, signal = new AbortController().signal } = call;
  const source = stdin instanceof Readable ? stdin : Readable.from([Buffer.from(stdin)]);
  const io: Io = {
    stdin: Object.assign(source, { isTTY: call.terminal ?? false }),
    stdout: call.stdout ?? stdout.stream,
    stderr: call.stderr ?? stderr.stream,
    env: { AWS_CONFIG_FILE: '/nowhere', ...env },
    signal,
  };
  const code = await run(argv, io);
  const out = stdout.bytes().toString();
  return {
    code,
    bytes: stdout.bytes(),
    out,
    err: stderr.bytes().toString(),
    json() {
      return out
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line));
    },
  };
}

/** A folder that is removed when the test ends. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'frameseal-cli-'));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

/** The key of `aesKeyring(seed)`, as a file `key` or `key-SEED`, and as it is given to the command. */
export function keyFile(root: string, seed = 1): string {
  const path = join(root, seed === 1 ? 'key' : `key-${seed}`);
  writeFileSync(path, `${Buffer.from(bytes(32, seed)).toString('base64')}\n`, { mode: 0o600 });
  return `aes:test/aes-${seed}=${path}`;
}

/** A file in a folder, which is made if need be. */
export function put(root: string, name: string, contents: Uint8Array): string {
  mkdirSync(join(root, name, '..'), { recursive: true });
  writeFileSync(join(root, name), contents);
  return join(root, name);
}

/** A stdin that never ends. */
export function endless(): Readable {
  return new PassThrough();
}

function keeper(terminal = false) {
  const chunks: Buffer[] = [];
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      chunks.push(Buffer.from(chunk));
      done();
    },
  });
  return {
    stream: Object.assign(stream, { isTTY: terminal, columns: 120 }),
    bytes: () => Buffer.concat(chunks),
  };
}
