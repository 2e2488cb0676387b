/**
 * Which engine the vectors of this file's run are decrypted with.
 */
import {
  type DecryptOptions,
  type DecryptResult,
  decrypt as decryptAny,
  type EngineChoice,
} from '../../src/index.ts';

let engine: EngineChoice = 'auto';

/** Chooses the engine of every later {@link decrypt}. */
export function useEngine(choice: EngineChoice): void {
  engine = choice;
}

/** `decrypt` by the chosen engine. */
export function decrypt(message: Uint8Array, options: DecryptOptions): Promise<DecryptResult> {
  return decryptAny(message, { ...options, engine });
}
