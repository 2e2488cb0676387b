/**
 * Whether the kernel's time in V8 depends on a secret: Welch's t-test over the times of two classes of input, in random
 * order (Reparaz, Balasch, Verbauwhede: "Dude, is my code constant time?", 2017). It finds branches that cost something,
 * and cannot show that there are none.
 *
 *   node dudect.mjs [leaky.wasm]      builds the leaky kernel when it is not given
 */
import { randomBytes, randomFillSync } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildLeaky } from './leaky/build.mjs';

const KERNEL = new URL('../../../src/engine/wasm/frame.wasm', import.meta.url);
// Leaks of leaky/kernel.as.
const EARLY_EXIT = 2;
const BRANCH = 3;
const EARLY_COMMITMENT = 9;
const LIMIT = 4.5;
const ATTEMPTS = 3;
/** Of each class together, the share that is not cropped: the slowest have been interrupted. */
const KEPT = 0.9;
// Places among the arguments.
const KEY = 0;
const IV = 64;
const OUTPUT = 128;
const TAG = 16;

const kernel = await instantiate(KERNEL);
const leaky = await leakyKernel(process.argv[2]);

let failures = 0;
report('tag wrong in its first byte or its last', () => timeOfOpen(kernel, flipped(0), flipped(15)));
report('tag wrong in one bit or everywhere', () => timeOfOpen(kernel, flipped(3), inverted));
report("frame's tag wrong in its first byte or its last", () => timeOfFrame(kernel, flipped(0), flipped(15)));
report("frame's tag wrong in one bit or everywhere", () => timeOfFrame(kernel, flipped(3), inverted));
for (const length of [16, 24, 32])
  report(`AES-${8 * length} key fixed or random`, () => timeOfSetKey(kernel, length));
report('commit key wrong in its first byte or its last', () =>
  timeOfHeader(kernel, { commitKey: flipped(0) }, { commitKey: flipped(31) }),
);
report('commit key wrong or tag wrong', () =>
  timeOfHeader(kernel, { commitKey: flipped(0) }, { tag: flipped(0) }),
);
leaky.exports.plant(EARLY_EXIT);
report('planted: tags compared until they differ', () => timeOfOpen(leaky, flipped(0), flipped(15)), true);
leaky.exports.plant(BRANCH);
report('planted: branch on a bit of the key', () => timeOfSetKey(leaky, 32), true);
leaky.exports.plant(EARLY_COMMITMENT);
report(
  'planted: commit keys compared until they differ',
  () => timeOfHeader(leaky, { commitKey: flipped(0) }, { tag: flipped(0) }),
  true,
);
process.exitCode = failures;

// A machine is noisy and time is short: a difference counts when it is there every time.
function report(name, measure, planted = false) {
  const values = [];
  let good = false;
  while (!good && values.length < ATTEMPTS) {
    const t = welch(measure());
    values.push(t);
    good = planted ? Math.abs(t) > LIMIT : Math.abs(t) < LIMIT;
  }
  if (!good) failures++;
  const bound = planted ? 'must be found' : 'must not differ';
  console.log(
    `${good ? 'passed' : 'FAILED'}  time in V8, ${name}: t = ${values.map((t) => t.toFixed(1)).join(', ')} (${bound})`,
  );
}

// Times of opening a message without text, by which of two changes was made to its tag. It is wrong in both: whether a tag
// is right is public, and what is done then differs.
function timeOfOpen({ bytes, exports }, first, second) {
  const [args, data] = [exports.ARGUMENTS.value, exports.DATA.value];
  bytes.set(randomBytes(32), args + KEY);
  bytes.set(randomBytes(12), args + IV);
  exports.setKey(args + KEY, 32);
  exports.seal(args + IV, data, 0, data, 0, data);
  const tag = bytes.slice(data, data + TAG);
  const tags = Uint8Array.from([...first(tag), ...second(tag)]);
  return sample({
    count: 40_000,
    calls: 16,
    prepare: (which) => bytes.set(tags.subarray(which * TAG, (which + 1) * TAG), data),
    call: () => exports.open(args + IV, data, 0, data, 0, data),
  });
}

