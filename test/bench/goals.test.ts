/**
 * What is to be reached, judged by made-up reports.
 */
import { describe, expect, it } from 'vitest';
// @ts-expect-error: a program, without types
import { judge, summaryOf } from '../../bench/goals.mjs';

const SDK = '@aws-crypto/client-node';
const PER_FRAME = 'node:crypto per frame';
const MIB = 2 ** 20;

interface Goal {
  readonly work: string;
  readonly against: string;
  readonly atLeast?: number;
  readonly measured?: number;
  readonly met?: boolean;
  readonly bare?: number;
}

function row(times: Record<string, number>, more: Record<string, unknown> = {}) {
  const candidates = Object.fromEntries(Object.entries(times).map(([name, median]) => [name, { median }]));
  const { bytes = 64 * MIB, group = 'messages', ...parameters } = more;
  return {
    group,
    name: `encrypt ${bytes}`,
    bytes,
    parameters: {
      verb: 'encrypt',
      suite: '0x0478',
      frameLength: 65_536,
      streamed: 'one-shot',
      ...parameters,
    },
    candidates,
  };
}

function judged(...rows: unknown[]): Goal[] {
  return judge({ runtimes: [{ title: 'Node.js 20', rows }] });
}

const measuredOf = (goals: Goal[]) => goals.filter(({ measured }) => measured !== undefined);

describe('goals', () => {
  it('are judged by the ratio to their peer, beside what bare calls reach', () => {
    const times = { frameseal: 10, [SDK]: 31, [PER_FRAME]: 12, 'subtle per frame': 20 };
    const [sdk, calls, ...others] = measuredOf(judged(row(times)));
    expect(others).toEqual([]);
    expect(sdk).toMatchObject({ against: SDK, atLeast: 3, measured: 3.1, met: true, bare: 2.58 });
    expect(calls).toMatchObject({ against: PER_FRAME, atLeast: 0.9, measured: 1.2, met: true });
    expect(calls).not.toHaveProperty('bare');
  });

  it('are missed below their limit', () => {
    const [sdk, calls] = measuredOf(judged(row({ frameseal: 10, [SDK]: 29, [PER_FRAME]: 8 })));
    expect(sdk).toMatchObject({ measured: 2.9, met: false, bare: 3.63 });
    expect(calls).toMatchObject({ measured: 0.8, met: false });
  });

  it('say nothing of bare calls where none were measured', () => {
    const [sdk] = measuredOf(judged(row({ frameseal: 10, [SDK]: 30 })));
    expect(sdk).toMatchObject({ measured: 3, met: true });
    expect(sdk).not.toHaveProperty('bare');
  });

  it('go by the longest row that has the peer and did not fail', () => {
    const rows = [
      row({ frameseal: 10, [SDK]: 20 }, { bytes: 16 * MIB }),
      row({ frameseal: 10, [SDK]: 40 }, { bytes: 32 * MIB }),
      { ...row({}), failed: 'the outputs differ' },
      row({ frameseal: 10, [PER_FRAME]: 10 }),
    ];
    expect(measuredOf(judged(...rows))[0]).toMatchObject({ work: `encrypt ${32 * MIB}`, measured: 4 });
  });

  it('are open where nothing was measured, and counted so', () => {
    const goals = judged(row({ frameseal: 10, [SDK]: 31 }));
    const open = goals.filter(({ measured }) => measured === undefined).length;
    expect(open).toBe(goals.length - 1);
    expect(summaryOf(goals)).toBe(`1 of ${goals.length} goals met, ${open} not measured`);
  });
});
