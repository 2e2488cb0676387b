/**
 * One after the other: the last look at a file and the change of its name, which nothing of this process may come between.
 */

const last = new Map<string, Promise<unknown>>();

/** Runs the work when all earlier work for this name has ended, however it has. */
export async function inTurn<T>(name: string, work: () => Promise<T>): Promise<T> {
  const before = last.get(name);
  const mine = (async () => {
    await before?.catch(() => {});
    return work();
  })();
  last.set(name, mine);
  try {
    return await mine;
  } finally {
    if (last.get(name) === mine) last.delete(name);
  }
}
