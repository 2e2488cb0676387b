/**
 * A report with made-up figures, for trying out the page: nothing in it was measured. It has what real ones have: rows
 * that failed, runtimes that were not run, outliers, and text that must be escaped.
 */
import { sizeText, summarize } from '../../dist/bench/index.js';

const SDK = '@aws-crypto/client-node';
const LENGTHS = [64, 256, 1024, 4096, 16384, 65536, 262144, 1048576];
const REGIONS = ['us-east-1', 'eu-west-1', 'ap-northeast-1'];

let state = 1;

// Always the same, so that two pages of it are equal.
function random() {
  state = (state * 48271) % 0x7fffffff;
  return state / 0x7fffffff;
}

/** @param figures candidates' medians in microseconds */
function row(group, name, parameters, figures, rest = {}) {
  const candidates = Object.fromEntries(
    Object.entries(figures).map(([candidate, median]) => {
      const samples = Array.from({ length: 9 }, () => median * (0.96 + 0.08 * random()));
      if (random() > 0.7) samples[3] *= 1.8;
      return [candidate, summarize(samples)];
    }),
  );
  const { bytes } = parameters;
  return { group, name, parameters, ...(bytes && { bytes }), messages: 1, candidates, ...rest };
}

/** @param call microseconds that a native call costs, whatever its length */
function engines(call) {
  return LENGTHS.map((frameLength) => {
    const frames = Math.max(1, Math.min(16, 2 ** 20 / frameLength));
    const bytes = frames * frameLength;
    const native = frames * (call + frameLength / 2300);
    const wasm = 1 + frames * (0.4 + frameLength / 280);
    const hybrid = call * 2 + frames * (0.3 + frameLength / 950);
    const engine = { 'frameseal: native': native, 'frameseal: wasm': wasm, 'frameseal: hybrid': hybrid };
    const figures = { 'frameseal: auto': Math.min(native, wasm, hybrid) * 1.02, ...engine };
    const name = `seal ${frames} frames of ${sizeText(frameLength)}`;
    return row('engines', name, { verb: 'seal', bytes, frameLength, frames, keyLength: 32 }, figures, {
      messages: undefined,
    });
  });
}

function messages(bytes, speed, peers) {
  return ['0x0478', '0x0578'].flatMap((suite, signed) =>
    ['encrypt', 'decrypt'].map((verb) => {
      const ours = speed * (60 + 3900 * signed + bytes / (signed ? 290 : 850));
      const figures = { frameseal: ours };
      for (const [peer, factor] of Object.entries(peers))
        figures[peer] = ours * factor * (0.9 + 0.2 * random());
      const name = `${verb} ${sizeText(bytes)}, ${suite}, frames of 4 KiB`;
      return row('messages', name, { verb, bytes, suite, frameLength: 4096 }, figures);
    }),
  );
}

const NODE_PEERS = {
  [SDK]: 9.4,
  'bare node:crypto calls': 0.55,
  jose: 2.9,
  openpgp: 21,
  'age-encryption': 31,
  'libsodium secretstream': 1.7,
  '@noble/ciphers': 12,
  '@transcend-io/encrypt-web-streams': 7,
};

function inFlight() {
  return [1, 16, 64].map((count) => {
    const parameters = { verb: 'encrypt', bytes: 1024, suite: '0x0578', inFlight: count };
    const figures = { frameseal: 4000 * count ** 0.8, [SDK]: 7100 * count };
    return row('in-flight', `encrypt 1 KiB, 0x0578, ${count} in flight`, parameters, figures, {
      messages: count,
    });
  });
}

function kms() {
  const call = (operation, region, start) => ({ operation, region, start, end: start + 50 + 4 * random() });
  const [first, second, third] = REGIONS;
  const spans = {
    frameseal: [call('GenerateDataKey', first, 1), call('Encrypt', second, 55), call('Encrypt', third, 55.4)],
    [SDK]: [call('GenerateDataKey', first, 2), call('Encrypt', second, 57), call('Encrypt', third, 111)],
  };
  const parameters = { verb: 'encrypt', regions: 3, latency: 50 };
  const figures = {
    frameseal: { calls: 3, kmsMs: 103.8, otherMs: 1.9 },
    [SDK]: { calls: 3, kmsMs: 157, otherMs: 4.1 },
  };
  return [
    row('kms', 'encrypt, 3 regions, 50 ms', parameters, { frameseal: 105700, [SDK]: 161300 }, { figures }),
    { group: 'kms', name: 'waterfall', parameters, candidates: {}, spans },
  ];
}

