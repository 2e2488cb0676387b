/**
 * The cases in Node.js, Deno and Bun: in-process.mjs URL
 */
import { createRequire } from 'node:module';
import { benchmarkHarness } from '../benchmark-harness.mjs';
import { measure } from './measure.mjs';

const Benchmark = createRequire(import.meta.url)('benchmark');
const { bun, deno, node } = process.versions;
await measure({
  url: process.argv[2],
  about: bun ?? deno ?? node,
  makeHarness: () => benchmarkHarness(Benchmark),
});
process.exit();
