import { testStreamedVectors } from './support/vectors-streamed.ts';

// Without this capability the library finds no node:crypto, as in a browser; it asks at its first use.
Object.defineProperty(process, 'getBuiltinModule', { value: undefined });

testStreamedVectors('webcrypto');
