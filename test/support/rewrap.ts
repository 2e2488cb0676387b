/**
 * What tests of rewrap share: both ways to do it, and a look at the data key of a message.
 */
import {
  type Bytes,
  type DecryptOptions,
  decrypt,
  type Keyring,
  type RewrapResult,
  type RewrapStreamOptions,
  rewrap,
  rewrapStream,
} from '../../src/index.ts';
import { type Cut, randomly, through } from './streams.ts';

/** One shot, or streamed in pieces. */
export type Way = (message: Uint8Array, options: RewrapStreamOptions) => Promise<RewrapResult>;

let seed = 0;

/** Both, as rows of `it.each`. The pieces are others each time, and the same in every run. */
export const WAYS: readonly (readonly [string, Way])[] = [
  ['in one shot', rewrap],
  ['streamed', (message, options) => rewrapInPieces(message, options, randomly(++seed))],
];

/** Streamed; throws what fails the stream. */
export async function rewrapInPieces(
  message: Uint8Array,
  options: RewrapStreamOptions,
  cut: Cut,
): Promise<RewrapResult> {
  const { bytes, result, error } = await through(rewrapStream(options), cut(message));
  if (error) throw error;
  return { ...result!, ciphertext: bytes };
}

/** The data key of a message, as the keyring opens it. */
export async function dataKeyOf(
  message: Uint8Array,
  keyring: Keyring,
  options: Omit<DecryptOptions, 'keyring'> = {},
): Promise<Bytes> {
  let dataKey: Bytes | undefined;
  const looking: Keyring = {
    onEncrypt: (materials, call) => keyring.onEncrypt(materials, call),
    onDecrypt: async (materials, edks, call) => {
      const answer = await keyring.onDecrypt(materials, edks, call);
      dataKey = answer.plaintextDataKey?.slice();
      return answer;
    },
  };
  await decrypt(message, { ...options, keyring: looking });
  return dataKey!;
}

/** A keyring that never answers, and the signals that it was given. */
export function hangingKeyring(): Keyring & { readonly signals: AbortSignal[] } {
  const signals: AbortSignal[] = [];
  const hang = (signal: AbortSignal | undefined) => {
    signals.push(signal!);
    return new Promise<never>(() => {});
  };
  return {
    signals,
    onEncrypt: (_, { signal }) => hang(signal),
    onDecrypt: (_, __, { signal }) => hang(signal),
  };
}
