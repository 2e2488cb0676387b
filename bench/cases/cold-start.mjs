// What a process pays that has just begun: to import a library, and to make its first message. Each in fresh processes.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { quantile, shuffled, summarize } from '../../dist/bench/index.js';
import { attempt } from './attempt.mjs';
import { startKms } from './kms-process.mjs';

const CHILD = fileURLToPath(new URL('cold-start-child.mjs', import.meta.url));
const EMPTY = 'nothing';
const REGION = 'us-east-1';
const SDK = '@aws-crypto/client-node';
const RAW = ['frameseal', SDK, `${SDK} by require`, `${SDK}, three parts of it`];
const OTHERS = ['jose', 'age-encryption', 'openpgp'].filter((name) =>
  existsSync(new URL(`../peers/node_modules/${name}`, import.meta.url)),
);
/** The package's name for a candidate stands for its KMS keyring here. */
const KMS = {
  'frameseal/aws-kms': 'frameseal/aws-kms',
  'frameseal/aws-kms/fetch': 'frameseal/aws-kms/fetch',
  [SDK]: `${SDK}, KMS`,
};

/**
 * Times are those of the process less the median of one that imports nothing: `candidates` wall clock, `figures` the medians
 * of it and of CPU time, user and system.
 */
export async function rows({ quick, progress }) {
  const rounds = quick ? 2 : 11;
  const kms = await startKms([REGION]);
  try {
    const names = [EMPTY, ...RAW, ...OTHERS, ...Object.values(KMS)];
    const samples = await inProcesses([...new Set(names)], rounds, environmentOf(kms), progress);
    const raw = Object.fromEntries([...RAW, ...OTHERS].map((name) => [name, name]));
    return await Promise.all([
      rowOf('import', 'imported', raw, samples),
      rowOf('import + first message', 'done', raw, samples),
      rowOf('import, KMS', 'imported', KMS, samples),
      rowOf('import + first message, KMS', 'done', KMS, samples),
    ]);
  } finally {
    await kms.close();
  }
}

// The SDK reads it by itself.
function environmentOf({ keys: [{ arn, endpoint }], credentials }) {
  return {
    ...process.env,
    AWS_ENDPOINT_URL_KMS: endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_REGION: REGION,
    BENCH_KEY: arn,
  };
}

async function inProcesses(names, rounds, env, progress) {
  const samples = new Map(names.map((name) => [name, []]));
  for (let round = 1; round <= rounds; round++) {
    progress(`cold-start, round ${round} of ${rounds}`);
    for (const name of shuffled(names))
      samples.get(name).push(await fresh(name, env).catch((error) => error));
  }
  return samples;
}

async function fresh(name, env) {
  const { stdout } = await promisify(execFile)(process.execPath, ['--no-warnings', CHILD, name], { env });
  return JSON.parse(stdout);
}

function rowOf(name, moment, candidates, samples) {
  const keys = candidates === KMS ? 'KMS' : 'raw';
  const parameters = { verb: name, suite: '0x0478', bytes: 1024, keys };
  return attempt({ group: 'cold-start', name, parameters }, () => {
    const series = (of, figure) => samples.get(of).map((sample) => figureOf(sample, moment, figure));
    const empty = { cpuMs: middle(series(EMPTY, 'cpuMs')), wallMs: middle(series(EMPTY, 'wallMs')) };
    const above = (of, figure) => series(of, figure).map((value) => value - empty[figure]);
    const each = (map) =>
      Object.fromEntries(Object.entries(candidates).map(([shown, of]) => [shown, map(of)]));
    return {
      candidates: each((of) => summarize(above(of, 'wallMs').map((ms) => ms * 1000))),
      figures: each((of) => ({ cpuMs: middle(above(of, 'cpuMs')), wallMs: middle(above(of, 'wallMs')) })),
    };
  });
}

function figureOf(sample, moment, figure) {
  if (sample instanceof Error) throw sample;
  return sample[moment][figure];
}

function middle(values) {
  return Math.round(quantile(values, 0.5) * 10) / 10;
}
