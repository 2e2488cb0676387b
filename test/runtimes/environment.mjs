/**
 * What all runtimes are given: keys, a KMS, vectors; and what each of them is expected to have and to lack.
 *
 *   engines   what may be forced besides `auto`
 *   kernel    `ready` or `refused`
 *   lacks     `aes-192`             no cipher has such keys
 *             `native-aes-192`      the engine `native` has none
 *             `webcrypto-aes-192`   there are no such CryptoKeys
 *             `raw-rsa`             RSA PKCS#1 v1.5 is not read
 */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { bytes } from '../conformance/support.mjs';
import { selectVectors } from './vectors.mjs';

const REGIONS = ['us-east-1', 'eu-west-1'];

/** The keys, the same for all, and a message of old: its data key is wrapped with RSA PKCS#1 v1.5. */
export async function makeEnvironment(app) {
  const dist = pathToFileURL(join(app, 'node_modules/frameseal/dist/'));
  const frameseal = await import(new URL('index.js', dist));
  const { startLocalKms } = await import(new URL('local-kms/index.js', dist));
  const kms = await startLocalKms({ regions: REGIONS });
  const [us, eu] = await Promise.all(REGIONS.map((region) => kms.createKey({ region })));
  const { arn: primary } = await kms.createKey({ region: REGIONS[0], multiRegion: true });
  const { arn: replica } = await kms.replicateKey({ arn: primary, region: REGIONS[1] });
  const rsa = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  });
  return {
    kms,
    shared: {
      keys: { aes: aesKeys(), rsa, pkcs1Message: await pkcs1Message(frameseal, rsa) },
      kms: { regions: REGIONS, arns: [us.arn, eu.arn], primary, replica, credentials: kms.credentials },
      vectors: await selectVectors(),
    },
  };
}

function aesKeys() {
  return Object.fromEntries([16, 24, 32].map((length) => [length, randomBytes(length).toString('base64')]));
}

async function pkcs1Message({ encrypt, rawRsaKeyring }, rsa) {
  const keyring = rawRsaKeyring({ keyNamespace: 'conformance', keyName: 'pkcs1', padding: 'pkcs1', ...rsa });
  return Buffer.from((await encrypt(bytes(300), { keyring })).ciphertext).toString('base64');
}
