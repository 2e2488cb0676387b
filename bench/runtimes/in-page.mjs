/**
 * The cases in a page, as its bundled script; the scripts before it have made `Benchmark` global.
 */

import { measure } from './measure.mjs';
import { pageHarness } from './page-harness.mjs';

await measure({
  url: new URL('./', location.href).href,
  about: navigator.userAgent,
  makeHarness: () => pageHarness(globalThis.Benchmark),
  moreCases: async (task) => (task.peers ? (await import(task.peers)).webCases(task) : []),
});