function resources() {
  const figures = (name, values) =>
    Object.fromEntries(Object.entries(values).map(([candidate, value]) => [candidate, { [name]: value }]));
  const rest = { parameters: {}, candidates: {} };
  return [
    {
      group: 'memory',
      name: 'encrypt 64 MiB one-shot',
      ...rest,
      figures: figures('peakAboveInputMiB', { frameseal: 71, [SDK]: 214 }),
    },
    {
      group: 'memory',
      name: 'encrypt 64 MiB streamed',
      ...rest,
      figures: figures('peakAboveInputMiB', { frameseal: 9, [SDK]: 21 }),
    },
    {
      group: 'cold-start',
      name: 'import of the raw-AES path',
      ...rest,
      figures: figures('cpuMs', { frameseal: 31, [SDK]: 330 }),
    },
  ];
}

const FAILED = {
  group: 'messages',
  name: 'decrypt 16 B, <b>&amp;</b>',
  parameters: { verb: 'decrypt', bytes: 16 },
  bytes: 16,
  candidates: {},
  failed: 'the outputs of <frameseal> and "jose" differ',
};

function runtime(name, title, version, speed, rows) {
  const versions = { frameseal: '0.0.0', benchmark: '2.1.4' };
  return {
    name,
    title,
    version,
    harness: 'benchmark 2.1.4',
    clockStepMicroseconds: 5 * speed,
    versions,
    rows,
  };
}

function other(name, title, version, speed, call, peer) {
  const peers = { 'subtle per frame': 1.3, ...(peer && { [peer]: 4 }) };
  const rows = [...engines(call), ...messages(1024, speed, peers), ...messages(16777216, speed, peers)];
  return runtime(name, title, version, speed, rows);
}

export function exampleReport() {
  state = 1;
  const large = Object.fromEntries(Object.entries(NODE_PEERS).slice(0, 2));
  const node = [
    ...engines(7),
    ...messages(1024, 1, NODE_PEERS),
    ...messages(16777216, 1, large),
    ...messages(67108864, 1, { ...large, openpgp: 6, 'libsodium secretstream': 5 }),
    ...inFlight(),
    ...kms(),
    ...resources(),
    FAILED,
  ];
  const BROWSER = '@aws-crypto/client-browser';
  const notRun = 'no /usr/bin/cog';
  return {
    format: 1,
    date: '2026-01-01T00:00:00Z',
    command: 'an example: every figure is made up',
    machine: { cpu: 'no processor', cores: 2, memoryGiB: 24, os: 'no system', load: [0.1, 0.2, 0.3] },
    goals: [
      {
        work: '64 MiB one-shot, 4 KiB frames, 0x0478, encrypt',
        against: SDK,
        atLeast: 5,
        measured: 3.6,
        met: false,
        bare: 1.9,
      },
      {
        work: 'import of the raw-AES path',
        against: `${SDK}, CPU time`,
        atLeast: 5,
        measured: 10.6,
        met: true,
      },
      {
        work: 'encrypt 64 MiB one-shot',
        against: 'MiB above the output',
        atMost: 32,
        measured: 7,
        met: true,
      },
      { work: '16 MiB, 4 KiB frames, WebKitGTK', against: 'subtle per frame', atLeast: 1 },
    ],
    runtimes: [
      {
        ...runtime('node-20', 'Node 20', '20.20.2', 1, node),
        versions: { frameseal: '0.0.0', [SDK]: '5.0.2', jose: '6.2.17' },
      },
      other('node-24', 'Node 24', '24.21.0', 0.92, 5),
      other('deno', 'Deno', '2.9.6', 1.2, 45),
      other('bun', 'Bun', '1.4.5', 0.8, 3),
      other('chromium', 'Chromium', '156.0.8078.79-1~deb12u1', 1.6, 14, BROWSER),
      other('firefox', 'Firefox', '140.5.0esr', 2.4, 30, BROWSER),
      { ...runtime('wpe', 'WPE WebKit', '', 1, []), notRun },
    ],
  };
}
