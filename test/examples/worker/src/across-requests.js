// What workerd asks of things that several requests share.
//
// Requests that miss the cache for the same data key at the same moment wait for one call of KMS, which one of them makes.
// workerd ties that call to its request, and ends what it takes for hung.

import { waitUntil } from 'cloudflare:workers';

/** A keyring whose calls go on when the client of the request that made them has gone: others may be waiting. */
export function outlasting(keyring) {
  const kept = (call) => {
    waitUntil(call.catch(() => {}));
    return call;
  };
  return {
    onEncrypt: (...args) => kept(keyring.onEncrypt(...args)),
    onDecrypt: (...args) => kept(keyring.onDecrypt(...args)),
  };
}

/** Waits for what another request may be about to bring. A timer shows workerd that this one is not hung. */
export async function awake(promise) {
  const timer = setInterval(() => {}, 1000);
  try {
    return await promise;
  } finally {
    clearInterval(timer);
  }
}
