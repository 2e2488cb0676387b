/**
 * What the suite must show, each against a peer in the same run, and whether it does.
 */

const KIB = 1024;
const SDK = '@aws-crypto/client-node';
const BROWSER_SDK = '@aws-crypto/client-browser';
const PER_FRAME = 'node:crypto per frame';
const SHA = 'native SHA-384';
const SUBTLE = 'subtle per frame';
/** The same cryptography by the platform's calls alone, without a message format. */
const BARE = [PER_FRAME, SUBTLE, 'bare node:crypto calls'];

/** Where no length is named, the longest row counts: 64 MiB in the full run. */
const GOALS = [
  ...long('messages', '0x0478', 4096, SDK, 5),
  ...long('messages', '0x0478', 65_536, SDK, 3),
  ...long('messages', '0x0478', 65_536, PER_FRAME, 0.9),
  ...long('signed', '0x0578', 65_536, SDK, 2.5),
  ...long('signed', '0x0578', 65_536, SHA, 0.8),
  times({ group: 'messages', suite: '0x0578', bytes: KIB, verb: 'encrypt' }, SDK, 1.7),
  times({ group: 'messages', suite: '0x0578', bytes: KIB, verb: 'decrypt' }, SDK, 3.5),
  ...both({ group: 'in-flight', suite: '0x0578', inFlight: 64 }, SDK, 2.5),
  ...both({ group: 'web', bytes: KIB }, BROWSER_SDK, 6, 'chromium'),
  ...both({ group: 'web', frameLength: 4096 }, BROWSER_SDK, 2.5, 'chromium'),
  ...['chromium', 'firefox', 'webkitgtk', 'deno'].flatMap((runtime) =>
    both(
      { group: 'messages', suite: '0x0478', bytes: 16 * KIB * KIB, frameLength: 4096 },
      SUBTLE,
      1,
      runtime,
    ),
  ),
  {
    where: { group: 'cold-start', name: 'import' },
    against: `${SDK}, CPU time`,
    atLeast: 5,
    value: ({ figures }) => figures[SDK].cpuMs / figures.frameseal.cpuMs,
  },
  ...['encrypt', 'decrypt'].map((verb) => ({
    where: { group: 'memory', streamed: 'one-shot', frameLength: 65_536, verb },
    against: 'MiB above the output',
    atMost: 32,
    value: ({ figures: { frameseal } }) => frameseal.peakAboveInputMiB - frameseal.outputMiB,
  })),
];

/**
 * @returns for each goal { work, against, atLeast or atMost, measured, met }; without the last two where nothing was measured.
 * Where the row has bare calls of the platform that are not the peer itself, `bare` is what the fastest of them would reach.
 */
export function judge({ runtimes: [here, ...others] }) {
  return GOALS.map(({ where, against, value, atLeast, atMost, runtime }) => {
    const { rows = [], title = runtime } =
      runtime === undefined ? here : (others.find(({ name }) => name === runtime) ?? {});
    const row = longest(rows.filter((one) => fits(one, where) && isMeasured(one, against, value)));
    const limit = atLeast === undefined ? { atMost } : { atLeast };
    const place = runtime === undefined ? '' : `${title}: `;
    if (row === undefined) return { work: `${place}${Object.values(where).join(' ')}`, against, ...limit };
    const measured = value ? value(row) : timesAsFast(row, 'frameseal', against);
    const calls = value || BARE.includes(against) ? [] : BARE.filter((name) => name in row.candidates);
    const bare = calls.length > 0 && {
      bare: rounded(Math.max(...calls.map((name) => timesAsFast(row, name, against)))),
    };
    const met = atLeast === undefined ? measured <= atMost : measured >= atLeast;
    return { work: `${place}${row.name}`, against, ...limit, measured: rounded(measured), met, ...bare };
  });
}

function timesAsFast({ candidates }, one, peer) {
  return candidates[peer].median / candidates[one].median;
}

function rounded(value) {
  return Number(value.toPrecision(3));
}

/** How many were met. */
export function summaryOf(goals) {
  const met = goals.filter((goal) => goal.met).length;
  const open = goals.filter((goal) => goal.met === undefined).length;
  return `${met} of ${goals.length} goals met${open > 0 ? `, ${open} not measured` : ''}`;
}

function times(where, against, atLeast, runtime) {
  return { where, against, atLeast, runtime };
}

function both(where, ...rest) {
  return ['encrypt', 'decrypt'].map((verb) => times({ ...where, verb }, ...rest));
}

function long(group, suite, frameLength, ...rest) {
  return both({ group, suite, frameLength, streamed: 'one-shot' }, ...rest);
}

function fits({ group, name, parameters }, where) {
  return Object.entries(where).every(([key, value]) => ({ ...parameters, group, name })[key] === value);
}

function isMeasured({ candidates, figures, failed }, against, value) {
  if (failed) return false;
  return value ? figures !== undefined : 'frameseal' in candidates && against in candidates;
}

function longest(rows) {
  return rows.reduce((best, row) => (best && best.bytes >= row.bytes ? best : row), undefined);
}
