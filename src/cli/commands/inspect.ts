/**
 * `frameseal inspect`: a message's header, without any key, from as few bytes of the message as hold it; or a sidecar.
 */
import { stat } from 'node:fs/promises';
import { FramesealError, textOf } from '../../errors.ts';
import { type MessageHeader, parseHeader } from '../../index.ts';
import { inspectSidecar, type SidecarView } from '../../node/index.ts';
import { decodeBase64, peek } from '../base64.ts';
import { EXIT, endsAll, exitCodeOf, oneLine } from '../failure.ts';
import { headerJson, headerText, type Sizes, sidecarJson, sidecarText, sizesOf } from '../header-view.ts';
import { ClosedPipe, type Io, write } from '../io.ts';
import type { Arguments, Command } from '../options.ts';
import { STDIO } from '../plan.ts';
import { Report } from '../report.ts';
import { openSource } from '../source.ts';

/** Bytes in which a header or a sidecar must end. */
const MAX_HEADER = 16 * 2 ** 20;
/** How sidecars begin, and no message. */
const SIDECAR_START = Buffer.from('FSSC');

export const command: Command = {
  name: 'inspect',
  usage: ['[options] [FILE | -] ...'],
  about: `Shows what the header of a message says: suite, context, data keys, sizes. No key is needed, and nothing is
authenticated: anyone may have written it. Base64 text of a message is read too, and the sidecars that add-keys
writes. At most 16 MiB are read.`,
  options: {},
  run: inspect,
};

async function inspect(args: Arguments, io: Io): Promise<number> {
  const report = new Report(io, { json: args.flag('json'), quiet: args.flag('quiet') });
  const inputs = args.positionals.length === 0 ? [STDIO] : args.positionals;
  let code: number = EXIT.ok;
  for (const [i, input] of inputs.entries()) {
    try {
      const seen = await look(input, io);
      await report.json({ ok: true, input, authenticated: false, ...seenJson(seen) });
      if (!args.flag('json')) await write(io.stdout, `${i > 0 ? '\n' : ''}${seenText(input, seen)}\n`);
    } catch (error) {
      if (error instanceof ClosedPipe) throw error;
      const failure = await report.failed(error, { input });
      code = exitCodeOf(failure, io.signal);
      if (endsAll(failure)) break;
    }
  }
  return code;
}

interface Seen {
  readonly header: MessageHeader;
  readonly base64: boolean;
  /** Or why they are not known. */
  readonly sizes: Sizes | string;
}

async function look(input: string, io: Io): Promise<Seen | SidecarView> {
  const opened = openSource(input, io);
  try {
    const { start, base64, source } = await peek(opened.bytes);
    if (Buffer.from(start).equals(SIDECAR_START)) return inspectSidecar(await readWhole(source));
    const header = await readHeader(base64 ? decodeBase64(source) : source);
    return { header, base64, sizes: base64 ? 'not known of base64 text' : await measure(input, header) };
  } finally {
    opened.close();
  }
}

async function readWhole(source: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of source) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > MAX_HEADER)
      throw new FramesealError('LIMIT_EXCEEDED', `the sidecar does not end within ${MAX_HEADER} bytes`);
  }
  return Buffer.concat(chunks);
}

// Parsed again only when twice as much is there: linear in all.
async function readHeader(source: AsyncIterable<Uint8Array>): Promise<MessageHeader> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  let next = 1;
  for await (const chunk of source) {
    chunks.push(chunk);
    length += chunk.length;
    if (length < next) continue;
    const header = parsePrefix(Buffer.concat(chunks));
    if (header !== undefined) return header;
    if (length >= MAX_HEADER) {
      throw new FramesealError('LIMIT_EXCEEDED', `the header does not end within ${MAX_HEADER} bytes`);
    }
    next = Math.min(2 * length, MAX_HEADER);
  }
  return parseHeader(Buffer.concat(chunks));
}

function parsePrefix(bytes: Uint8Array): MessageHeader | undefined {
  try {
    return parseHeader(bytes);
  } catch (error) {
    if (error instanceof FramesealError && error.code === 'TRUNCATED') return undefined;
    throw error;
  }
}

async function measure(input: string, header: MessageHeader): Promise<Sizes | string> {
  if (input === STDIO) return 'not known of standard input';
  const stats = await stat(input);
  if (!stats.isFile()) return 'not known of a pipe';
  try {
    return sizesOf(stats.size, header);
  } catch (error) {
    return textOf(error);
  }
}

function seenJson(seen: Seen | SidecarView): object {
  if ('messageId' in seen) return { sidecar: sidecarJson(seen) };
  const { header, base64, sizes } = seen;
  const known = typeof sizes === 'string' ? { sizesUnknown: sizes } : { sizes };
  return { base64, ...known, header: headerJson(header) };
}

function seenText(input: string, seen: Seen | SidecarView): string {
  const name = input === STDIO ? 'standard input' : oneLine(input);
  if ('messageId' in seen)
    return `${name}, a sidecar\nNOT AUTHENTICATED: anyone may have written it\n${sidecarText(seen)}`;
  const { header, base64, sizes } = seen;
  const how = base64 ? ', decoded from base64' : '';
  return `${name}${how}\nNOT AUTHENTICATED: anyone may have written this header\n${headerText(header, sizes)}`;
}
