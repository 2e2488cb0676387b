// A range of a message in S3: of a large object only the header and the frames that hold the range are fetched, and all of
// them from one version of it. The SDK comes from the caller:
//
//   import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
//
//   const client = new S3Client({});
//   const location = { Bucket: 'backups', Key: '2026/orders.esdk' };
//   const { plaintext } = await readRange({ client, GetObjectCommand, location, keyring, start: 0, end: 1000 });

import { decryptRange } from 'frameseal';

/** The plaintext bytes from `start` to `end` of the message in this object. */
export async function readRange({ client, GetObjectCommand, location, ...options }) {
  const source = await s3Source(client, GetObjectCommand, location, options.signal);
  return decryptRange(source, options);
}

/**
 * What `decryptRange` reads from. Every request names the ETag of the first answer, and the version in a bucket that keeps
 * versions: an object that is replaced meanwhile is read as it was, or fails, but is never mixed up.
 * @param location `Bucket` and `Key`, and `VersionId` for another version than the newest.
 */
export async function s3Source(client, GetObjectCommand, location, abortSignal) {
  const get = (input) => client.send(new GetObjectCommand(input), { abortSignal });
  const first = await get({ ...location, Range: 'bytes=0-0' });
  await first.Body.transformToByteArray();
  const { ETag, VersionId, ContentRange } = first;
  const [, size] = /^bytes 0-0\/(\d+)$/.exec(ContentRange ?? '') ?? [];
  if (ETag === undefined || size === undefined) throw new Error(`${nameOf(location)}: no ETag or no ranges`);
  const pinned = { ...location, IfMatch: ETag, ...(VersionId && { VersionId }) };
  return {
    size: Number(size),
    async read(start, end) {
      const range = `${start}-${end - 1}`;
      const answer = await get({ ...pinned, Range: `bytes=${range}` }).catch((cause) => {
        if (cause.$metadata?.httpStatusCode !== 412) throw cause;
        throw new Error(`${nameOf(location)}: the object changed, it is no longer ${ETag}`, { cause });
      });
      const bytes = await answer.Body.transformToByteArray();
      if (answer.ContentRange === `bytes ${range}/${size}`) return bytes;
      throw new Error(`${nameOf(location)}: expected bytes ${range}/${size}, got ${answer.ContentRange}`);
    },
  };
}

function nameOf({ Bucket, Key }) {
  return `s3://${Bucket}/${Key}`;
}
