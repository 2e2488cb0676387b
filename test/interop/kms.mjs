// @ts-check
/**
 * The KMS keyrings of both libraries over one local KMS: messages both ways, what both refuse, and the calls that each makes.
 */
import assert from 'node:assert/strict';
import {
  buildAwsKmsMrkAwareDiscoveryMultiKeyringNode,
  buildAwsKmsMrkAwareStrictMultiKeyringNode,
  KmsKeyringNode,
} from '@aws-crypto/client-node';
import { framesealToPeer, makeCase, peerToFrameseal, readersOf } from './exchange.mjs';
import { CONTEXTS, plaintextView, SHAPES } from './inputs.mjs';
import { ACCOUNT, fails, REGIONS, reads, startKms } from './kms-keys.mjs';
import { framesealDecrypt, framesealEncrypt } from './ours.mjs';
import { peerDecrypt, peerEncrypt } from './peer.mjs';
import { awsKms, frameseal, report } from './setup.mjs';
import { PUBLIC_KEY_FIELD, SUITES, suiteName } from './suites.mjs';

/** @typedef {import('./suites.mjs').Suite} Suite */
/** @typedef {import('./inputs.mjs').Shape} Shape */
/** @typedef {import('./inputs.mjs').NamedContext} NamedContext */
/** @typedef {import('./exchange.mjs').Case} Case */
/** @typedef {import('./exchange.mjs').Chunks} Chunks */
/** @typedef {import('./kms-keys.mjs').KmsKeyPair} KmsKeyPair */
/** @typedef {import('./kms-keys.mjs').KmsSet} KmsSet */
/** @typedef {import('./kms-keys.mjs').RunningKms} RunningKms */
/** @typedef {'frameseal' | 'peer'} Library */

/** Every pair of APIs. @type {readonly Chunks[]} */
const APIS = [
  { frameseal: 0, peer: 0 },
  { frameseal: 1000, peer: 0 },
  { frameseal: 0, peer: 1000 },
  { frameseal: 777, peer: 4096 },
];
const POLICY = 'REQUIRE_ENCRYPT_REQUIRE_DECRYPT';
const LIBRARIES = /** @type {const} */ (['frameseal', 'peer']);
/** One unsigned, one signed. */
const DEFAULT_SUITES = SUITES.filter(({ id }) => id === 0x0478 || id === 0x0578);
/** Longer than KMS takes. */
const LONGEST = /** @type {NamedContext} */ (CONTEXTS.at(-1));
const KMS_CONTEXTS = CONTEXTS.slice(0, -1);
const ACME = /** @type {NamedContext} */ (CONTEXTS[1]);

export async function overKms() {
  const running = await startKms();
  try {
    await exchange(running);
    await refusals(running);
    await faults(running);
    await overlap(running);
    await construction(running);
  } finally {
    await running.close();
  }
}

/** @param {RunningKms} running */
async function exchange({ kms, sets }) {
  console.log(
    '\nKMS keyrings, each message read by every keyring that may; the calls of both are as predicted:',
  );
  for (const set of sets) {
    const { key } = set;
    const cases = casesOf(key, sets.indexOf(set));
    const passed = { toPeer: 0, fromPeer: 0 };
    for (const one of cases) {
      const toPeer = await report.check(`${one.name}: frameseal -> client-node`, async () => {
        kms.requests.length = 0;
        await framesealToPeer(one);
        checkCalls(kms, one, key, 'peer');
      });
      const fromPeer = await report.check(`${one.name}: client-node -> frameseal`, async () => {
        kms.requests.length = 0;
        await peerToFrameseal(one);
        checkCalls(kms, one, key, 'frameseal');
      });
      passed.toPeer += Number(toPeer);
      passed.fromPeer += Number(fromPeer);
    }
    console.log(
      `  ${key.name}: frameseal -> client-node ${passed.toPeer}/${cases.length}` +
        `  client-node -> frameseal ${passed.fromPeer}/${cases.length}  x ${readersOf(key).length} readers`,
    );
  }
}

/**
 * In the default suites every pair of APIs, with changing contexts. The first set takes every context, and all suites.
 * @param {KmsKeyPair} key
 * @param {number} set
 * @returns {Case[]}
 */
