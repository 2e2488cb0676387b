/**
 * Which engine serves a message.
 */
import { nodeBuiltinCrypto } from '../crypto/node-builtin.ts';
import { FramesealError, invalidArgument, quote } from '../errors.ts';
import type { FrameEngine } from './engine.ts';
import { createNodeEngine } from './node-engine.ts';
import { webcryptoEngine } from './webcrypto-engine.ts';

/** What a caller may force: `native` is the platform's own AES-GCM, `auto` the fastest that there is. */
export type EngineChoice = 'auto' | 'wasm' | 'native' | 'hybrid';

const CHOICES: readonly string[] = ['auto', 'wasm', 'native', 'hybrid'];

let native: FrameEngine | undefined;

/**
 * The engine for a choice.
 * @throws FramesealError `INVALID_ARGUMENT`; `UNSUPPORTED` for an engine that this version has not.
 */
export function selectEngine(choice: EngineChoice = 'auto'): FrameEngine {
  if (!CHOICES.includes(choice))
    throw invalidArgument('engine', `one of ${CHOICES.join(', ')}`, quote(choice));
  if (choice === 'wasm' || choice === 'hybrid') {
    throw new FramesealError('UNSUPPORTED', `this version has no ${choice} engine: use "auto" or "native"`);
  }
  native ??= nativeEngine();
  return native;
}

function nativeEngine(): FrameEngine {
  const node = nodeBuiltinCrypto();
  return node === undefined ? webcryptoEngine : createNodeEngine(node);
}
