/**
 * Who may import what. One rule for each room: what it may reach; everything else is an error, and so is a cycle.
 */

const BASE = ['bytes', 'errors', 'deadline', 'encrypted-data-key', 'encryption-context'].map(
  (name) => `^src/${name}\\.ts$`,
);
const SUITE = '^src/suite/';
const SEAM = '^src/crypto/(crypto|random|default-crypto)\\.ts$';

/** Folder or file, and what it may import besides itself. */
const ROOMS = {
  '^src/errors\\.ts$': [],
  '^src/bytes\\.ts$': ['^src/errors\\.ts$'],
  '^src/deadline\\.ts$': ['^src/errors\\.ts$'],
  '^src/encrypted-data-key\\.ts$': ['^src/(bytes|errors)\\.ts$'],
  '^src/encryption-context\\.ts$': ['^src/(bytes|errors)\\.ts$'],
  '^src/suite/': ['^src/(bytes|errors|encryption-context)\\.ts$'],
  '^src/format/': [...BASE, SUITE],
  '^src/crypto/': [...BASE, SUITE, '^src/engine/wasm/kernel', '^node_modules/@noble/curves/'],
  '^src/engine/wasm/': [
    ...BASE,
    SUITE,
    '^src/crypto/crypto\\.ts$',
    '^src/format/message-body\\.ts$',
    '^src/engine/(engine|frame-layout|give-back)\\.ts$',
  ],
  '^src/kdf/': [...BASE, SUITE, '^src/crypto/(crypto|ec-point|ecdsa-der)\\.ts$', '^src/format/sidecar\\.ts$'],
  '^src/engine/': [...BASE, SUITE, '^src/crypto/', '^src/format/message-body(-aad)?\\.ts$'],
  '^src/stream/': [
    ...BASE,
    SUITE,
    '^src/format/',
    '^src/kdf/',
    '^src/materials/',
    '^src/engine/engine\\.ts$',
    '^src/crypto/crypto\\.ts$',
  ],
  '^src/materials/': [
    ...BASE,
    SUITE,
    '^src/format/encrypted-data-keys\\.ts$',
    '^src/keyring/keyring\\.ts$',
    '^src/kdf/signature\\.ts$',
    SEAM,
  ],
  '^src/keyring/(?!aws-kms/)': [...BASE, SUITE, '^src/materials/(materials|data-key)\\.ts$', SEAM],
  '^src/keyring/aws-kms/(?!kms-client\\.ts)': [
    ...BASE,
    SUITE,
    '^src/version\\.ts$',
    '^src/keyring/keyring\\.ts$',
    '^src/materials/(materials|data-key)\\.ts$',
    SEAM,
  ],
  '^src/keyring/aws-kms/kms-client\\.ts$': [
    '^src/version\\.ts$',
    '^src/keyring/aws-kms/',
    '^node_modules/@aws-sdk/client-kms/',
  ],
  '^src/((begin-)?(en|de)crypt(-stream|-range)?|options|sizes)\\.ts$': [
    ...BASE,
    SUITE,
    '^src/crypto/',
    '^src/engine/select\\.ts$',
    '^src/format/',
    '^src/kdf/',
    '^src/keyring/keyring\\.ts$',
    '^src/materials/',
    '^src/stream/',
  ],
  '^src/rewrap/': [
    ...BASE,
    SUITE,
    '^src/((begin-)?(en|de)crypt(-stream)?|options)\\.ts$',
    '^src/format/',
    '^src/kdf/(signature|sidecar-mac)\\.ts$',
    '^src/materials/',
    '^src/keyring/(keyring|multi-keyring)\\.ts$',
    '^src/stream/',
    SEAM,
  ],
  '^src/local-kms/': [],
  '^src/node/': [
    ...BASE,
    '^src/(index|options|(begin-)?(en|de)crypt(-stream|-range)?)\\.ts$',
    '^src/rewrap/',
    '^src/stream/message-stream\\.ts$',
    '^src/format/(message-header|header-end|sidecar)\\.ts$',
    '^src/materials/materials\\.ts$',
  ],
  '^src/deterministic/': [
    ...BASE,
    '^src/(options|(begin-)?(en|de)crypt)\\.ts$',
    SEAM,
    '^node_modules/@noble/ciphers/',
  ],
  '^src/bench/': [
    ...BASE,
    '^src/(index|version)\\.ts$',
    SUITE,
    '^src/crypto/',
    '^src/engine/',
    '^src/format/message-body-aad\\.ts$',
  ],
  '^src/cli/': [
    '^src/(index|errors|version)\\.ts$',
    '^src/bench/index\\.ts$',
    '^src/node/index\\.ts$',
    '^src/keyring/aws-kms/index\\.ts$',
    '^src/local-kms/index\\.ts$',
  ],
};

