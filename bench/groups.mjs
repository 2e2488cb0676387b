/**
 * The groups of cases that run in this Node: those that every runtime has, and those against what only Node has.
 */
import { commonCases, runCase } from '../dist/bench/index.js';

const COMMON = 'common';

/** In this order: what needs a quiet process first. A module of `cases` for each, but the common ones. */
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

/** @returns the rows of these groups. A module gives `cases`, `rows` or both. */
export async function runGroups(names, setting) {
  const unknown = names.find((name) => !GROUPS.includes(name));
  if (unknown !== undefined) throw new Error(`there is no group ${unknown}: ${GROUPS.join(', ')}`);
  const rows = [];
  for (const name of names) {
    const { cases, rows: made } = name === COMMON ? { cases: common } : await import(`./cases/${name}.mjs`);
    if (made) rows.push(...(await made(setting)));
    if (cases) rows.push(...(await runAll(await cases(setting), setting)));
  }
  return rows;
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
