/**
 * The conformance suite: what the library promises, in whatever runtime it is given to.
 *
 * A library is the exports of `frameseal`, with `awsKmsFetch`, those of `frameseal/aws-kms/fetch`, and, where the AWS SDK
 * runs, `awsKms`, those of `frameseal/aws-kms`, whose default clients find their endpoint in the environment. An
 * environment says what the runtime is expected to have, and brings keys, a KMS and vectors: see
 * `test/runtimes/environment.mjs`.
 */
import * as engines from './cases/engines.mjs';
import * as exchanged from './cases/exchanged.mjs';
import * as faults from './cases/faults.mjs';
import * as keyrings from './cases/keyrings.mjs';
import * as kms from './cases/kms.mjs';
import * as limits from './cases/limits.mjs';
import * as managers from './cases/managers.mjs';
import * as ranged from './cases/ranged.mjs';
import * as rewrapped from './cases/rewrapped.mjs';
import * as streamed from './cases/streamed.mjs';
import * as vectors from './cases/vectors.mjs';
import * as whole from './cases/whole.mjs';
import { described } from './support.mjs';

const GROUPS = {
  engines,
  whole,
  streamed,
  ranged,
  keyrings,
  kms,
  managers,
  rewrapped,
  limits,
  faults,
  vectors,
};

/**
 * Runs every case and writes messages for other runtimes to open.
 * @returns { rows, messages }; a row is { case, ok, note?, error?, ms }, a note what the runtime answered
 */
export async function suite(library, environment) {
  const rows = [];
  for (const [group, { cases }] of Object.entries(GROUPS)) {
    for (const one of cases(library, environment)) rows.push(await run(`${group}/${one.name}`, one.run));
  }
  const messages = [];
  const writing = async () => void messages.push(...(await exchanged.write(library, environment)));
  rows.push(await run('exchanged/writes', writing));
  return { rows, messages };
}

/** Opens what others have written: one row for each writer. */
export async function exchange(library, environment, writers) {
  const rows = [];
  for (const [writer, messages] of Object.entries(writers)) {
    const opening = () => exchanged.open(library, environment, messages);
    rows.push(await run(`exchanged/opens what ${writer} wrote`, opening));
  }
  return { rows };
}

async function run(name, work) {
  const started = performance.now();
  const row = { case: name, ok: true };
  try {
    const note = await work();
    if (note !== undefined) row.note = note;
  } catch (error) {
    row.ok = false;
    row.error = described(error);
  }
  return { ...row, ms: Math.round(performance.now() - started) };
}
