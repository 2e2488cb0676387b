/**
 * Messages of other implementations that open: official ones, and those made with the Python SDK.
 */

import { cachingCmm, requiredEncryptionContextCmm } from '../../../src/index.ts';
import { fileJson, fromBase64 } from '../../support/vectors.ts';
import { decrypt } from '../../support/vectors-engine.ts';
import { casesOf, hasPkcs1, readingPolicy, type VectorCase } from '../../support/vectors-manifest.ts';
import { open, sameHeader, sealsAgain } from '../../support/vectors-open.ts';
import { type DeclareSet, rejects, sameBytes, type Tally } from '../../support/vectors-tally.ts';
import { dataKeyKeyring } from './data-key-keyring.ts';

const NO_KEYRING: Record<string, string> = {
  'raw-ecdh': 'raw ECDH keys: this version has no such keyring',
  'aws-kms-hierarchy': 'hierarchical keys: this version has no such keyring',
};
const NO_RAW_RSA = 'RSA PKCS#1 v1.5, which WebCrypto has not: each one was refused as UNSUPPORTED';

const SEALED_AGAIN = 'sealed again to the same bytes';
const NON_FRAMED = 'not sealed again: non-framed bodies are never written';
const REQUIRED =
  'with required pairs that are not stored, cached or not; refused without them and with others';

/** The sets whose messages open. */
export function messages(vectorSet: DeclareSet, provider: string): void {
  const sets = [
    ['esdk/net-4.0.1', 59],
    ['esdk/net-4.0.0-valid', 3],
    ['esdk/dafny-4.1.0', 178],
    ['esdk-python', 453],
  ] as const;
  for (const [folder, count] of sets) {
    vectorSet(folder, count, (tally) => eachCase(tally, folder, provider));
  }
  vectorSet('esdk/net-4.0.0-invalid', 16, invalid);
  vectorSet('esdk/decrypt-oracle', 9, oracle);
}

async function eachCase(tally: Tally, folder: string, provider: string): Promise<void> {
  for (const one of casesOf(folder)) {
    if (one.keys === undefined) tally.notApplicable(NO_KEYRING[one.keyType] ?? one.keyType);
    else if (provider === 'webcrypto' && hasPkcs1(one.keys)) await unsupported(tally, one);
    else await tally.check(one.name, () => opens(tally, one));
  }
}

async function opens(tally: Tally, one: VectorCase): Promise<void> {
  const opened = await open(one.message, one.plaintext!, one.options);
  sameHeader(one.message);
  tally.note((await sealsAgain(one.message, opened)) ? SEALED_AGAIN : NON_FRAMED);
  const { header, authenticatedContext } = opened;
  const context = Object.entries(one.options.encryptionContext!);
  if (!context.every(([key, value]) => authenticatedContext[key] === value)) {
    throw new Error('the authenticated context is not the one reproduced');
  }
  const { info } = one.test;
  if (info && info.suite !== header.suiteId.toString(16).padStart(4, '0')) throw new Error('another suite');
  if (info && info['frame-length'] !== header.frameLength) throw new Error('another frame length');
  if (info && info['edk-count'] !== header.encryptedDataKeys.length)
    throw new Error('another number of keys');
  const unstored = context.map(([key]) => key).filter((key) => !(key in header.encryptionContext));
  if (unstored.length > 0) {
    await needsItsContext(one, context);
    await opensByRequiredKeys(one, unstored);
    tally.note(REQUIRED);
  }
}

// Pairs that are authenticated and not stored: without them, and with other values, nothing opens.
async function needsItsContext(
  { message, options }: VectorCase,
  context: readonly (readonly [string, string])[],
): Promise<void> {
  const { encryptionContext, ...without } = options;
  await rejects(() => decrypt(message, without), ['NO_DATA_KEY', 'AUTHENTICATION_FAILED']);
  const other = Object.fromEntries(context.map(([key, value]) => [key, `${value}?`]));
  await rejects(() => decrypt(message, { ...without, encryptionContext: other }), ['CONTEXT_MISMATCH']);
}

// The same through the manager that asks for them, alone, cached, and around a cache: cold and warm.
async function opensByRequiredKeys(
  { message, plaintext, options }: VectorCase,
  requiredKeys: readonly string[],
): Promise<void> {
  const { keyring, encryptionContext, ...without } = options;
  const required = requiredEncryptionContextCmm({ keyring: keyring!, requiredKeys });
  const cached = cachingCmm({ keyring: keyring!, maxAgeSeconds: 60 });
  const managers = [
    required,
    cachingCmm({ cmm: required, maxAgeSeconds: 60 }),
    requiredEncryptionContextCmm({ cmm: cached, requiredKeys }),
  ];
  for (const cmm of managers) {
    for (const _ of ['cold', 'warm']) {
      const opened = await decrypt(message, { ...without, cmm, encryptionContext });
      sameBytes(opened.plaintext, plaintext!, 'plaintext');
      await rejects(() => decrypt(message, { ...without, cmm }), ['CONTEXT_MISMATCH']);
    }
  }
}

async function unsupported(tally: Tally, { name, message, options }: VectorCase): Promise<void> {
  await tally.check(
    name,
    () => rejects(() => decrypt(message, options), ['UNSUPPORTED']),
    () => tally.notApplicable(NO_RAW_RSA),
  );
}

// ESDK-.NET 4.0.0 wrote header tags that no other SDK reads; pairs that it did not store fail as a context that does
// not fit.
async function invalid(tally: Tally): Promise<void> {
  for (const { name, message, options, test } of casesOf('esdk/net-4.0.0-invalid')) {
    if (test.expect !== 'reject') throw new Error(`${name}: not marked as to be rejected`);
    const code = name.includes('cmm_Default') ? 'AUTHENTICATION_FAILED' : 'CONTEXT_MISMATCH';
    await tally.check(name, () => rejects(() => decrypt(message, options), [code]));
  }
}

interface OracleCase {
  readonly 'algorithm-suite': string;
  readonly ciphertext: string;
  readonly plaintext: string;
  readonly 'data-key': string;
}

async function oracle(tally: Tally): Promise<void> {
  for (const one of fileJson<OracleCase[]>('esdk/decrypt-oracle/null-key-vectors.json')) {
    const message = fromBase64(one.ciphertext);
    const keyring = dataKeyKeyring(fromBase64(one['data-key']));
    const options = { keyring, commitmentPolicy: readingPolicy(message) };
    await tally.check(one['algorithm-suite'], async () => {
      const opened = await open(message, fromBase64(one.plaintext), options);
      sameHeader(message);
      tally.note((await sealsAgain(message, opened)) ? SEALED_AGAIN : NON_FRAMED);
    });
  }
}
