/**
 * Runs the examples of docs/disasters.md: those of each section after the lines that all of them go on from. Errors are held
 * against the section's text blocks, in which `…` stands for what was left out.
 */
import * as nodeCrypto from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as sdk from '@aws-sdk/client-kms';
import { afterEach, expect, test, vi } from 'vitest';
import * as frameseal from '../src/index.ts';
import * as awsKms from '../src/keyring/aws-kms/index.ts';
import { type LocalKms, type LocalKmsOptions, startLocalKms } from '../src/local-kms/index.ts';
import { encryptFile } from '../src/node/index.ts';

const [start, ...sections] = readFileSync(new URL('../docs/disasters.md', import.meta.url), 'utf8').split(
  /^## /m,
);
const PLAINTEXT = new TextEncoder().encode('the books of 2026');
const OPENED = { plaintext: PLAINTEXT };
const titles: string[] = [];
const running: LocalKms[] = [];
const MODULES = {
  frameseal,
  'frameseal/aws-kms': awsKms,
  'frameseal/local-kms': { startLocalKms: startAndNote },
  '@aws-sdk/client-kms': sdk,
  'node:crypto': nodeCrypto,
};

afterEach(async () => {
  await Promise.all(running.splice(0).map((kms) => kms.close()));
});

example(
  'A region is lost when encrypting',
  'kms, everyKey, east, west, south, refused, written, byTheOthers, withoutEast, repaired',
  async (values) => {
    const { kms, everyKey, east, west, south } = values;
    expect(values.refused).toMatchObject({ operation: 'Encrypt', region: 'eu-west-1', keyId: west });
    expect(keysOf(values.written)).toEqual([east, south]);
    expect(values.written).toMatchObject({
      missingKeys: [{ keyId: west, region: 'eu-west-1', error: { code: 'KMS_FAILED' } }],
    });
    expect(keysOf(values.byTheOthers)).toEqual([west, south]);
    expect(values.byTheOthers).toMatchObject({ missingKeys: [{ keyId: east, region: 'us-east-1' }] });
    expect(values.withoutEast).toMatchObject({ region: 'us-east-1', keyId: east });
    expect(keysOf(values.repaired)).toEqual([east, west, south]);
    expect(values.repaired).toMatchObject({ missingKeys: [] });
    (kms as LocalKms).setFault('eu-west-1', { kind: 'down' });
    await expectNothingWritten(everyKey as frameseal.Keyring);
    return [values.refused, values.withoutEast];
  },
);

example(
  'A region is lost when decrypting',
  'calls, served, sooner, atOnce, nowhere',
  async ({ calls, served, sooner, atOnce, nowhere }) => {
    for (const answer of [served, sooner, atOnce]) expect(answer).toMatchObject(OPENED);
    const outcomes = calls as string[];
    expect(outcomes.slice(0, 2)).toEqual(['eu-west-1 TIMEOUT', 'us-east-1 ok']);
    const west = outcomes.filter((outcome) => outcome.startsWith('eu-west-1'));
    expect(west).toEqual(['eu-west-1 TIMEOUT', 'eu-west-1 ABORTED', 'eu-west-1 TIMEOUT']);
    expect(outcomes.slice(-3)).toEqual(['eu-west-1 TIMEOUT', 'us-east-1 TIMEOUT', 'ap-south-1 TIMEOUT']);
    expect(nowhere).toHaveProperty('attempts.length', 3);
    return [nowhere];
  },
);

example('A key is disabled', 'kms, refused, opened, closed, again', async (values) => {
  expect(values.opened).toMatchObject(OPENED);
  expect(values.again).toMatchObject(OPENED);
  expect(decrypts(values.kms)).toEqual([
    'us-east-1 DisabledException',
    'eu-west-1 ok',
    'us-east-1 DisabledException',
    'us-east-1 ok',
  ]);
  return [values.refused, values.closed];
});

example(
  'A key is deleted',
  'west, newEast, pending, disabled, saved, lost, byWest, byEscrow, repaired',
  async (values) => {
    expect(values.disabled).toMatchObject({ cause: { name: 'DisabledException' } });
    expect(keysOf(values.saved)).toHaveLength(3);
    expect(values.byWest).toMatchObject(OPENED);
    expect(values.byEscrow).toMatchObject(OPENED);
    expect(keysOf(values.repaired)).toEqual([values.newEast, values.west, '2026']);
    return [values.pending, values.lost];
  },
);

example(
  'A replica is promoted',
  'kms, primary, replica, before, refused, opened, during, notNow, stillOpens, after, alsoInEast, notMatched',
  async (values) => {
    const { kms, primary, replica, before, during, after } = values;
    expect([before, during, after].map(keysOf)).toEqual([[primary], [replica], [replica]]);
    for (const name of ['opened', 'stillOpens', 'alsoInEast']) expect(values[name]).toMatchObject(OPENED);
    expect(values.notNow).toMatchObject({ code: expect.stringMatching(/^ECONN/) });
    const client = await (kms as LocalKms).clientSupplier('us-east-1');
    const answer = await client?.send(new sdk.DescribeKeyCommand({ KeyId: primary as string }));
    const { MultiRegionConfiguration: keys } = answer?.KeyMetadata ?? {};
    expect(keys?.PrimaryKey?.Arn).toBe(replica);
    expect(keys?.ReplicaKeys?.map(({ Region }) => Region).sort()).toEqual(['ap-south-1', 'us-east-1']);
    return [values.refused, values.notMatched];
  },
);

