import { describe, expect, it } from 'vitest';
import { machineHere, reportHere, runtimeHere } from '../../src/bench/index.ts';
import { VERSION } from '../../src/version.ts';

const CHROME =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36';
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0';
const SAFARI =
  'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.1 Safari/605.1.15';

describe('the runtime', () => {
  it.each([
    [
      { process: { versions: { node: '20.20.2', v8: '11.3', openssl: '3.0.19' } } },
      'node-20',
      'Node.js',
      '20.20.2',
    ],
    [{ process: { versions: { node: '24.0.0', deno: '2.9.6', v8: '15.0' } } }, 'deno', 'Deno', '2.9.6'],
    [{ process: { versions: { node: '26.3.0', bun: '1.4.5' } } }, 'bun', 'Bun', '1.4.5'],
    [
      { process: { versions: { node: '22.0.0' } }, navigator: { userAgent: 'Cloudflare-Workers' } },
      'workerd',
      'workerd',
      '',
    ],
    [
      { process: { versions: { node: '24.1.0' } }, navigator: { userAgent: 'Node.js/24' } },
      'node-24',
      'Node.js',
      '24.1.0',
    ],
    [{ navigator: { userAgent: CHROME } }, 'chromium', 'Chromium', '156.0.0.0'],
    [{ navigator: { userAgent: FIREFOX } }, 'firefox', 'Firefox', '153.0'],
    [{ navigator: { userAgent: SAFARI } }, 'webkit', 'WebKit', '26.1'],
    [{}, 'unknown', 'unknown runtime', ''],
  ])('of %j is %s', (globals, name, title, version) => {
    expect(runtimeHere(globals)).toMatchObject({ name, title, version, versions: { frameseal: VERSION } });
  });

  it('names what it is made of', () => {
    const versions = { node: '20.20.2', v8: '11.3', openssl: '3.0.19' };
    expect(runtimeHere({ process: { versions } }).versions).toEqual({
      frameseal: VERSION,
      v8: '11.3',
      openssl: '3.0.19',
    });
  });
});

describe('the machine', () => {
  it('is known by node:os', () => {
    expect(machineHere()).toEqual({
      cpu: expect.any(String),
      cores: expect.any(Number),
      memoryGiB: expect.any(Number),
      os: expect.stringContaining(process.arch),
      load: expect.any(Number),
    });
  });

  it('is as much as a browser says', () => {
    const navigator = { hardwareConcurrency: 8, deviceMemory: 16, platform: 'Linux x86_64' };
    expect(machineHere({ navigator })).toEqual({ cores: 8, memoryGiB: 16, os: 'Linux x86_64' });
    expect(machineHere({})).toEqual({});
  });
});

it('stands in a report with the rows', () => {
  const rows = [{ group: 'g', name: 'n', parameters: {}, candidates: {} }];
  const harness = { name: 'loop', time: async () => 1 };
  const report = reportHere('a command', { cores: 2 }, harness, rows);
  expect(report).toMatchObject({
    format: 1,
    command: 'a command',
    machine: { cores: 2 },
    runtimes: [{ ...runtimeHere(), harness: 'loop', rows }],
  });
  expect(new Date(report.date).toISOString()).toBe(report.date);
  expect(report.runtimes[0]!.clockStepMicroseconds).toBeGreaterThan(0);
});
