/**
 * Everything that the shared data say, for one provider of primitives.
 */
import { beforeAll, expect, it } from 'vitest';
import { nativeCrypto } from '../../../src/crypto/default-crypto.ts';
import { type EngineChoice, selectPlatform } from '../../../src/engine/select.ts';
import { useEngine } from '../../support/vectors-engine.ts';
import { vectorRun } from '../../support/vectors-tally.ts';
import { commitment } from './commitment.ts';
import { messages } from './messages.ts';
import { negative } from './negative.ts';
import { parseOnly } from './parse-only.ts';
import { kernelPrimitives, primitives } from './primitives.ts';

/** Declares the run. The provider must be the one that this file's runtime chooses; the engine decrypts the messages. */
export function runVectors(provider: 'node' | 'webcrypto', engine: EngineChoice): void {
  beforeAll(() => useEngine(engine));

  it(`uses ${provider}`, () => {
    expect(nativeCrypto().name).toBe(provider);
    expect(selectPlatform('native').engine.name).toBe(provider);
  });
  vectorRun(`${provider}, engine ${engine}`, (vectorSet) => {
    messages(vectorSet, provider);
    commitment(vectorSet);
    negative(vectorSet);
    if (engine === 'wasm') return kernelPrimitives(vectorSet);
    if (engine === 'hybrid') return;
    parseOnly(vectorSet);
    primitives(vectorSet, provider);
  });
}