function casesOf(key, set) {
  const suites = set === 0 ? SUITES : DEFAULT_SUITES;
  const inputs = suites.flatMap((suite) => {
    if (!DEFAULT_SUITES.includes(suite)) return [{ suite, context: ACME }];
    const contexts = set === 0 ? KMS_CONTEXTS : APIS.map((_, i) => contextOf(3 * set + i));
    return contexts.map((context) => ({ suite, context }));
  });
  return inputs.map(({ suite, context }, i) => {
    const shape = /** @type {Shape} */ (SHAPES[(i + 5 * set) % SHAPES.length]);
    return makeCase(suite, key, context, shape, APIS[i % APIS.length]);
  });
}

/** @param {number} i */
function contextOf(i) {
  return /** @type {NamedContext} */ (KMS_CONTEXTS[i % KMS_CONTEXTS.length]);
}

/**
 * One message written, and read by each of its readers: these calls and no other, each with the whole context.
 * @param {RunningKms['kms']} kms
 * @param {Case} one
 * @param {KmsKeyPair} key
 * @param {Library} reader
 */
function checkCalls(kms, { suite, context }, key, reader) {
  const made = kms.requests.map(callOf);
  const { write } = key.calls;
  const written = made.splice(0, write.length);
  assert.equal(written[0], write[0], 'the first call of the writer');
  assert.deepEqual([...written].sort(), [...write].sort(), 'calls of the writer');
  assert.deepEqual(
    made,
    readersOf(key).flatMap(({ calls }) => calls[reader]),
    'calls of the readers',
  );
  for (const { encryptionContext = {} } of kms.requests) {
    const { [PUBLIC_KEY_FIELD]: publicKey, ...pairs } = encryptionContext;
    assert.deepEqual(Object.entries(pairs).sort(), Object.entries(context).sort(), 'context sent to KMS');
    assert.equal(publicKey === undefined, suite.signature === 0, 'public key in the context sent to KMS');
  }
}

/** @param {RunningKms['kms']['requests'][number]} request */
function callOf({ operation, region, keyId = '', outcome, attempt }) {
  assert.equal(region, keyId.split(':')[3], 'region of the call');
  assert.equal(attempt, 1, 'no retries');
  return `${operation} ${keyId}${outcome === 'ok' ? '' : ` ${outcome}`}`;
}

/** Keyrings that must not open a message do not, in either library, and ask KMS no more than they have to. */
async function refusals(/** @type {RunningKms} */ { kms, sets }) {
  const count = new Count();
  for (const suite of DEFAULT_SUITES) {
    for (const { key, refused } of sets) {
      for (const message of await writtenByBoth(key, suite)) {
        for (const [i, reader] of refused.entries()) {
          for (const library of LIBRARIES) {
            const chunk = i % 2 === 0 ? 0 : 1000;
            await count.check(
              `${suiteName(suite)} [${key.name}] refused by ${library}: ${reader.name}`,
              async () => {
                kms.requests.length = 0;
                await refuses(library, read(library, reader, message, chunk), 'NO_DATA_KEY');
                assert.deepEqual(kms.requests.map(callOf), reader.calls[library]);
              },
            );
          }
        }
      }
    }
  }
  console.log(`messages that no key of the keyring may open: refused ${count}`);
}

