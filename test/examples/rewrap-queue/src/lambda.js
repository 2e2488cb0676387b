// The same rotation over S3: a Lambda function that S3 Batch Operations calls for every object of a manifest.
//
//   import { GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
//   import { awsKmsKeyring } from 'frameseal/aws-kms';
//
//   const job = { rotation: '2026-11', keyring: awsKmsKeyring({ keyIds: oldKeys }),
//     to: awsKmsKeyring({ generatorKeyId, keyIds }), newKeys: new Set([generatorKeyId, ...keyIds]), contextOf };
//   export const handler = batchHandler({ client: new S3Client({}), GetObjectCommand, PutObjectCommand, job });

import { isLasting, rotateObject } from './rotate-object.js';
import { s3Store } from './s3-store.js';

/** The handler. What is temporary S3 Batch Operations tries again; the rest is in its completion report. */
export function batchHandler({ job, ...s3 }) {
  return async ({ invocationSchemaVersion, invocationId, tasks }) => ({
    invocationSchemaVersion,
    invocationId,
    treatMissingKeysAs: 'TemporaryFailure',
    results: await Promise.all(tasks.map((task) => rotateTask(task, s3, job))),
  });
}

async function rotateTask({ taskId, s3Key, ...task }, s3, job) {
  const [resultCode, resultString] = await resultOf(() => {
    const Bucket = task.s3Bucket ?? task.s3BucketArn.split(':').at(-1); // schema 2.0; schema 1.0
    return rotateObject(s3Store({ ...s3, Bucket }), decodeKey(s3Key), job);
  });
  return { taskId, resultCode, resultString };
}

async function resultOf(rotate) {
  try {
    const outcome = await rotate();
    if (outcome === 'changed') return ['TemporaryFailure', outcome];
    // A key that is not there may be one that was written wrongly into the manifest: the report is to show it.
    return outcome === 'gone' ? ['PermanentFailure', outcome] : ['Succeeded', outcome];
  } catch (error) {
    console.warn(String(error));
    return [
      isLasting(error) || isRefusedByS3(error) ? 'PermanentFailure' : 'TemporaryFailure',
      error.code ?? error.name,
    ];
  }
}

// Keys come URL-encoded, with a plus for a space.
function decodeKey(key) {
  return decodeURIComponent(key.replaceAll('+', ' '));
}

function isRefusedByS3({ name, $metadata }) {
  const status = $metadata?.httpStatusCode;
  return status >= 400 && status < 500 && status !== 429 && name !== 'RequestTimeout';
}
