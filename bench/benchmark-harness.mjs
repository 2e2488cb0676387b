/**
 * The `benchmark` package behind the interface of `src/bench/harness.ts`: one short Benchmark for a candidate in a round.
 */

/** Seconds that a batch lasts at least: the package reads Date, in steps of 1 ms, where there is no `process.hrtime`. */
const SHORTEST = typeof globalThis.process?.hrtime === 'function' ? 0.0005 : 0.05;

/** @param Benchmark the package's constructor: imported, or what its classic script has made global. */
export function benchmarkHarness(Benchmark) {
  const known = new WeakMap();
  return {
    name: `benchmark ${Benchmark.version}`,
    async time(call, { maxTime, minSamples }) {
      if (!known.has(call)) known.set(call, await lookAt(call));
      const { isAsync, took } = known.get(call);
      const samples = Math.max(1, Math.min(minSamples, Math.floor(maxTime / took)));
      const settings = {
        maxTime: maxTime / 1000,
        minTime: Math.max(SHORTEST, maxTime / samples / 2000),
        minSamples: samples,
      };
      return 1e6 * middle((await (isAsync ? timeAsync : timeSync)(Benchmark, call, settings)).sample);
    },
  };
}

// Once for each candidate: one that answers with a promise always does.
async function lookAt(call) {
  const started = performance.now();
  const result = call();
  await result;
  return { isAsync: result instanceof Promise, took: performance.now() - started };
}

function timeSync(Benchmark, call, settings) {
  const benchmark = new Benchmark({ ...settings, fn: () => call() }).run({ async: false });
  if (benchmark.error) throw benchmark.error;
  return benchmark.stats;
}

function timeAsync(Benchmark, call, settings) {
  return new Promise((resolve, reject) => {
    const fn = (deferred) => {
      call().then(
        () => deferred.resolve(),
        (error) => {
          reject(error);
          deferred.benchmark.abort();
        },
      );
    };
    const onComplete = ({ target }) => resolve(target.stats);
    new Benchmark({ ...settings, defer: true, fn, onComplete }).run({ async: true });
  });
}

function middle(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