/** What KMS answers wrongly or not at all, what was tampered with, and what cannot be written. */
async function faults(/** @type {RunningKms} */ { kms, arns, strict, mrk, discovery, mrkDiscovery }) {
  const { us, eu, ap } = arns;
  const count = new Count();
  const all = strict([us, eu, ap]);
  const [suite] = /** @type {[Suite]} */ (/** @type {unknown} */ (DEFAULT_SUITES));
  const messages = await writtenByBoth(all, suite);
  /** @type {(name: string, library: Library, run: () => Promise<void>) => Promise<void>} */
  const check = (name, library, run) =>
    count.check(`KMS, ${library}: ${name}`, async () => {
      kms.requests.length = 0;
      await run().finally(() => kms.setFault('us-east-1', null));
    });

  for (const library of LIBRARIES) {
    for (const message of messages) {
      await check('a denied entry gives way to the next one', library, async () => {
        kms.setFault('us-east-1', { kind: 'error', name: 'AccessDeniedException' });
        const plaintext = await read(library, all, message, 0);
        assert.deepEqual(Buffer.from(plaintext), Buffer.from(plaintextView(suiteName(suite), 100)));
        assert.deepEqual(kms.requests.map(callOf), [fails(us, 'AccessDeniedException'), ...reads(eu).peer]);
      });
      const only = strict([us]);
      for (const kind of /** @type {const} */ (['wrong-key-id', 'wrong-length', 'missing-plaintext'])) {
        await check(`Decrypt answers with a ${kind}`, library, async () => {
          kms.setFault('us-east-1', { kind });
          await refuses(library, read(library, only, message, 0), 'NO_DATA_KEY');
          assert.equal(kms.requests.length, 1);
        });
      }
      for (const [what, text, behind] of /** @type {const} */ ([
        ['another context', 'acme', 0],
        ['another wrapped key', us, us.length + 40],
      ])) {
        await check(what, library, async () => {
          const damaged = new Uint8Array(message);
          const at = Buffer.from(message).indexOf(text) + behind;
          damaged[at] = /** @type {number} */ (damaged[at]) ^ 1;
          await refuses(library, read(library, only, damaged, 0), 'NO_DATA_KEY');
          assert.deepEqual(kms.requests.map(callOf), [fails(us, 'InvalidCiphertextException')]);
        });
      }
    }
    await check('a key that may not wrap', library, async () => {
      kms.setFault('us-east-1', { kind: 'error', name: 'AccessDeniedException' });
      await refuses(library, write(library, strict([eu, us]), ACME, suite), 'KMS_FAILED');
      const calls = [`GenerateDataKey ${eu}`, `Encrypt ${us} AccessDeniedException`];
      assert.deepEqual(kms.requests.map(callOf), calls);
    });
    await check('a data key of another length', library, async () => {
      kms.setFault('us-east-1', { kind: 'wrong-length' });
      await refuses(library, write(library, all, ACME, suite), 'KMS_FAILED');
      assert.equal(kms.requests.length, 1);
    });
    await check('a key that is not there', library, async () => {
      await refuses(library, write(library, mrk([arns.noReplica]), ACME, suite), 'KMS_FAILED');
      assert.equal(kms.requests.length, 1);
    });
    await check('a context beyond 8192 bytes', library, async () => {
      await refuses(library, write(library, all, LONGEST, suite), 'KMS_FAILED');
      assert.equal(kms.requests.length, 1);
    });
    for (const key of [discovery(REGIONS, {}), mrkDiscovery(REGIONS, {})]) {
      await check(`${key.name} writes`, library, async () => {
        await refuses(library, write(library, key, ACME, suite), 'INVALID_ARGUMENT');
        assert.equal(kms.requests.length, 0);
      });
    }
  }
  console.log(`faults, damage, and what cannot be written: the same in both libraries ${count}`);
}

/** frameseal's Encrypts are under way together, client-node's follow one another. */
async function overlap(/** @type {RunningKms} */ { kms, arns, strict, mrk }) {
  const { us, eu, ap } = arns;
  const count = new Count();
  const [suite] = /** @type {[Suite]} */ (/** @type {unknown} */ (DEFAULT_SUITES));
  for (const region of REGIONS) kms.setFault(region, { kind: 'latency', ms: 100 });
  for (const key of [strict([us, eu, ap]), mrk([us, eu, ap])]) {
    for (const library of LIBRARIES) {
      await count.check(`${key.name}: how the calls of ${library} overlap`, async () => {
        kms.requests.length = 0;
        await write(library, key, ACME, suite);
        const [generate, second, third] = kms.requests;
        assert.ok(generate?.endedAt && second?.endedAt && third?.endedAt && kms.requests.length === 3);
        assert.ok(generate.endedAt <= second.startedAt && generate.endedAt <= third.startedAt);
        assert.equal(third.startedAt < second.endedAt, library === 'frameseal');
      });
    }
  }
  for (const region of REGIONS) kms.setFault(region, null);
  console.log(`GenerateDataKey, then Encrypt: of frameseal together, of client-node in turn ${count}`);
}

