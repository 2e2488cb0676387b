/**
 * The groups of cases that run in this Node: those that every runtime has, and those against what only Node has. Each has a
 * process of its own: what the libraries of one leave behind, on the heap and in what is compiled, is no other one's cost.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { commonCases, runCase } from '../dist/bench/index.js';

const COMMON = 'common';

/** In this order. A module of `cases` for each, but the common ones. */
export const GROUPS = [
  'limits',
  COMMON,
  'engines-peers',
  'key-derivation',
  'messages',
  'signed',
  'in-flight',
  'streams',
  'headers',
  'caching',
  'kms',
  'cold-start',
  'memory',
];

/** How candidates are compared, unless a case says otherwise. */
const TIMING = {
  quick: { rounds: 5, warmUp: 60, maxTime: 15, minSamples: 3 },
  full: { rounds: 15, warmUp: 300, maxTime: 40, minSamples: 5 },
};

/** @returns the rows of these groups, one group after the other; a row that says so for one whose process failed */
export async function runGroups(names, scale) {
  const unknown = names.find((name) => !GROUPS.includes(name));
  if (unknown !== undefined) throw new Error(`there is no group ${unknown}: ${GROUPS.join(', ')}`);
  const rows = [];
  for (const name of names) rows.push(...(await inItsProcess(name, scale)));
  return rows;
}

async function inItsProcess(name, scale) {
  const program = fileURLToPath(new URL('group.mjs', import.meta.url));
  const child = fork(program, [name, scale], { serialization: 'advanced' });
  let rows;
  child.once('message', (message) => {
    rows = message;
  });
  const [code, signal] = await once(child, 'close');
  if (rows !== undefined) return rows;
  const failed = `its process ended by ${signal ?? `exit code ${code}`}, without its rows`;
  return [{ group: name, name: 'all cases', parameters: {}, candidates: {}, failed }];
}

/** @returns the rows of a group, run here. Its module gives `cases`, `rows` or both. */
export async function runGroup(name, setting) {
  const { cases, rows: made } = name === COMMON ? { cases: common } : await import(`./cases/${name}.mjs`);
  const first = made ? await made(setting) : [];
  return cases ? [...first, ...(await runAll(await cases(setting), setting))] : first;
}

const common = ({ scale }) => commonCases({ scale });

async function runAll(cases, { scale, harness, progress }) {
  const rows = [];
  try {
    for (const [i, one] of cases.entries()) {
      progress(`${one.group} ${i + 1}/${cases.length}: ${one.name}`);
      rows.push(await runCase(one, { harness, ...TIMING[scale] }));
    }
  } finally {
    await cases.dispose?.();
  }
  return rows;
}
