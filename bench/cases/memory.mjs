// The most memory above the input that a message of 64 MiB takes, one-shot and streamed, each in a fresh process.
import { execFile } from 'node:child_process';
import { createHash, randomFillSync } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { quantile, shuffled, summarize } from '../../dist/bench/index.js';
import { encrypt } from '../../dist/index.js';
import { attempt } from './attempt.mjs';
import { rawAesKeys } from './client-node.mjs';

const CHILD = fileURLToPath(new URL('memory-child.mjs', import.meta.url));
const CANDIDATES = ['frameseal', '@aws-crypto/client-node'];
const MIB = 2 ** 20;
const SUITE = 0x0478;
const KEY = rawAesKeys().ours;
const ALL = [
  { streamed: 'one-shot', mebibytes: 64, frameLength: 4096 },
  { streamed: 'one-shot', mebibytes: 64, frameLength: 65_536 },
  { streamed: 'streamed', mebibytes: 64, frameLength: 65_536 },
  { streamed: 'streamed', mebibytes: 512, frameLength: 65_536 },
];
const QUICK = ALL.slice(1, 2);

/** `figures` are medians, in MiB: the peak above the input and what else the process had before; and what came out. */
export async function rows({ quick, progress }) {
  const folder = await mkdtemp(join(tmpdir(), 'frameseal-bench-'));
  const list = [];
  try {
    for (const what of quick ? QUICK : ALL) {
      progress(`memory: ${titleOf(what)}`);
      const inputs = await writeInputs(folder, what);
      for (const verb of ['encrypt', 'decrypt'])
        list.push(await rowOf({ ...what, ...inputs[verb], verb }, quick ? 1 : 5));
    }
  } finally {
    await rm(folder, { recursive: true });
  }
  return list;
}

function titleOf({ streamed, mebibytes, frameLength }) {
  return `${mebibytes} MiB ${streamed}, frames of ${frameLength / 1024} KiB`;
}

// The plaintext and its message: what encrypting and decrypting read.
async function writeInputs(folder, { mebibytes, frameLength }) {
  const plaintext = randomFillSync(new Uint8Array(mebibytes * MIB));
  const { ciphertext } = await encrypt(plaintext, { keyring: KEY, algorithmSuite: SUITE, frameLength });
  const digest = createHash('sha256').update(plaintext).digest('hex');
  const written = async (name, bytes) => {
    const path = join(folder, name);
    await writeFile(path, bytes);
    return { path, digest };
  };
  return { encrypt: await written('plaintext', plaintext), decrypt: await written('message', ciphertext) };
}

function rowOf({ mebibytes, ...what }, rounds) {
  const bytes = mebibytes * MIB;
  const { verb, streamed, frameLength } = what;
  const name = `${verb} ${titleOf({ mebibytes, ...what })}`;
  const parameters = { verb, bytes, frameLength, suite: '0x0478', streamed };
  return attempt({ group: 'memory', name, parameters, bytes, messages: 1 }, async () => {
    const samples = new Map(CANDIDATES.map((candidate) => [candidate, []]));
    for (let round = 0; round < rounds; round++) {
      for (const candidate of shuffled(CANDIDATES))
        samples.get(candidate).push(await fresh({ candidate, bytes, suite: SUITE, ...what }));
    }
    const each = (map) => Object.fromEntries([...samples].map(([candidate, list]) => [candidate, map(list)]));
    return {
      candidates: each((list) => summarize(list.map(({ wallMs }) => wallMs * 1000))),
      figures: each(figuresOf),
    };
  });
}

async function fresh(what) {
  const words = ['--no-warnings', '--expose-gc', CHILD, JSON.stringify(what)];
  return JSON.parse((await promisify(execFile)(process.execPath, words)).stdout);
}

function figuresOf(list) {
  const middle = (figure) =>
    Math.round(
      10 *
        quantile(
          list.map((one) => one[figure]),
          0.5,
        ),
    ) / 10;
  return { peakAboveInputMiB: middle('peakAboveInputMiB'), outputMiB: middle('outputMiB') };
}
