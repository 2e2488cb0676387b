// What is to be done, from the configuration: made once in an isolate.

import { awsKmsKeyring, fetchKmsClient } from 'frameseal/aws-kms/fetch';

let job;

export function jobOf(env) {
  job ??= makeJob(env);
  return job;
}

function makeJob({ ROTATION, OLD_KEYS, NEW_KEYS, ...env }) {
  const credentials = { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY };
  // KMS_ENDPOINT is for a KMS on this machine; without it each region has its own.
  const clientSupplier = (region) => fetchKmsClient({ region, credentials, endpoint: env.KMS_ENDPOINT });
  const [generatorKeyId, ...keyIds] = NEW_KEYS;
  return {
    rotation: ROTATION,
    keyring: awsKmsKeyring({ keyIds: OLD_KEYS, clientSupplier }),
    to: awsKmsKeyring({ generatorKeyId, keyIds, clientSupplier }),
    newKeys: new Set(NEW_KEYS.filter((key) => !OLD_KEYS.includes(key))),
    contextOf,
  };
}

/** The context that your writers bind an object to: here those of ../worker, whose objects are named `tenant/name`. */
export function contextOf(key) {
  const slash = key.indexOf('/');
  return { tenant: key.slice(0, slash), name: key.slice(slash + 1) };
}
