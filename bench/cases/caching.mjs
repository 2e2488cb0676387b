// Messages under cached data keys, and how many KMS calls many cold ones cost at once.
import { deepStrictEqual, strictEqual } from 'node:assert';
import { shuffled, summarize } from '../../dist/bench/index.js';
import { cachingCmm, decrypt, defaultCmm, encrypt, localCache } from '../../dist/index.js';
import { awsKmsKeyring } from '../../dist/keyring/aws-kms/index.js';
import { attempt } from './attempt.mjs';
import { clientNode, rawAesKeys } from './client-node.mjs';
import { startKms, tracedClients } from './kms-process.mjs';

const REGIONS = ['us-east-1', 'eu-west-1', 'ap-northeast-1'];
const ENTRIES = 100;
const MAX_AGE_SECONDS = 3600;
const AT_ONCE = 100;
const plaintext = new Uint8Array(1024).fill(7);
const encryptionContext = { purpose: 'bench', tenant: 'acme' };

export async function cases({ quick }) {
  const warmUp = quick ? 100 : 300;
  return [0x0478, 0x0578].flatMap((suite) =>
    ['encrypt', 'decrypt'].map((verb) => ({ ...hits(verb, suite), timing: { warmUp } })),
  );
}

/** `figures` are KMS calls, as the KMS has counted them. */
export async function rows({ quick, progress }) {
  progress(`caching: ${AT_ONCE} at once`);
  const kms = await startKms(REGIONS);
  const clients = { ours: tracedClients('sdk', kms), theirs: tracedClients('client-node', kms) };
  try {
    return [await cold(kms, keyringsOf(kms, clients), quick ? 2 : 7)];
  } finally {
    for (const each of Object.values(clients)) each.destroy();
    await kms.close();
  }
}

// Under raw AES keys: what is saved is the wrapping, and in signed suites the signing key.
function hits(verb, suite) {
  const name = `0x0${suite.toString(16)}`;
  return {
    group: 'caching',
    name: `${verb} 1 KiB, ${name}, cache hits`,
    parameters: { verb, bytes: plaintext.length, suite: name },
    bytes: plaintext.length,
    messages: 1,
    async prepare() {
      const message = await libraries(suite)[0].write();
      await verify(suite, verb, message);
      const runs = libraries(suite).map(({ name, write, read }) => [
        name,
        verb === 'encrypt' ? write : () => read(message),
      ]);
      for (const [, run] of runs) await run(); // fills the cache
      return Object.fromEntries(runs);
    },
  };
}

// Each opens what every other has written; then one more message costs the manager below nothing, unless there is no cache.
async function verify(suite, verb, message) {
  const asked = {};
  const list = libraries(suite, (name, manager) => counting(manager, () => asked[name]++));
  for (const { name, write, read } of list) {
    for (const other of list)
      deepStrictEqual(Buffer.from(await other.read(await write())), Buffer.from(plaintext));
    await read(message);
    asked[name] = 0;
    await (verb === 'encrypt' ? write() : read(message));
    const expected = name.endsWith('without a cache') ? 1 : 0;
    strictEqual(asked[name], expected, `${name}: so often was the manager below asked`);
  }
}

// `below` may put something around the manager below the cache.
function libraries(suite, below = (_name, manager) => manager) {
  const keys = rawAesKeys();
  const { sdk } = clientNode();
  const [NAME, BARE, PEER] = ['frameseal', 'frameseal without a cache', '@aws-crypto/client-node'];
  const manager = defaultCmm({ keyring: keys.ours });
  const theirs = new sdk.NodeDefaultCryptographicMaterialsManager(keys.theirs);
  return [
    ours(NAME, cachedCmm({ cmm: below(NAME, manager) }), suite),
    published(PEER, cachedSdk(below(PEER, theirs)), suite),
    ours(BARE, below(BARE, manager), suite),
  ];
}

