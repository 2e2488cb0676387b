// The materials manager of an isolate: KMS keys over `fetch`, and a cache of data keys that all requests share.

import { waitUntil } from 'cloudflare:workers';
import { cachingCmm, localCache } from 'frameseal';
import { awsKmsKeyring, fetchKmsClient } from 'frameseal/aws-kms/fetch';

let cmm;

/** Made at the first request, because it needs the environment, and kept as long as the isolate lives. */
export function materialsManager(env) {
  cmm ??= cachingCmm({
    keyring: outlasting(keyring(env)),
    cache: localCache({ entryCapacity: 1000 }),
    // Whichever limit comes first ends a data key's service.
    maxAgeSeconds: 300,
    maxMessages: 10_000,
    maxBytes: 2 ** 36,
  });
  return cmm;
}

function keyring(env) {
  const [generatorKeyId, ...keyIds] = env.KMS_KEYS;
  const credentials = { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY };
  return awsKmsKeyring({
    generatorKeyId,
    keyIds,
    // KMS_ENDPOINT is for a KMS on this machine; without it each region has its own.
    clientSupplier: (region) => fetchKmsClient({ region, credentials, endpoint: env.KMS_ENDPOINT }),
    attemptTimeoutMs: 3000, // then the next region
    deadlineMs: 10_000,
  });
}

// Requests that miss the cache at the same moment wait for one call of KMS, which one of them makes. workerd ends that call
// with its request, when the client has gone: here it goes on. Without this the cache makes another one after 20 seconds.
function outlasting(keyring) {
  const kept = (call) => {
    waitUntil(call.catch(() => {}));
    return call;
  };
  return {
    onEncrypt: (...args) => kept(keyring.onEncrypt(...args)),
    onDecrypt: (...args) => kept(keyring.onDecrypt(...args)),
  };
}
