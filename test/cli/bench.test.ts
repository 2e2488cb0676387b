/** `frameseal bench` with a harness that measures nothing, and few cases of the real ones. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { BenchCase, BenchReport, BenchRow, Harness, Summary } from '../../src/bench/index.ts';
import { benchText } from '../../src/cli/bench-text.ts';
import { stepProgress } from '../../src/cli/progress.ts';
import { VERSION } from '../../src/version.ts';
import { frameseal } from './support.ts';

const bench = vi.hoisted(() => ({
  cases: [] as BenchCase[],
  time: (async () => 10) as Harness['time'],
  scale: '',
}));

vi.mock('../../src/bench/index.ts', async (original) => ({
  ...(await original<object>()),
  loopHarness: () => ({ name: 'none', time: (...call: Parameters<Harness['time']>) => bench.time(...call) }),
  commonCases: ({ scale }: { scale: string }) => {
    bench.scale = scale;
    return bench.cases;
  },
  roundsOf: () => ({ rounds: 2, maxTime: 1, minSamples: 1, warmUp: 0 }),
}));

const { engineCases, messageCases } = await import('../../src/bench/index.ts');

const messages = messageCases(
  (['encrypt', 'decrypt'] as const).map((verb) => {
    return { verb, bytes: 1024, frameLength: 4096, suite: '0x0478', streamed: 'one-shot' };
  }),
);
const engines = engineCases([{ keyLength: 32, frameLength: 1024, frames: 16 }]);
const broken: BenchCase = {
  group: 'messages',
  name: 'a broken one',
  parameters: {},
  prepare: () => Promise.reject(new Error('they disagree')),
};

beforeEach(() => {
  bench.cases = [...engines, ...messages];
  bench.time = async () => 10;
});

describe('frameseal bench', () => {
  it('writes a table for each group, and advice', async () => {
    const { code, out, err } = await frameseal(['bench']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toContain(`frameseal ${VERSION} in Node.js ${process.versions.node}`);
    expect(out).toMatch(/\n +auto +± +native +wasm +hybrid +node:crypto +subtle +ratio\n/);
    expect(out).toMatch(/\nseal 16 frames of 1 KiB +1,638 +0% +1,638 .* 1\.00x\n/);
    expect(out).toMatch(/\nencrypt 1 KiB, 0x0478, frames of 4 KiB +102 +0% +100,000\n/);
    expect(out).toContain('\nWhich engine to force\nLeave the engine at "auto"');
    for (const line of out.split('\n')) expect(line.length).toBeLessThan(121);
    expect(bench.scale).toBe('quick');
  });

  it('advises nothing where no engine was measured', async () => {
    const { code, out } = await frameseal(['bench', '--full', '--only', 'messages']);
    expect(code).toBe(0);
    expect(out).not.toContain('Which engine');
    expect(out).not.toContain('seal 16');
    expect(out).toContain('encrypt 1 KiB');
    expect(bench.scale).toBe('full');
  });

  it('says as JSON what was measured', async () => {
    const { code, json, err } = await frameseal(['bench', '--json']);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const [report, ...more] = json();
    expect(more).toEqual([]);
    const ten = { median: 10, low: 10, high: 10, samples: [10, 10], outliers: [] };
    expect(report).toMatchObject({
      ok: true,
      format: 1,
      command: 'frameseal bench',
      machine: { cores: expect.any(Number) },
      advice: { text: expect.stringContaining('Leave'), force: [] },
    });
    expect(report.runtimes).toEqual([
      {
        name: `node-${process.versions.node.split('.')[0]}`,
        title: 'Node.js',
        version: process.versions.node,
        versions: expect.objectContaining({ frameseal: VERSION }),
        harness: 'none',
        clockStepMicroseconds: expect.any(Number),
        rows: expect.any(Array),
      },
    ]);
    expect(report.runtimes[0].rows.map(({ name }: BenchRow) => name)).toEqual([
      ...engines.map(({ name }) => name),
      ...messages.map(({ name }) => name),
    ]);
    expect(report.runtimes[0].rows[2]).toEqual({
      group: 'messages',
      name: messages[0]!.name,
      parameters: messages[0]!.parameters,
      bytes: 1024,
      messages: 1,
      candidates: { frameseal: ten },
    });
  });

  it('names its call in the report', async () => {
    const [report] = (
      await frameseal(['bench', '--json', '--full', '--only=messages', '--only', 'engines'])
    ).json();
    expect(report.command).toBe('frameseal bench --full --only messages --only engines');
  });

  it('ends with 1 when a case fails, and measures the others', async () => {
    bench.cases = [broken, ...messages];
    const text = await frameseal(['bench']);
    expect(text.code).toBe(1);
    expect(text.out).toContain('\na broken one: NOT MEASURED: they disagree\n');
    expect(text.out).toContain('encrypt 1 KiB');
    const { code, json } = await frameseal(['bench', '--json']);
    expect(code).toBe(1);
    expect(json()[0]).toMatchObject({
      ok: false,
      runtimes: [{ rows: [{ failed: 'they disagree' }, {}, {}] }],
    });
  });

  it.each([
    [['bench', 'file'], 'options only'],
    [['bench', '--ful'], 'is it --full?'],
    [['bench', '--only', 'speed'], '--only expected one of engines, key-derivation, messages, streams'],
    [['bench', '--full=yes'], 'does not take an argument'],
  ])('%j cannot work', async (argv, text) => {
    const { code, err, out } = await frameseal(argv);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain('USAGE');
    expect(err).toContain(text);
  });
});

describe('an interrupt', () => {
  it('ends it between two rounds', async () => {
    const interrupt = new AbortController();
    let timed = 0;
    bench.time = async () => {
      if (++timed === 3) interrupt.abort('SIGINT');
      return 10;
    };
    const { code, err, out } = await frameseal(['bench'], { signal: interrupt.signal });
    expect({ code, out, timed }).toEqual({ code: 130, out: '', timed: 3 });
    expect(err).toBe('frameseal: ABORTED: ended by SIGINT\n');
  });

  it('is heard although no call waits for anything', async () => {
    const prepare = async () => ({ frameseal: () => 1 });
    bench.cases = Array.from({ length: 50 }, (_, i) => ({ ...broken, name: `${i}`, prepare }));
    const interrupt = new AbortController();
    setImmediate(() => setImmediate(() => interrupt.abort('SIGTERM')));
    const { code, json } = await frameseal(['bench', '--json'], { signal: interrupt.signal });
    expect(code).toBe(143);
    expect(json()).toEqual([{ ok: false, error: { code: 'ABORTED', message: 'ended by SIGTERM' } }]);
  });

  it('before the first case leaves nothing to measure', async () => {
    bench.time = () => Promise.reject(new Error('was timed'));
    const { code } = await frameseal(['bench'], { signal: AbortSignal.abort('SIGINT') });
    expect(code).toBe(130);
  });
});

describe('progress', () => {
  it('is a line on a terminal, which is taken away', async () => {
    const { err } = await frameseal(['bench'], { terminal: true });
    expect(err).toContain('\r\x1b[K[1/4]  engines: seal 16 frames of 1 KiB');
    expect(err).toContain('[4/4]');
    expect(err.endsWith('\r\x1b[K')).toBe(true);
  });

  it.each([['--quiet'], ['--json']])('is not shown with %s', async (option) => {
    expect((await frameseal(['bench', option], { terminal: true })).err).toBe('');
  });

  it('says how long it will take, on one line', () => {
    const written: string[] = [];
    const stderr = { isTTY: true, columns: 40, write: (text: string) => written.push(text) > 0 };
    let time = 0;
    const progress = stepProgress({ stderr: stderr as never }, 8, () => time);
    progress.show(0, 'first');
    time = 4000;
    progress.show(2, `a name\n${'x'.repeat(100)}`);
    progress.clear();
    expect(written).toEqual([
      '\r\x1b[K[1/8]  first',
      `\r\x1b[K${'[3/8]  0:12 left  a name\\u{a}'.padEnd(39, 'x')}`,
      '\r\x1b[K',
    ]);
  });
});

describe('the text of a report', () => {
  const summary = (median: number, low = median, high = median): Summary => {
    return { median, low, high, samples: [low, median, high], outliers: [] };
  };
  const report = (rows: readonly BenchRow[], load = 0): BenchReport => ({
    format: 1,
    date: '2026-01-01T00:00:00.000Z',
    command: 'frameseal bench',
    machine: { cpu: 'A CPU\x1b[2J', cores: 2, load },
    runtimes: [
      {
        name: 'x',
        title: 'X',
        version: '1',
        versions: { frameseal: '9' },
        harness: 'loop',
        clockStepMicroseconds: 1,
        rows,
      },
    ],
  });
  const row = (bytes: number | undefined, candidates: Record<string, Summary>): BenchRow => {
    return { group: 'messages', name: 'n', parameters: {}, ...(bytes && { bytes }), candidates };
  };
  const lastLine = (rows: readonly BenchRow[]) =>
    benchText(report(rows), undefined).trimEnd().split('\n').at(-1)!.split(/ {2,}/);

  it('has rates, the spread, and the ratio to the fastest plain call', () => {
    const candidates = {
      frameseal: summary(10, 9, 13),
      a: summary(40),
      b: summary(25),
      'frameseal: x': summary(1),
    };
    expect(lastLine([row(1000, candidates)])).toEqual(['n', '100', '20%', '25.0', '40.0', '1,000', '2.50x']);
  });

  it('has microseconds where no bytes are handled', () => {
    expect(lastLine([row(undefined, { frameseal: summary(0.5), a: summary(1234.5) })])).toEqual([
      'n',
      '0.500',
      '0%',
      '1,235',
      '2469.00x',
    ]);
  });

  it('leaves a cell empty where a candidate is missing', () => {
    const rows = [
      row(1000, { frameseal: summary(10), a: summary(20) }),
      row(1000, { frameseal: summary(5, 1, 30) }),
    ];
    expect(lastLine(rows)).toEqual(['n', '200', '>99%']);
  });

  it('says that the machine was busy, and nothing that a terminal would obey', () => {
    const text = benchText(report([row(1, { frameseal: summary(1) })], 1.5), undefined);
    expect(text).toContain('busy before (load 1.5 on 2 cores)');
    expect(text).not.toContain('\x1b');
    expect(benchText(report([], 0.9), undefined)).not.toContain('busy');
  });

  it('breaks long advice into lines', () => {
    const advice = { text: `${'word '.repeat(60).trim()}\nsecond`, force: [] };
    const lines = benchText(report([]), advice).trimEnd().split('\n');
    const said = lines.slice(lines.indexOf('Which engine to force') + 1);
    expect(said.map(({ length }) => length)).toEqual([99, 99, 99, 6]);
    expect(said.join(' ')).toBe(`${'word '.repeat(60)}second`);
  });
});