example(
  'Two partitions',
  'kms, china, east, north, ciphertext, here, there, unknown, stranger',
  async (values) => {
    const { encryptedDataKeys } = frameseal.parseHeader(values.ciphertext as Uint8Array);
    expect(encryptedDataKeys.map(nameOf)).toEqual([values.east, values.north]);
    expect(values.here).toMatchObject(OPENED);
    expect(values.there).toMatchObject(OPENED);
    expect(decrypts(values.kms)).toEqual(['us-east-1 ok']);
    expect(decrypts(values.china)).toEqual(['cn-north-1 ok']);
    return [values.unknown, values.stranger];
  },
);

test('no section is without a test', () => {
  expect(sections.map(titleOf)).toEqual(titles);
});

type Values = Readonly<Record<string, unknown>>;

/** @param check looks at the values that `names` have in the end, and answers the errors among them that are shown. */
function example(title: string, names: string, check: (values: Values) => Promise<unknown[]>): void {
  titles.push(title);
  test(title, async () => {
    const section = sections.find((text) => titleOf(text) === title) ?? '';
    expectShown(section, await check(await run(section, names)));
  });
}

function titleOf(section: string): string {
  return section.slice(0, section.indexOf('\n'));
}

/** The values that these names have after the section's examples. */
async function run(section: string, names: string): Promise<Values> {
  const AsyncFunction = (async () => undefined).constructor as new (
    ...parts: string[]
  ) => (modules: object, console: object) => Promise<Values>;
  const code = [...blocksOf(start as string, 'js'), ...blocksOf(section, 'js'), `return { ${names} };`];
  const program = code.join('\n').replace(/^import (\{.*?\}) from ('.*?');$/gm, 'const $1 = modules[$2];');
  const [log, warn, error] = [vi.fn(), vi.fn(), vi.fn()];
  return new AsyncFunction('modules', 'console', program)(MODULES, { log, warn, error });
}

function blocksOf(text: string, language: string): string[] {
  return [...text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))].map(
    ([, block]) => block as string,
  );
}

/** The errors are those that the section shows, in this order. */
function expectShown(section: string, errors: readonly unknown[]): void {
  const shown = blocksOf(section, 'text').map((block) => block.trim().replaceAll('\n', ' '));
  expect(errors).toHaveLength(shown.length);
  for (const [i, error] of errors.entries()) {
    expect(error).toBeInstanceOf(frameseal.FramesealError);
    const { code, message } = error as frameseal.FramesealError;
    const parts = (shown[i] as string).split('…').map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'));
    expect(`${code}: ${message}`).toMatch(new RegExp(`^${parts.join('.*')}$`, 's'));
  }
}

/** Neither a stream nor a file has a byte. */
async function expectNothingWritten(keyring: frameseal.Keyring): Promise<void> {
  const { readable, writable, result } = frameseal.encryptStream({ keyring });
  const chunks: Uint8Array[] = [];
  const reading = readable.pipeTo(new WritableStream({ write: (chunk) => void chunks.push(chunk) }));
  const writing = new Blob([PLAINTEXT]).stream().pipeTo(writable);
  await Promise.allSettled([reading, writing]);
  await expect(result).rejects.toMatchObject({ code: 'KMS_FAILED', region: 'eu-west-1' });
  expect(chunks).toEqual([]);

  const folder = await mkdtemp(join(tmpdir(), 'frameseal-'));
  try {
    await writeFile(join(folder, 'books'), PLAINTEXT);
    const work = encryptFile(join(folder, 'books'), join(folder, 'message'), { keyring });
    await expect(work).rejects.toMatchObject({ code: 'KMS_FAILED', region: 'eu-west-1' });
    expect(await readdir(folder)).toEqual(['books']);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function startAndNote(options: LocalKmsOptions): Promise<LocalKms> {
  const kms = await startLocalKms(options);
  running.push(kms);
  return kms;
}

function keysOf(message: unknown): string[] {
  return (message as frameseal.EncryptResult).header.encryptedDataKeys.map(nameOf);
}

function nameOf({ providerInfo }: frameseal.EncryptedDataKey): string {
  return new TextDecoder().decode(providerInfo);
}

/** Where Decrypt was asked for, and what came of it. */
function decrypts(kms: unknown): string[] {
  const requests = (kms as LocalKms).requests.filter(({ operation }) => operation === 'Decrypt');
  return requests.map(({ region, outcome }) => `${region} ${outcome}`);
}