/** Keyrings that neither library makes. */
async function construction(/** @type {RunningKms} */ { kms, arns, provider }) {
  const count = new Count();
  const ours = { clientSupplier: kms.clientSupplier };
  const theirs = { clientProvider: provider };
  const related = { generatorKeyId: arns.primary, keyIds: [arns.replica] };
  const malformed = { generatorKeyId: arns.us.replace(':kms:', ':s3:') };
  const filter = { discoveryFilter: { partition: 'aws', accountIds: [ACCOUNT] } };
  const noAccounts = { partition: 'aws', accountIds: [], accountIDs: [] };
  /** @type {Record<string, [ours: () => unknown, theirs: () => unknown]>} */
  const impossible = {
    'two replicas of one key': [
      () => awsKms.awsKmsMrkKeyring({ ...related, ...ours }),
      () => buildAwsKmsMrkAwareStrictMultiKeyringNode({ ...related, ...theirs }),
    ],
    'a malformed ARN': [
      () => awsKms.awsKmsKeyring({ ...malformed, ...ours }),
      () => new KmsKeyringNode({ ...malformed, ...theirs }),
    ],
    'a malformed ARN in an MRK keyring': [
      () => awsKms.awsKmsMrkKeyring({ ...malformed, ...ours }),
      () => buildAwsKmsMrkAwareStrictMultiKeyringNode({ ...malformed, ...theirs }),
    ],
    'no keys': [() => awsKms.awsKmsKeyring(ours), () => new KmsKeyringNode(theirs)],
    'no keys in an MRK keyring': [
      () => awsKms.awsKmsMrkKeyring(ours),
      () => buildAwsKmsMrkAwareStrictMultiKeyringNode(theirs),
    ],
    'no regions': [
      () => awsKms.awsKmsMrkDiscoveryKeyring({ regions: [], ...filter, ...ours }),
      () => buildAwsKmsMrkAwareDiscoveryMultiKeyringNode({ regions: [], ...theirs }),
    ],
    'a filter without accounts': [
      () => awsKms.awsKmsDiscoveryKeyring({ regions: REGIONS, discoveryFilter: noAccounts, ...ours }),
      () => new KmsKeyringNode({ discovery: true, discoveryFilter: noAccounts, ...theirs }),
    ],
    'an MRK filter without accounts': [
      () => awsKms.awsKmsMrkDiscoveryKeyring({ regions: REGIONS, discoveryFilter: noAccounts, ...ours }),
      () =>
        buildAwsKmsMrkAwareDiscoveryMultiKeyringNode({
          regions: REGIONS,
          discoveryFilter: noAccounts,
          ...theirs,
        }),
    ],
  };
  for (const [name, [makeOurs, makeTheirs]] of Object.entries(impossible)) {
    await count.check(`keyring refused by frameseal: ${name}`, () =>
      assert.throws(makeOurs, { code: 'INVALID_ARGUMENT' }),
    );
    await count.check(`keyring refused by client-node: ${name}`, () => assert.throws(makeTheirs, Error));
  }
  console.log(`keyrings that cannot be: refused ${count}`);
}

/**
 * @param {KmsKeyPair} key
 * @param {Suite} suite
 * @returns {Promise<Uint8Array[]>}
 */
async function writtenByBoth(key, suite) {
  return Promise.all(LIBRARIES.map((library) => write(library, key, ACME, suite)));
}

/**
 * @param {Library} library
 * @param {KmsKeyPair} key
 * @param {NamedContext} context
 * @param {Suite} suite
 */
async function write(library, key, context, suite) {
  const plaintext = plaintextView(suiteName(suite), 100);
  const encryptionContext = context.pairs(suite);
  if (library === 'frameseal') {
    const options = { keyring: key.frameseal, algorithmSuite: suite.id, encryptionContext };
    return (await framesealEncrypt(plaintext, options, 0)).ciphertext;
  }
  const options = { suiteId: suite.id, encryptionContext };
  return (await peerEncrypt(key.peer, plaintext, options, { policy: POLICY, chunk: 0 })).message;
}

/**
 * @param {Library} library
 * @param {KmsKeyPair} key
 * @param {Uint8Array} message
 * @param {number} chunk
 */
async function read(library, key, message, chunk) {
  const { plaintext } =
    library === 'frameseal'
      ? await framesealDecrypt(message, { keyring: key.frameseal }, chunk)
      : await peerDecrypt(key.peer, message, { policy: POLICY, chunk });
  return plaintext;
}

/**
 * client-node's errors have no codes.
 * @param {Library} library
 * @param {Promise<unknown>} promise
 * @param {import('../../dist/index.js').ErrorCode} code
 */
async function refuses(library, promise, code) {
  if (library === 'peer') return assert.rejects(promise, Error);
  return assert.rejects(promise, (error) => error instanceof frameseal.FramesealError && error.code === code);
}

/** How many checks of a kind there were, and passed. */
class Count {
  #asked = 0;
  #passed = 0;

  /** @param {string} name @param {() => Promise<void> | void} run */
  async check(name, run) {
    this.#asked++;
    this.#passed += Number(await report.check(name, run));
  }

  toString() {
    return `${this.#passed}/${this.#asked}`;
  }
}
