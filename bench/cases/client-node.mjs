// The published SDK for Node, from bench/peers, and the key under which both libraries open each other's messages.
import { createRequire } from 'node:module';
import { rawAesKeyring } from '../../dist/index.js';

const peers = createRequire(new URL('../peers/package.json', import.meta.url));
const wrappingKey = new Uint8Array(32).fill(5);
let loaded;

/** Loads it once. @throws if `npm ci --prefix bench/peers` has not been run */
export function clientNode() {
  if (loaded !== undefined) return loaded;
  const sdk = peers('@aws-crypto/client-node');
  const { REQUIRE_ENCRYPT_REQUIRE_DECRYPT } = sdk.CommitmentPolicy;
  const client = sdk.buildClient(REQUIRE_ENCRYPT_REQUIRE_DECRYPT);
  loaded = {
    sdk,
    /** `options` may be used again: the SDK writes into what it is given. */
    encrypt: async (keyring, bytes, options) => (await client.encrypt(keyring, bytes, { ...options })).result,
    decrypt: async (keyring, bytes) => (await client.decrypt(keyring, bytes)).plaintext,
    client,
  };
  return loaded;
}

/** A package that the SDK uses itself. */
export function partOfClientNode(name) {
  return createRequire(peers.resolve('@aws-crypto/client-node'))(name);
}

/** The same raw AES key for both. The SDK is not loaded before `theirs` is asked for. */
export function rawAesKeys(keyName = 'k') {
  const names = { keyNamespace: 'bench', keyName };
  let theirs;
  return {
    ours: rawAesKeyring({ ...names, wrappingKey }),
    get theirs() {
      theirs ??= publishedKeyring(names);
      return theirs;
    },
  };
}

function publishedKeyring(names) {
  const { sdk } = clientNode();
  return new sdk.RawAesKeyringNode({
    ...names,
    unencryptedMasterKey: wrappingKey.slice(),
    utf8Sorting: true,
    wrappingSuite: sdk.RawAesWrappingSuiteIdentifier.AES256_GCM_IV12_TAG16_NO_PADDING,
  });
}
