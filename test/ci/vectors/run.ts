/**
 * Everything that the shared data say, for one provider of primitives.
 */
import { expect, it } from 'vitest';
import { defaultCrypto } from '../../../src/crypto/default-crypto.ts';
import { selectPlatform } from '../../../src/engine/select.ts';
import { vectorRun } from '../../support/vectors-tally.ts';
import { commitment } from './commitment.ts';
import { messages } from './messages.ts';
import { negative } from './negative.ts';
import { parseOnly } from './parse-only.ts';
import { primitives } from './primitives.ts';

/** Declares the run. The provider must be the one that this file's runtime chooses. */
export function runVectors(provider: 'node' | 'webcrypto'): void {
  it(`uses ${provider}`, () => {
    expect(defaultCrypto().name).toBe(provider);
    expect(selectPlatform('native').engine.name).toBe(provider);
  });
  vectorRun(provider, (vectorSet) => {
    messages(vectorSet, provider);
    parseOnly(vectorSet);
    commitment(vectorSet);
    negative(vectorSet);
    primitives(vectorSet, provider);
  });
}
