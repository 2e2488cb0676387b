/**
 * The primitives of this runtime: `node:crypto` where it is offered, else WebCrypto. Chosen at the first use.
 */
import type { Crypto } from './crypto.ts';
import { nodeBuiltinCrypto } from './node-builtin.ts';
import { createNodeCrypto } from './node-crypto.ts';
import { createWebCrypto } from './webcrypto.ts';

let chosen: Crypto | undefined;

/** The primitives of this runtime. */
export function defaultCrypto(): Crypto {
  chosen ??= choose();
  return chosen;
}

function choose(): Crypto {
  const node = nodeBuiltinCrypto();
  return node === undefined ? createWebCrypto() : createNodeCrypto(node);
}
