// Imports one library as its users do, makes its first message of 1 KiB, and tells what had been taken by then: CPU milliseconds of the whole
// process, and milliseconds since its start. The message is opened afterwards. Run by cold-start.mjs.
import { createRequire } from 'node:module';
import process from 'node:process';
import { pathToFileURL } from 'node:url';

const plaintext = new Uint8Array(1024).fill(7);
const wrappingKey = new Uint8Array(32).fill(5);
const names = { keyNamespace: 'bench', keyName: 'k' };
const algorithmSuite = 0x0478;
const generatorKeyId = process.env.BENCH_KEY;
const peers = createRequire(new URL('../peers/package.json', import.meta.url));
const importPeer = (name) => import(pathToFileURL(peers.resolve(name)).href);

/** Each is done when it has been imported, and answers how it makes a message and opens it. */
const LIBRARIES = {
  nothing: () => ({ first: () => plaintext, open: (message) => message }),

  async frameseal() {
    const { decrypt, encrypt, rawAesKeyring } = await import('frameseal');
    const keyring = () => rawAesKeyring({ ...names, wrappingKey });
    return ours(encrypt, decrypt, keyring);
  },
  async 'frameseal/aws-kms'() {
    const { decrypt, encrypt } = await import('frameseal');
    const { awsKmsKeyring } = await import('frameseal/aws-kms');
    return ours(encrypt, decrypt, () => awsKmsKeyring({ generatorKeyId }));
  },
  async 'frameseal/aws-kms/fetch'() {
    const { decrypt, encrypt } = await import('frameseal');
    const { awsKmsKeyring, fetchKmsClient } = await import('frameseal/aws-kms/fetch');
    const { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_ENDPOINT_URL_KMS, AWS_REGION } = process.env;
    const credentials = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
    const client = () => fetchKmsClient({ region: AWS_REGION, endpoint: AWS_ENDPOINT_URL_KMS, credentials });
    return ours(encrypt, decrypt, () => awsKmsKeyring({ generatorKeyId, clientSupplier: client }));
  },

  '@aws-crypto/client-node': async () => published(await importPeer('@aws-crypto/client-node'), rawAes),
  '@aws-crypto/client-node by require': () => published(peers('@aws-crypto/client-node'), rawAes),
  '@aws-crypto/client-node, three parts of it': () => published(threeParts(), rawAes),
  '@aws-crypto/client-node, KMS': async () =>
    published(
      await importPeer('@aws-crypto/client-node'),
      (sdk) => new sdk.KmsKeyringNode({ generatorKeyId }),
    ),

  async jose() {
    const { CompactEncrypt, compactDecrypt } = await importPeer('jose');
    const header = { alg: 'A256GCMKW', enc: 'A256GCM' };
    return {
      first: () => new CompactEncrypt(plaintext).setProtectedHeader(header).encrypt(wrappingKey),
      open: async (message) => (await compactDecrypt(message, wrappingKey)).plaintext,
    };
  },
  // It has a key pair of its own to make.
  async 'age-encryption'() {
    const age = await importPeer('age-encryption');
    const [encrypter, decrypter] = [new age.Encrypter(), new age.Decrypter()];
    return {
      async first() {
        const identity = await age.generateIdentity();
        decrypter.addIdentity(identity);
        encrypter.addRecipient(await age.identityToRecipient(identity));
        return encrypter.encrypt(plaintext);
      },
      open: (message) => decrypter.decrypt(message),
    };
  },
  // Under a session key, so that it makes no key and wraps none.
  async openpgp() {
    const openpgp = await importPeer('openpgp');
    const config = { aeadProtect: true, preferredAEADAlgorithm: openpgp.enums.aead.gcm };
    const sessionKey = { data: wrappingKey, algorithm: 'aes256', aeadAlgorithm: 'gcm' };
    const format = 'binary';
    return {
      async first() {
        const message = await openpgp.createMessage({ binary: plaintext });
        return openpgp.encrypt({ message, sessionKey, config, format });
      },
      async open(binaryMessage) {
        const message = await openpgp.readMessage({ binaryMessage });
        return (await openpgp.decrypt({ message, sessionKeys: [sessionKey], config, format })).data;
      },
    };
  },
};

const name = process.argv[2];
const { first, open } = await LIBRARIES[name]();
const imported = taken();
const message = await first();
const done = taken();
if (Buffer.compare(await open(message), plaintext) !== 0)
  throw new Error(`${name}: its message does not open`);
process.stdout.write(JSON.stringify({ imported, done }), () => process.exit());

function taken() {
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1000, wallMs: performance.now() };
}

function ours(encrypt, decrypt, keyring) {
  return {
    first: async () => (await encrypt(plaintext, { keyring: keyring(), algorithmSuite })).ciphertext,
    open: async (message) => (await decrypt(message, { keyring: keyring() })).plaintext,
  };
}

function published(sdk, keyring) {
  const client = () => sdk.buildClient(sdk.CommitmentPolicy.REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
  const options = { suiteId: algorithmSuite };
  return {
    first: async () => (await client().encrypt(keyring(sdk), plaintext, options)).result,
    open: async (message) => (await client().decrypt(keyring(sdk), message)).plaintext,
  };
}

function rawAes(sdk) {
  const wrappingSuite = sdk.RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING;
  return new sdk.RawAesKeyringNode({
    ...names,
    unencryptedMasterKey: wrappingKey.slice(),
    utf8Sorting: true,
    wrappingSuite,
  });
}

// What raw keys need of it, without its KMS and its branch keys.
function threeParts() {
  const part = createRequire(peers.resolve('@aws-crypto/client-node'));
  const { buildEncrypt } = part('@aws-crypto/encrypt-node');
  const { buildDecrypt } = part('@aws-crypto/decrypt-node');
  const rawKeys = part('@aws-crypto/raw-aes-keyring-node');
  const { CommitmentPolicy } = part('@aws-crypto/material-management-node');
  return {
    ...rawKeys,
    CommitmentPolicy,
    buildClient: (policy) => ({ ...buildEncrypt(policy), ...buildDecrypt(policy) }),
  };
}
