/**
 * One group of cases, as the child that `groups.mjs` starts: node bench/group.mjs GROUP quick|full
 */
import process from 'node:process';
import Benchmark from 'benchmark';
import { benchmarkHarness } from './benchmark-harness.mjs';
import { runGroup } from './groups.mjs';
import { progressLine } from './progress.mjs';

// Who started it may be killed: then nobody waits for the rows.
process.once('disconnect', () => process.exit(1));
process.channel.unref();

const [name, scale] = process.argv.slice(2);
const progress = progressLine(process.stderr);
const rows = await runGroup(name, {
  quick: scale === 'quick',
  scale,
  harness: benchmarkHarness(Benchmark),
  progress,
});
progress('');
process.send(rows, () => process.exit());
