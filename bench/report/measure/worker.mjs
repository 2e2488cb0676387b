/**
 * The quick cases in the browser that shows the page, off its main thread. Bundled into the page by `bundle.mjs`.
 * Tells { event: 'started', count }, then for each case { event: 'row', row }, then { event: 'done', ...about };
 * { event: 'failed', message } ends it too.
 */
import { clockStep, commonCases, loopHarness, roundsOf, runCase } from '../../../dist/bench/index.js';

try {
  const step = clockStep(() => performance.now());
  const harness = loopHarness();
  const rounds = roundsOf('quick', step);
  const cases = commonCases({ scale: 'quick' });
  postMessage({ event: 'started', count: cases.length });
  for (const one of cases) postMessage({ event: 'row', row: await runCase(one, { ...rounds, harness }) });
  postMessage({ event: 'done', harness: harness.name, clockStepMicroseconds: 1000 * step });
} catch (error) {
  postMessage({ event: 'failed', message: `${error?.message ?? error}` });
}