/** Node's built-ins are values in these leaves alone; elsewhere at most their types. */
const NODE_LEAVES = '^src/(local-kms|node|cli)/';

export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'no-unresolved', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'core-without-node',
      comment: 'the core runs where there is no Node: a built-in may be named as a type only',
      severity: 'error',
      from: { path: '^src/', pathNot: NODE_LEAVES },
      to: { dependencyTypes: ['core'], dependencyTypesNot: ['type-only', 'type-import'] },
    },
    inOneFile(
      'sdk',
      '@aws-sdk',
      'keyring/aws-kms/kms-client|local-kms/(clients|options)|cli/commands/local-kms',
      'only kms-client.ts loads the AWS SDK; the local KMS loads it inside a function',
    ),
    inOneFile('signer', 'aws4fetch', 'keyring/aws-kms/sigv4', 'only sigv4.ts loads the signing library'),
    inOneFile(
      'siv',
      '@noble/ciphers',
      'deterministic/aes-siv',
      'only aes-siv.ts loads the library that AES-SIV comes from',
    ),
    {
      name: 'fetch-without-sdk',
      comment: 'what frameseal/aws-kms/fetch reaches never names the AWS SDK',
      severity: 'error',
      from: { path: '^src/keyring/aws-kms/fetch\\.ts$' },
      to: { path: '^src/keyring/aws-kms/(sdk|kms-client)\\.ts$', reachable: true },
    },
    {
      name: 'leaf-local-kms',
      comment: 'nothing but the command imports the local KMS',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(local-kms|cli)/' },
      to: { path: '^src/local-kms/' },
    },
    {
      name: 'leaf-bench',
      comment: 'nothing but the command imports the cases of the benchmark',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(bench|cli)/' },
      to: { path: '^src/bench/' },
    },
    {
      name: 'leaf-node-and-cli',
      comment: 'the core does not know of files or of the command',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(node|cli)/' },
      to: { path: '^src/(node|cli)/' },
    },
    {
      name: 'src-stands-alone',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts)/' },
    },
    ...Object.entries(ROOMS).map(([from, allowed]) => ({
      name: `room ${from.replace(/[\\^$]/g, '')}`,
      severity: 'error',
      from: { path: from },
      to: { path: '^src/', pathNot: [roomOf(from), ...allowed] },
    })),
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(node_modules/(?!@aws-sdk/client-kms|@noble/(ciphers|curves)|aws4fetch))' },
    enhancedResolveOptions: { exportsFields: ['exports'], conditionNames: ['import', 'types', 'default'] },
  },
};

// A library that these files alone may load.
function inOneFile(name, library, files, comment) {
  return {
    name: `${name}-in-one-file`,
    comment,
    severity: 'error',
    from: { path: '^src/', pathNot: `^src/(${files})\\.ts$` },
    to: { path: `node_modules/${library}/` },
  };
}

// A room may import itself; a single file is no room.
function roomOf(from) {
  return from.endsWith('/') ? from : from.includes('(?!') ? from.slice(0, from.indexOf('(?!')) : from;
}