function counting(manager, count) {
  const through = (name) => (request) => {
    count();
    return manager[name](request);
  };
  return {
    getEncryptionMaterials: through('getEncryptionMaterials'),
    decryptMaterials: through('decryptMaterials'),
  };
}

function ours(name, cmm, suite) {
  const options = { cmm, encryptionContext, algorithmSuite: suite };
  return {
    name,
    write: async () => (await encrypt(plaintext, options)).ciphertext,
    read: async (message) => (await decrypt(message, { cmm })).plaintext,
  };
}

function published(name, cmm, suite) {
  const peer = clientNode();
  return {
    name,
    write: () => peer.encrypt(cmm, plaintext, { encryptionContext, suiteId: suite }),
    read: (message) => peer.decrypt(cmm, message),
  };
}

function cachedCmm(below) {
  return cachingCmm({
    ...below,
    cache: localCache({ entryCapacity: ENTRIES }),
    maxAgeSeconds: MAX_AGE_SECONDS,
  });
}

function cachedSdk(backingMaterials) {
  const { sdk } = clientNode();
  const cache = sdk.getLocalCryptographicMaterialsCache(ENTRIES);
  return new sdk.NodeCachingMaterialsManager({ backingMaterials, cache, maxAge: MAX_AGE_SECONDS * 1000 });
}

// Each round begins with an empty cache.
function cold(kms, keyrings, rounds) {
  const parameters = { verb: 'encrypt', bytes: plaintext.length, suite: '0x0478', inFlight: AT_ONCE };
  const about = {
    group: 'caching',
    name: `${AT_ONCE} messages at once, nothing cached, 3 regions`,
    parameters: { ...parameters, regions: REGIONS.length },
    bytes: AT_ONCE * plaintext.length,
    messages: AT_ONCE,
  };
  return attempt(about, async () => {
    const runs = Object.entries(coldRuns(keyrings));
    const samples = new Map(runs.map(([name]) => [name, []]));
    for (let round = 0; round <= rounds; round++) {
      for (const [name, run] of shuffled(runs)) {
        const sample = await counted(kms, keyrings, run);
        if (round > 0) samples.get(name).push(sample); // the first warms up
      }
    }
    const each = (map) => Object.fromEntries([...samples].map(([name, list]) => [name, map(list)]));
    return {
      candidates: each((list) => summarize(list.map(({ ms }) => ms * 1000))),
      figures: each((list) => ({ calls: Math.max(...list.map(({ calls }) => calls)) })),
    };
  });
}

async function counted(kms, keyrings, run) {
  let messages;
  let ms;
  const requests = await kms.requestsOf(async () => {
    const started = performance.now();
    messages = await run();
    ms = performance.now() - started;
  });
  await verifyCold(messages, keyrings);
  return { ms, calls: requests.length };
}

function coldRuns(keyrings) {
  const many = ({ write }) => Promise.all(Array.from({ length: AT_ONCE }, write));
  return {
    frameseal: () => many(ours('', cachedCmm({ keyring: keyrings.ours }), 0x0478)),
    '@aws-crypto/client-node': () => many(published('', cachedSdk(keyrings.theirs), 0x0478)),
  };
}

async function verifyCold(messages, keyrings) {
  strictEqual(new Set(messages.map((message) => Buffer.from(message).toString('hex'))).size, AT_ONCE);
  for (const message of [messages[0], messages.at(-1)]) {
    const { plaintext: first } = await decrypt(message, { keyring: keyrings.ours });
    const second = await clientNode().decrypt(keyrings.theirs, message);
    for (const bytes of [first, second]) deepStrictEqual(Buffer.from(bytes), Buffer.from(plaintext));
  }
}

function keyringsOf({ keys }, clients) {
  const [generatorKeyId, ...keyIds] = keys.map(({ arn }) => arn);
  const named = { generatorKeyId, keyIds };
  return {
    ours: awsKmsKeyring({ ...named, clientSupplier: clients.ours.supplier }),
    theirs: new (clientNode().sdk.KmsKeyringNode)({ ...named, clientProvider: clients.theirs.supplier }),
  };
}