// The same for one frame without text.
function timeOfFrame({ bytes, exports }, first, second) {
  const [args, data] = [exports.ARGUMENTS.value, exports.DATA.value];
  const at = data + 24;
  const start = (seal) => exports.startJob(at, data, 16, 1, 0, 0, seal);
  bytes.set(randomBytes(64), args + KEY);
  exports.setKey(args + KEY, 32);
  exports.setMessageId(32);
  start(1);
  exports.sealJob();
  const tag = bytes.slice(at, at + TAG);
  const tags = Uint8Array.from([...first(tag), ...second(tag)]);
  return sample({
    count: 40_000,
    calls: 16,
    prepare: (which) => bytes.set(tags.subarray(which * TAG, (which + 1) * TAG), at),
    call: () => {
      start(0);
      exports.openJob();
    },
  });
}

// The same for a header, whose commit key may have been changed, too.
function timeOfHeader({ bytes, exports }, ...changes) {
  const [output, data] = [exports.ARGUMENTS.value + OUTPUT, exports.DATA.value];
  const [key, salt, info, commitInfo, length, rest] = [32, 32, 11, 9, 100, 20];
  const place = data + 28 + key + salt + info + commitInfo + length - 32;
  bytes.set(randomBytes(300), data);
  const header = [512, data, key, salt, info, commitInfo, length, rest, key, output];
  exports.sealHeader(...header);
  const parts = changes.map(({ commitKey = same, tag = same }) => ({
    commitKey: commitKey(bytes.slice(output + 64, output + 96)),
    tag: tag(bytes.slice(output + 128, output + 128 + TAG)),
  }));
  const choices = Uint8Array.from(parts.flatMap(({ commitKey, tag }) => [...commitKey, ...tag]));
  return sample({
    count: 20_000,
    calls: 4,
    prepare: (which) => {
      bytes.set(choices.subarray(which * 48, which * 48 + 32), place);
      bytes.set(choices.subarray(which * 48 + 32, which * 48 + 48), data);
    },
    call: () => exports.openHeader(...header),
  });
}

function same(value) {
  return value;
}

function inverted(tag) {
  return tag.map((value) => ~value);
}

function flipped(byte) {
  return (tag) => tag.map((value, i) => (i === byte ? value ^ 0x40 : value));
}

// Times of setting one fixed key, or any other, and making a tag under it.
function timeOfSetKey({ bytes, exports }, length) {
  const [at, data] = [exports.ARGUMENTS.value + KEY, exports.DATA.value];
  const fixed = randomBytes(length);
  const keys = new Uint8Array(2 * length);
  return sample({
    count: 20_000,
    calls: 2,
    prepare: (which) => {
      keys.set(fixed);
      randomFillSync(keys, length);
      bytes.set(keys.subarray(which * length, (which + 1) * length), at);
    },
    call: () => {
      exports.setKey(at, length);
      exports.seal(at + IV, data, 0, data, 0, data);
    },
  });
}

// Times of `calls` calls, by class; the classes in random order.
function sample({ count, calls, prepare, call }) {
  const classes = randomBytes(count).map((byte) => byte & 1);
  const times = new Float64Array(count);
  for (let i = -2000; i < count; i++) {
    prepare(classes[Math.max(i, 0)]);
    const start = performance.now();
    for (let n = 0; n < calls; n++) call();
    const time = performance.now() - start;
    if (i >= 0) times[i] = time;
  }
  return { classes, times };
}

function welch({ classes, times }) {
  const limit = Float64Array.from(times).sort()[Math.floor(KEPT * times.length)];
  const [a, b] = [0, 1].map((which) =>
    moments(times.filter((time, i) => classes[i] === which && time < limit)),
  );
  return (a.mean - b.mean) / Math.sqrt(a.variance / a.count + b.variance / b.count);
}

function moments(values) {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  return { count, mean, variance };
}

async function instantiate(file) {
  const memory = new WebAssembly.Memory({ initial: 8 });
  const { instance } = await WebAssembly.instantiate(await readFile(file), { env: { memory } });
  return { bytes: new Uint8Array(memory.buffer), exports: instance.exports };
}

async function leakyKernel(file) {
  if (file !== undefined) return instantiate(file);
  const folder = await mkdtemp(join(tmpdir(), 'constant-time-'));
  try {
    return await instantiate(await buildLeaky(folder));
  } finally {
    await rm(folder, { recursive: true });
  }
}
