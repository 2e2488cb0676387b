/**
 * Prints the table of the vector runs behind the ordinary report.
 */
import type { Reporter, TestModule } from 'vitest/node';
import type { VectorRow } from './vectors-tally.ts';

const HEADS = ['set', 'passed', 'failed', 'by rule', 'not applicable'] as const;

/** For `reporters` in a vitest configuration. */
export default class VectorsReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const rows = modules
      .flatMap((module) => [...module.children.allTests()])
      .flatMap((test) => test.meta().vectors ?? []);
    for (const run of new Set(rows.map((row) => row.run))) {
      console.log(`\nvectors, ${run}\n${table(rows.filter((row) => row.run === run))}`);
    }
  }
}

function table(rows: readonly VectorRow[]): string {
  const cells = rows.map((row) => [
    row.set,
    row.passed,
    row.failed.length,
    byRule(row).length,
    unjudged(row),
  ]);
  const total = [1, 2, 3, 4].map((column) => cells.reduce((sum, line) => sum + Number(line[column]), 0));
  const width = Math.max(...rows.map((row) => row.set.length), 'total'.length) + 2;
  const line = ([name, ...numbers]: readonly unknown[]) =>
    `  ${String(name).padEnd(width)}${numbers.map((n, i) => String(n).padStart(HEADS[i + 1]!.length + 2)).join('')}`;
  return [line(HEADS), ...cells.map(line), line(['total', ...total]), ...notes(rows)].join('\n');
}

function notes(rows: readonly VectorRow[]): string[] {
  const lines = (kind: string, of: (row: VectorRow) => Record<string, number | string[]>) =>
    rows.flatMap((row) =>
      Object.entries(of(row)).map(([what, found]) => {
        const names = Array.isArray(found) ? `: ${found.join(', ')}` : '';
        return `  ${kind}${row.set}: ${Array.isArray(found) ? found.length : found} ${what}${names}`;
      }),
    );
  return [
    ...lines('', (row) => row.notes),
    ...lines('not applicable: ', (row) => row.notApplicable),
    ...lines('rejected by rule: ', (row) => row.rejectedByRule),
  ];
}

function byRule(row: VectorRow): string[] {
  return Object.values(row.rejectedByRule).flat();
}

function unjudged(row: VectorRow): number {
  return Object.values(row.notApplicable).reduce((sum, count) => sum + count, 0);
}
