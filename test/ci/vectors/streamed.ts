/**
 * Every message of the shared data in pieces: whole, at random and byte by byte. One shot, which the other runs of this
 * folder judge, is the measure: the same plaintext, header and context, or the same code.
 */
import { expect, it } from 'vitest';
import { nativeCrypto } from '../../../src/crypto/default-crypto.ts';
import { type DecryptStreamOptions, decryptStream, type EngineChoice } from '../../../src/index.ts';
import {
  every,
  inOneShot,
  type OneShot,
  randomly,
  type StreamOutcome,
  streamed,
  through,
  whole,
} from '../../support/streams.ts';
import { fileJson, fromBase64, toHex } from '../../support/vectors.ts';
import { casesOf, readingPolicy } from '../../support/vectors-manifest.ts';
import { mostReleased } from '../../support/vectors-streamed.ts';
import { type Tally, vectorRun } from '../../support/vectors-tally.ts';
import { dataKeyKeyring } from './data-key-keyring.ts';

/** A message, how it is opened, and what it, or the message that it was made from, opens to. */
interface StreamedCase {
  readonly name: string;
  readonly message: Uint8Array;
  readonly options: DecryptStreamOptions;
  /** One of them is the right one. */
  readonly plaintexts: readonly Uint8Array[];
  readonly faultClass?: string | undefined;
}

/** Byte by byte up to this length; in sevens above. */
const BYTE_BY_BYTE = 16_384;
const SEVENS = 'above 16 KiB: in pieces of 7 bytes instead of single ones';
const WITHHELD = 'with a wrong signature: the regular frames were released, the final one was not';
const WITHHELD_WHOLE = 'with a wrong signature and one frame or block: nothing was released';

/** Declares the run, for one provider and one engine. */
export function runStreamed(provider: 'node' | 'webcrypto', engine: EngineChoice): void {
  it(`uses ${provider}`, () => expect(nativeCrypto().name).toBe(provider));
  vectorRun(`streamed, ${provider}, engine ${engine}`, (vectorSet) => {
    const set = (name: string, count: number, cases: () => readonly StreamedCase[]) =>
      vectorSet(name, count, (tally) => judgeAll(tally, cases(), engine));
    for (const [folder, count] of [
      ['esdk/net-4.0.1', 59],
      ['esdk/net-4.0.0-valid', 3],
      ['esdk/net-4.0.0-invalid', 16],
      ['esdk/dafny-4.1.0', 178],
      ['esdk/python-1.3.5-parse-only', 22],
      ['esdk-python', 453],
    ] as const) {
      set(folder, count, () => official(folder));
    }
    set('esdk/decrypt-oracle', 9, oracle);
    set('commitment, whole messages', 46, commitment);
    set('negative', 2425, negative);
  });
}

async function judgeAll(tally: Tally, cases: readonly StreamedCase[], engine: EngineChoice): Promise<void> {
  for (const [number, one] of cases.entries()) {
    await tally.check(one.name, () => judge(tally, { ...one, options: { ...one.options, engine } }, number));
  }
}

async function judge(tally: Tally, one: StreamedCase, number: number): Promise<void> {
  const { message, options } = one;
  const oneShot = await inOneShot(message, options);
  const small = message.length <= BYTE_BY_BYTE;
  for (const cut of [whole, randomly(number + 1), randomly(number + 100_001), every(small ? 1 : 7)]) {
    const outcome = await streamed(message, options, cut, oneShot);
    sameCode(oneShot, outcome);
    if (outcome.error) released(one, outcome);
  }
  if (!small) tally.note(SEVENS);
  tally.note(oneShot.opened ? 'opened' : `rejected: ${oneShot.error!.code}`);
  if (one.faultClass === 'signature') await withheld(tally, one, oneShot);
}

function sameCode({ error }: OneShot, outcome: StreamOutcome<unknown>): void {
  const got = outcome.error?.code;
  if (got !== error?.code) throw new Error(`expected ${error?.code}, got ${got} (${outcome.error?.message})`);
}

// Before an error: a prefix of the true plaintext, and never its final frame.
function released({ message, plaintexts }: StreamedCase, { bytes }: StreamOutcome<unknown>): void {
  if (bytes.length === 0) return;
  const prefix = toHex(bytes);
  if (!plaintexts.some((plaintext) => toHex(plaintext).startsWith(prefix))) {
    throw new Error(`${bytes.length} bytes were released that are no prefix of the plaintext`);
  }
  if (bytes.length > mostReleased(message)) throw new Error('the final frame was released');
}

// A wrong signature over a body that is right: all of it but the final frame, and of that nothing; with "hold-all" nothing
// at all.
async function withheld(tally: Tally, one: StreamedCase, { error }: OneShot): Promise<void> {
  if (error?.code !== 'AUTHENTICATION_FAILED') return;
  const regular = mostReleased(one.message);
  const { bytes } = await through(decryptStream(one.options), every(5)(one.message));
  if (bytes.length !== regular) throw new Error(`${bytes.length} bytes were released, not ${regular}`);
  const held = await through(
    decryptStream({ ...one.options, signedStreams: 'hold-all' }),
    every(5)(one.message),
  );
  if (held.bytes.length > 0) throw new Error('"hold-all" released something');
  tally.note(regular > 0 ? WITHHELD : WITHHELD_WHOLE);
}

function official(folder: string): StreamedCase[] {
  return casesOf(folder).map(({ name, message, options, plaintext }) => ({
    name,
    message,
    options,
    plaintexts: plaintext ? [plaintext] : [],
  }));
}

// A message with a fault is named after the one that it was made from; the crafted ones name none.
function negative(): StreamedCase[] {
  const cases = casesOf('negative');
  const base = (name: string) => name.slice(0, name.indexOf('/'));
  const known = cases.filter(({ plaintext }) => plaintext !== undefined);
  return cases.map(({ name, message, options, plaintext, test }) => {
    const own = known.filter((other) => base(other.name) === base(name));
    const from = plaintext ? [plaintext] : (own.length > 0 ? own : known).map((other) => other.plaintext!);
    return { name, message, options, plaintexts: from, faultClass: test.class };
  });
}

function commitment(): StreamedCase[] {
  interface Known {
    readonly comment: string;
    readonly ciphertext: string;
    readonly 'decrypted-dek': string;
    readonly 'plaintext-frames'?: readonly string[];
  }
  const { tests } = fileJson<{ tests: Known[] }>('commitment/commitment-test-vectors.json');
  return tests.map((one) => ({
    name: one.comment.replace(/\..*/, ''),
    message: fromBase64(one.ciphertext),
    options: { keyring: dataKeyKeyring(fromBase64(one['decrypted-dek'])) },
    plaintexts: [new TextEncoder().encode(one['plaintext-frames']?.join('') ?? '')],
  }));
}

function oracle(): StreamedCase[] {
  interface Known {
    readonly 'algorithm-suite': string;
    readonly ciphertext: string;
    readonly plaintext: string;
    readonly 'data-key': string;
  }
  return fileJson<Known[]>('esdk/decrypt-oracle/null-key-vectors.json').map((one) => {
    const message = fromBase64(one.ciphertext);
    const keyring = dataKeyKeyring(fromBase64(one['data-key']));
    const options = { keyring, commitmentPolicy: readingPolicy(message) };
    return { name: one['algorithm-suite'], message, options, plaintexts: [fromBase64(one.plaintext)] };
  });
}
