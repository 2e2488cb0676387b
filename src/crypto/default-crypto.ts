/**
 * The primitives of this runtime: `node:crypto` where it is offered, else WebCrypto, and the kernel in front of either
 * for what it does faster. Chosen at the first use.
 */

import { loadKernel } from '../engine/wasm/kernel.ts';
import type { Crypto } from './crypto.ts';
import { withKernel } from './kernel-crypto.ts';
import { nodeCryptoAsNodes } from './node-builtin.ts';
import { createNodeCrypto } from './node-crypto.ts';
import { createWebCrypto } from './webcrypto.ts';

let native: Crypto | undefined;
let chosen: Crypto | undefined;

/** The platform's own primitives. */
export function nativeCrypto(): Crypto {
  native ??= chooseNative();
  return native;
}

/** The primitives of this runtime. */
export function defaultCrypto(): Crypto {
  chosen ??= choose();
  return chosen;
}

function choose(): Crypto {
  const kernel = loadKernel();
  return kernel === undefined ? nativeCrypto() : withKernel(nativeCrypto(), kernel);
}

function chooseNative(): Crypto {
  const node = nodeCryptoAsNodes();
  return node === undefined ? createWebCrypto() : createNodeCrypto(node);
}
