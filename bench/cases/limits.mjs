// Where the limits of this machine lie: its OpenSSL alone, hashes and signatures in this Node, and memory.
import { strictEqual } from 'node:assert';
import { execFile } from 'node:child_process';
import { createHash, generateKeyPairSync, sign, verify } from 'node:crypto';
import { promisify } from 'node:util';
import { inRounds } from '../../dist/bench/index.js';
import { attempt } from './attempt.mjs';

const MIB = 2 ** 20;
const PAGE = 4096;
const FRAMES = [64, 256, 1024, 4096, 16_384, 65_536];
const NO_OPENSSL = 'there is no command `openssl` here: install it to see what this machine can do at most';

/**
 * `figures` are `MBps`, a million bytes each, or calls per second. OpenSSL counts CPU time, which other work on the machine
 * does not change; the others are by the clock, like everything that they are compared with.
 */
export async function rows({ quick, harness, progress }) {
  const timing = quick
    ? { rounds: 3, warmUp: 50, maxTime: 50, minSamples: 3 }
    : { rounds: 9, warmUp: 300, maxTime: 200, minSamples: 3 };
  const list = [];
  for (const make of [...openssl(quick), ...inThisNode(quick, { harness, ...timing })]) {
    progress(`limits ${list.length + 1}`);
    list.push(await make());
  }
  return list;
}

function openssl(quick) {
  const seconds = quick ? 1 : 3;
  const bulk = (cipher, bytes) =>
    speed(
      `${cipher}, ${bytes} B`,
      { cipher, bytes },
      ['-bytes', bytes, '-evp', cipher],
      seconds,
      ([rate]) => ({
        MBps: Math.round(rate / 1e6),
      }),
    );
  const frames = quick ? FRAMES.filter((bytes) => [64, 4096, 65_536].includes(bytes)) : FRAMES;
  return [
    ...frames.map((bytes) => bulk('aes-256-gcm', bytes)),
    bulk('sha384', 65_536),
    speed('ECDSA P-384', { cipher: 'ecdsap384' }, ['ecdsap384'], seconds, ([signs, verifies]) => ({
      signsPerSecond: Math.round(signs),
      verifiesPerSecond: Math.round(verifies),
    })),
  ];
}

function speed(what, parameters, words, seconds, figuresOf) {
  const about = {
    group: 'limits',
    name: `openssl speed: ${what}`,
    parameters: { ...parameters, clock: 'CPU time' },
  };
  const args = ['speed', '-mr', '-seconds', seconds, ...words].map(String);
  return () =>
    attempt(about, async () => {
      const { stdout } = await promisify(execFile)('openssl', args).catch(explained);
      return { candidates: {}, figures: { openssl: figuresOf(rates(stdout)) } };
    });
}

function explained(error) {
  throw error.code === 'ENOENT' ? new Error(NO_OPENSSL) : error;
}

// The last line is `+F:INDEX:NAME:BYTES PER SECOND`, or `+F4:INDEX:BITS:SIGNS PER SECOND:VERIFIES PER SECOND`.
function rates(text) {
  const line = /^\+F\d*:\d+:[^:]+:([\d.:]+)$/m.exec(text);
  if (line === null) throw new Error('openssl speed has printed no rate');
  return line[1].split(':').map(Number);
}

function inThisNode(quick, timing) {
  const bytes = (quick ? 16 : 64) * MIB;
  return [
    () => hashing(bytes, timing),
    () => copying(64 * MIB, timing),
    () => touching(64 * MIB, timing),
    () => signing('sign', timing),
    () => signing('verify', timing),
  ];
}

async function hashing(bytes, timing) {
  const data = new Uint8Array(bytes).fill(7);
  const run = () => createHash('sha384').update(data).digest();
  const parts = createHash('sha384').update(data.subarray(0, 1000)).update(data.subarray(1000)).digest();
  strictEqual(run().equals(parts), true);
  return timed('SHA-384 in this Node', { bytes, verb: 'hash' }, 'node:crypto', run, timing);
}

// From memory that is there to memory that is there.
async function copying(bytes, timing) {
  const [from, to] = [new Uint8Array(bytes).fill(7), new Uint8Array(bytes).fill(1)];
  to.set(from);
  strictEqual(Buffer.compare(from, to), 0);
  return timed('copy memory', { bytes, verb: 'copy' }, 'Uint8Array', () => to.set(from), timing);
}

// Memory that is not there until it is written to: what each new output costs before anything is in it.
async function touching(bytes, timing) {
  const run = () => {
    const fresh = new Uint8Array(bytes);
    for (let at = 0; at < bytes; at += PAGE) fresh[at] = 1;
    return fresh;
  };
  strictEqual(run().at(-PAGE), 1);
  return timed('touch fresh memory', { bytes, verb: 'touch' }, 'Uint8Array', run, timing);
}

async function signing(verb, timing) {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-384' });
  const data = new Uint8Array(64).fill(7);
  const signature = sign('sha384', data, privateKey);
  strictEqual(verify('sha384', data, publicKey, signature), true);
  const runs = {
    sign: () => sign('sha384', data, privateKey),
    verify: () => verify('sha384', data, publicKey, signature),
  };
  return timed(`P-384 in this Node: ${verb}`, { verb, curve: 'P-384' }, 'node:crypto', runs[verb], timing);
}

async function timed(name, parameters, candidate, run, timing) {
  const candidates = await inRounds({ [candidate]: run }, timing);
  const { median } = candidates[candidate];
  const { bytes } = parameters;
  const figures =
    bytes === undefined ? { perSecond: Math.round(1e6 / median) } : { MBps: Math.round(bytes / median) };
  const amount = bytes === undefined ? {} : { bytes };
  return {
    group: 'limits',
    name,
    parameters: { ...parameters, clock: 'wall' },
    ...amount,
    candidates,
    figures: { [candidate]: figures },
  };
}
