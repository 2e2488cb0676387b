import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { byteText, progressBar, progressLine } from '../../src/cli/progress.ts';

function terminal(isTTY: boolean, columns?: number) {
  const written: string[] = [];
  const stderr = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  return { written, stderr: Object.assign(stderr, { isTTY, ...(columns && { columns }) }) };
}

describe('a line of progress', () => {
  it('shows bar, per cent, bytes, rate and time left where the total is known', () => {
    expect(progressLine('a.bin', 512 * 1024, 2 ** 20, 2)).toBe(
      'a.bin  [##########..........]   50 %  512.0 KiB  256.0 KiB/s  0:02 left',
    );
  });

  it('shows bytes and rate where it is not', () => {
    expect(progressLine('a.bin', 3 * 2 ** 20, undefined, 2)).toBe('a.bin  3.0 MiB  1.5 MiB/s');
  });

  it('is sensible at the edges', () => {
    expect(progressLine('a', 0, 0, 0)).toContain('100 %');
    expect(progressLine('a', 0, 10, 0)).not.toContain('left');
    expect(progressLine('a', 20, 10, 1)).toContain('100 %');
    expect(progressLine('a', 1, 7200, 1)).toContain('1:59:59 left');
  });

  it('shows the end of a long name, escaped', () => {
    const line = progressLine(`${'x'.repeat(100)}\x1b[31m/end`, 1, undefined, 1);
    expect(line).not.toContain('\x1b');
    expect(line.startsWith('…xxx')).toBe(true);
    expect(line).toContain('/end');
  });
});

it('numbers of bytes', () => {
  expect([0, 1023, 1024, 1.5 * 2 ** 30, 5000 * 2 ** 40].map(byteText)).toEqual([
    '0 B',
    '1023 B',
    '1.0 KiB',
    '1.5 GiB',
    '5000.0 TiB',
  ]);
});

describe('a bar', () => {
  it('is drawn on a terminal only', () => {
    const pipe = terminal(false);
    const bar = progressBar(pipe, 'a', 9);
    bar.show(1);
    bar.clear();
    expect(pipe.written).toEqual([]);
  });

  it('is drawn ten times a second at most, within the width, and taken away', () => {
    const screen = terminal(true, 40);
    let time = 0;
    const bar = progressBar(screen, 'a'.repeat(60), 1000, () => time);
    for (; time < 1000; time += 10) bar.show(time);
    expect(screen.written).toHaveLength(10);
    for (const line of screen.written) {
      expect(line.startsWith('\r\x1b[K')).toBe(true);
      expect(line.length - '\r\x1b[K'.length).toBeLessThan(40);
    }
    bar.clear();
    bar.clear();
    expect(screen.written.slice(10)).toEqual(['\r\x1b[K']);
  });
});
