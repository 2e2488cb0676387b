// Times candidates in turn, in shuffled order, round after round: what else the machine does hits them all alike.

/**
 * @param {Record<string, () => unknown>} candidates each call does the same work
 * @param {{ rounds?: number, roundMs?: number, warmUpMs?: number }} [options] code is compiled while it warms up
 * @returns {Promise<Record<string, number>>} the median over the rounds of the microseconds of a call
 */
export async function interleave(candidates, { rounds = 15, roundMs = 12, warmUpMs = 200 } = {}) {
  const names = Object.keys(candidates);
  const calls = {};
  for (const name of names) await warmUp(candidates[name], warmUpMs);
  for (const name of names) calls[name] = await callsFor(candidates[name], roundMs);
  const times = Object.fromEntries(names.map((name) => [name, []]));
  for (let round = 0; round < rounds; round++) {
    for (const name of shuffled(names)) times[name].push(await time(candidates[name], calls[name]));
  }
  return Object.fromEntries(names.map((name) => [name, median(times[name])]));
}

/** The middle value. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[sorted.length >> 1];
}

async function warmUp(candidate, milliseconds) {
  const until = performance.now() + milliseconds;
  while (performance.now() < until) await time(candidate, 1);
}

// How many calls fill a round.
async function callsFor(candidate, roundMs) {
  let count = 1;
  for (;;) {
    const took = (await time(candidate, count)) * count;
    if (took >= roundMs * 500 || count >= 1e6)
      return Math.max(1, Math.round((count * roundMs * 1000) / took));
    count *= 2;
  }
}

async function time(candidate, count) {
  const started = performance.now();
  for (let i = 0; i < count; i++) {
    const result = candidate();
    if (result instanceof Promise) await result;
  }
  return ((performance.now() - started) * 1000) / count;
}

/** The same names in another order. */
export function shuffled(names) {
  const order = [...names];
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(Math.random() * (i + 1));
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}
