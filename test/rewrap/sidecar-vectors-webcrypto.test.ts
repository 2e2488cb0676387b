import { testSidecarVectors } from '../support/sidecar-vectors.ts';

// Without this capability the library finds no node:crypto, as in a browser; it asks at its first use.
Object.defineProperty(process, 'getBuiltinModule', { value: undefined });

testSidecarVectors('webcrypto');
