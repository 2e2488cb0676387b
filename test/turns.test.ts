/**
 * Turns of the event loop within long loops: timers have theirs, whatever the runtime offers for it.
 */
import { afterEach, describe, expect, it, vi } from 'vitest';
import { turns } from '../src/deadline.ts';

const WAYS = [
  ['setImmediate', {}],
  ['a message', { setImmediate: undefined }],
  ['a timer', { setImmediate: undefined, MessageChannel: undefined }],
] as const;

afterEach(() => {
  vi.unstubAllGlobals();
  vi.restoreAllMocks();
});

// Works until a timer has fired. Without turns it never ends, so it gives up after a while.
async function untilTimer(turn: () => Promise<void> | undefined): Promise<boolean> {
  let fired = false;
  setTimeout(() => {
    fired = true;
  }, 1);
  const until = performance.now() + 20_000;
  while (!fired && performance.now() < until) await turn();
  return fired;
}

describe.each(WAYS)('turns by %s', (way, globals) => {
  const stub = () => {
    for (const [name, value] of Object.entries(globals)) vi.stubGlobal(name, value);
  };

  it('let timers fire', async () => {
    stub();
    expect(await untilTimer(turns(undefined))).toBe(true);
  });

  it('are taken again and again, by a timer only where there is nothing else', async () => {
    stub();
    const timers = vi.spyOn(globalThis, 'setTimeout');
    const turn = turns(undefined);
    let taken = 0;
    for (const until = performance.now() + 20_000; taken < 5 && performance.now() < until; ) {
      const turned = turn();
      if (turned !== undefined) taken++;
      await turned;
    }
    expect(taken).toBe(5);
    expect(timers).toHaveBeenCalledTimes(way === 'a timer' ? 5 : 0);
  });

  it('count the time before the first call: a loop that works before it asks lets others in, too', async () => {
    stub();
    const turn = turns(undefined);
    for (const until = performance.now() + 30; performance.now() < until; );
    expect(turn()).toBeInstanceOf(Promise);
    await turn();
  });

  it('end with the reason of a signal that aborts meanwhile', async () => {
    stub();
    const controller = new AbortController();
    const turn = turns(controller.signal);
    setTimeout(() => controller.abort(), 1);
    await expect(untilTimer(turn).then(() => turn())).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

describe('turns', () => {
  it.each([
    ['a microtask', (resume: () => void) => void Promise.resolve().then(resume)],
    ['an element of that id', {}],
  ])('let timers fire in a page whose setImmediate is %s', async (_, setImmediate) => {
    vi.stubGlobal('process', { versions: {} });
    vi.stubGlobal('setImmediate', setImmediate);
    const fired = await untilTimer(turns(undefined));
    vi.unstubAllGlobals();
    expect(fired).toBe(true);
  });

  it('leave a page no open channel', async () => {
    const closed = vi.fn();
    vi.stubGlobal('setImmediate', undefined);
    vi.stubGlobal(
      'MessageChannel',
      class {
        port1 = { onmessage: () => {}, close: closed };
        port2 = { postMessage: () => setTimeout(() => this.port1.onmessage(), 0) };
      },
    );
    expect(await untilTimer(turns(undefined))).toBe(true);
    expect(closed).toHaveBeenCalled();
  });
});
