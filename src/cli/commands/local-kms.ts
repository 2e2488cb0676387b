/**
 * `frameseal local-kms`: a KMS on 127.0.0.1 with one key in each region, until it is interrupted.
 */
import { FramesealError } from '../../errors.ts';
import type { LocalKms } from '../../local-kms/index.ts';
import { EXIT, failureOf, UsageError } from '../failure.ts';
import { type Io, write } from '../io.ts';
import { shellQuoted } from '../keys.ts';
import type { Arguments, Command } from '../options.ts';
import { Report } from '../report.ts';

const DEFAULT_REGION = 'us-east-1';

export const command: Command = {
  name: 'local-kms',
  usage: ['[--region REGION ...] [--port PORT] [--file FILE] [--seed TEXT]'],
  about: `Serves the wire protocol of AWS KMS on 127.0.0.1, for tests and offline work, until Ctrl-C. It is NO security
boundary: its credentials are public, its keys lie in memory or in a plain file. Prints, as lines for a shell, the
environment in which AWS SDKs and this command find it, and FRAMESEAL_KEY_REGION with the ARN of a key in each region.
The keys of several regions are independent of each other, not one multi-Region key.`,
  options: {
    region: { value: 'REGION', multiple: true, help: `a region to serve; default ${DEFAULT_REGION}` },
    port: { value: 'PORT', help: 'default any free one' },
    file: { value: 'FILE', help: 'keeps the keys, in clear text; made if it is not there' },
    seed: { value: 'TEXT', help: 'makes the same keys from the same text' },
  },
  run: localKms,
};

/** A key of the local KMS. */
interface LocalKey {
  readonly region: string;
  readonly arn: string;
}

async function localKms(args: Arguments, io: Io): Promise<number> {
  if (args.positionals.length > 0) throw new UsageError('local-kms takes options only');
  const kms = await start(args);
  try {
    const keys = await ensureKeys(kms, regionsOf(args), args.text('file') !== undefined);
    const report = new Report(io, { json: args.flag('json'), quiet: args.flag('quiet') });
    await report.json({ ok: true, endpoint: kms.endpoint, env: kms.env, keys });
    if (!args.flag('json')) await write(io.stdout, shellText(kms, keys));
    await report.note(`local KMS on ${kms.endpoint}, no security boundary; Ctrl-C ends it`);
    await aborted(io.signal);
    return EXIT.ok;
  } finally {
    await kms.close();
  }
}

function regionsOf(args: Arguments): readonly string[] {
  const regions = args.texts('region');
  return regions.length === 0 ? [DEFAULT_REGION] : regions;
}

// What it refuses, other than by the system, is an option that cannot work.
async function start(args: Arguments): Promise<LocalKms> {
  const { startLocalKms } = await import('../../local-kms/index.ts');
  const [port, file, seed] = [args.integer('port', 0, 65_535), args.text('file'), args.text('seed')];
  try {
    return await startLocalKms({
      regions: regionsOf(args),
      ...(port !== undefined && { port }),
      ...(file !== undefined && { file }),
      ...(seed !== undefined && { seed }),
    });
  } catch (cause) {
    const { code, message } = failureOf(cause);
    throw new FramesealError(code === 'IO' ? 'IO' : 'INVALID_ARGUMENT', message, { cause });
  }
}

async function ensureKeys(kms: LocalKms, regions: readonly string[], hasFile: boolean): Promise<LocalKey[]> {
  const keys: LocalKey[] = [];
  for (const region of regions) {
    const known = hasFile ? await listKeys(kms, region) : [];
    const arns = known.length > 0 ? known : [(await kms.createKey({ region })).arn];
    keys.push(...arns.map((arn) => ({ region, arn })));
  }
  return keys;
}

async function listKeys(kms: LocalKms, region: string): Promise<string[]> {
  const { paginateListKeys } = await import('@aws-sdk/client-kms');
  const client = (await kms.clientSupplier(region))!;
  const arns: string[] = [];
  for await (const { Keys = [] } of paginateListKeys({ client }, {})) {
    arns.push(...Keys.map(({ KeyArn }) => KeyArn!));
  }
  return arns;
}

// Credentials of the caller's own would stand in the way of those that the local KMS takes.
function shellText(kms: LocalKms, keys: readonly LocalKey[]): string {
  const variables = { ...kms.env, ...keyVariables(keys) };
  const lines = Object.entries(variables).map(([name, value]) => `export ${name}=${shellQuoted(value)}`);
  return `unset AWS_PROFILE AWS_SESSION_TOKEN\n${lines.join('\n')}\n`;
}

// FRAMESEAL_KEY_US_EAST_1 is the region's first key; further ones end in _2, _3 and so on.
function keyVariables(keys: readonly LocalKey[]): Record<string, string> {
  const variables: Record<string, string> = {};
  for (const { region, arn } of keys) {
    const name = `FRAMESEAL_KEY_${region.toUpperCase().replaceAll('-', '_')}`;
    let n = 1;
    while (variables[n === 1 ? name : `${name}_${n}`] !== undefined) n++;
    variables[n === 1 ? name : `${name}_${n}`] = arn;
  }
  return variables;
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
