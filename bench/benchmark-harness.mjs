/**
 * The `benchmark` package behind the interface of `src/bench/harness.ts`: one short Benchmark for a candidate in a round.
 */

/** Seconds that a batch lasts at least: the package reads Date, in steps of 1 ms, where there is no `process.hrtime`. */
const SHORTEST = typeof globalThis.process?.hrtime === 'function' ? 0.0005 : 0.05;
/**
 * The same for calls that answer with promises: the package lets a timer pass before each batch, and the first call after
 * that is slower by up to half a millisecond, which calls that run in a loop never see.
 */
const SHORTEST_ASYNC = 0.01;

/**
 * @param Benchmark the package's constructor: imported, or what its classic script has made global.
 * @param shortest seconds that a batch lasts at least, where the package has been given another clock.
 */
export function benchmarkHarness(Benchmark, shortest = SHORTEST) {
  const known = new WeakMap();
  return {
    name: `benchmark ${Benchmark.version}`,
    async time(call, { maxTime, minSamples }) {
      if (!known.has(call)) known.set(call, await lookAt(call));
      const one = known.get(call);
      const { isAsync, took, initCount } = one;
      const batch = isAsync ? Math.max(shortest, SHORTEST_ASYNC) : shortest;
      const samples = Math.max(1, Math.min(minSamples, Math.floor(maxTime / Math.max(took, 1000 * batch))));
      const settings = {
        maxTime: maxTime / 1000,
        minTime: Math.max(batch, maxTime / samples / 2000),
        minSamples: samples,
        initCount,
        delay: 0,
      };
      const { count, stats } = await (isAsync ? timeAsync : timeSync)(Benchmark, call, settings);
      one.initCount = count;
      return 1e6 * middle(stats.sample);
    },
  };
}

// Once for each candidate: one that answers with a promise always does. How many calls fill a batch is found in the first
// round, and known in the others.
async function lookAt(call) {
  const started = performance.now();
  const result = call();
  await result;
  return { isAsync: result instanceof Promise, took: performance.now() - started, initCount: 1 };
}

function timeSync(Benchmark, call, settings) {
  const benchmark = new Benchmark({ ...settings, fn: () => call() }).run({ async: false });
  if (benchmark.error) throw benchmark.error;
  return benchmark;
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
    const onComplete = ({ target }) => resolve(target);
    new Benchmark({ ...settings, defer: true, fn, onComplete }).run({ async: true });
  });
}

function middle(values) {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
