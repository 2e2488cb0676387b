// @ts-check
/**
 * Messages between frameseal and the published AWS Encryption SDK for Node, both ways, in every algorithm suite.
 *
 * FRAMESEAL_DIST names another build of frameseal than the repository's `dist`.
 */
import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { performance } from 'node:perf_hooks';
import { frameLengthOf, framesealToPeer, makeCase, peerToFrameseal } from './exchange.mjs';
import { CONTEXTS, LARGE_SHAPE, SHAPES } from './inputs.mjs';
import { overKms } from './kms.mjs';
import { damaged, pkcs1, policies, reservedPrefix, unsorted } from './limits.mjs';
import { calls as ourCalls } from './ours.mjs';
import { calls } from './peer.mjs';
import { rewrapped } from './rewrap.mjs';
import { aes256, engines, keys, report } from './setup.mjs';
import { sidecars } from './sidecars.mjs';
import { endsWithFullFrame, FRAME_OVERHEAD, SUITES, suiteName } from './suites.mjs';

/** @typedef {import('./suites.mjs').Suite} Suite */
/** @typedef {import('./inputs.mjs').Shape} Shape */
/** @typedef {import('./inputs.mjs').NamedContext} NamedContext */
/** @typedef {import('./exchange.mjs').Case} Case */
/** @typedef {import('./exchange.mjs').Measured} Measured */

const EMPTY_FINAL_FRAME =
  'not of equal length: behind a full last frame client-node writes an empty final frame, as the format allows';
const OTHER_SIGNATURE =
  "not of equal length: the DER of client-node's signature is not as long as frameseal's always is";
const started = performance.now();

const { version } = createRequire(import.meta.url)('@aws-crypto/client-node/package.json');
console.log(
  `frameseal (engines ${engines.join(', ')}) and @aws-crypto/client-node ${version}, Node ${process.version}`,
);
console.log(
  `${keys.length} keyrings x ${CONTEXTS.length} encryption contexts, ${SHAPES.length + 1} shapes\n`,
);

let exchanged = 0;
for (const suite of SUITES) await exchangeSuite(suite);
console.log(
  `\n${exchanged} messages exchanged; calls, one-shot and through streams: ` +
    `frameseal ${ourCalls.oneShot} + ${ourCalls.stream}, client-node ${calls.oneShot} + ${calls.stream}`,
);
await report.check('at least 50 messages each way in each suite', () =>
  assert.ok(exchanged >= SUITES.length * 2 * 50, `${exchanged} messages`),
);

await reservedPrefix();
await pkcs1();
await unsorted();
await policies();
await damaged();
await overKms();
console.log('\nsidecars of frameseal, for messages of both, read by both:');
await sidecars();
await rewrapped();
console.log(`\n${((performance.now() - started) / 1000).toFixed(1)} s`);
report.finish();

/** Every keyring with every context, both ways. @param {Suite} suite */
async function exchangeSuite(suite) {
  const start = performance.now();
  const cases = makeCases(suite);
  const count = { toPeer: 0, fromPeer: 0, sameLength: 0, emptyFinalFrame: 0 };
  /** @type {number[]} */
  const signatures = [];
  for (const one of cases) {
    /** @type {Measured | undefined} */
    let ours;
    /** @type {Measured | undefined} */
    let theirs;
    const toPeer = await report.check(`${one.name}: frameseal -> client-node`, async () => {
      ours = await framesealToPeer(one);
      assert.equal(ours.signature, suite.signature, 'length of the signature');
    });
    const fromPeer = await report.check(`${one.name}: client-node -> frameseal`, async () => {
      theirs = await peerToFrameseal(one);
      if (theirs.signature > 0) signatures.push(theirs.signature);
    });
    const emptyFinalFrame = endsWithFullFrame(one.shape.size, frameLengthOf(one.shape));
    const compared = await report.check(`${one.name}: lengths before the signature`, () => {
      assert.ok(ours && theirs, 'a message is missing');
      assert.equal(
        theirs.length - theirs.signature - (ours.length - ours.signature),
        emptyFinalFrame ? FRAME_OVERHEAD : 0,
      );
    });
    count.toPeer += Number(toPeer);
    count.fromPeer += Number(fromPeer);
    count[emptyFinalFrame ? 'emptyFinalFrame' : 'sameLength'] += Number(compared);
  }
  exchanged += count.toPeer + count.fromPeer;
  if (count.emptyFinalFrame > 0) report.exclude(EMPTY_FINAL_FRAME, count.emptyFinalFrame);
  const otherSignatures = signatures.filter((length) => length !== suite.signature).length;
  if (otherSignatures > 0) report.exclude(OTHER_SIGNATURE, otherSignatures);
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(
    `${suiteName(suite)}  frameseal -> client-node ${count.toPeer}/${cases.length}` +
      `  client-node -> frameseal ${count.fromPeer}/${cases.length}` +
      `  same length ${count.sameLength} + ${count.emptyFinalFrame} with an empty final frame  ${seconds} s`,
  );
  if (suite.signature > 0) {
    console.log(`        DER: frameseal ${suite.signature} always, client-node ${histogram(signatures)}`);
  }
}

/** @param {Suite} suite @returns {Case[]} */
function makeCases(suite) {
  const offset = SUITES.indexOf(suite) * 3;
  const pairs = keys.flatMap((key) => CONTEXTS.map((context) => ({ key, context })));
  const cases = pairs.map(({ key, context }, i) => {
    const shape = /** @type {Shape} */ (SHAPES[(i + offset) % SHAPES.length]);
    return makeCase(suite, key, context, shape);
  });
  const large = makeCase(suite, aes256, /** @type {NamedContext} */ (CONTEXTS[1]), LARGE_SHAPE);
  return [...cases, large];
}

/** @param {readonly number[]} numbers */
function histogram(numbers) {
  const different = [...new Set(numbers)].sort((a, b) => a - b);
  return different.map((n) => `${n} x${numbers.filter((m) => m === n).length}`).join(', ');
}
