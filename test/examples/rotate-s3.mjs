// The messages of a bucket under another key, in place. Each object is replaced only if it is still the one that was read:
// PutObject names its ETag. The SDK comes from the caller:
//
//   import * as s3 from '@aws-sdk/client-s3';
//   import { rotateMessages } from 'frameseal';
//   import { fileJournal } from 'frameseal/node';
//
//   const client = new s3.S3Client({});
//   const journal = await fileJournal('rotation.journal');
//   const objects = s3Messages({ s3, client, bucket: 'backups', prefix: '2026/' });
//   const report = await rotateMessages(objects, { keyring, to, journal, concurrency: 16 });

/** What PutObject takes from GetObject. Tags and locks are not among it, see `checkCopied`; neither are ACLs and the date. */
const COPIED = [
  ...['CacheControl', 'ContentDisposition', 'ContentEncoding', 'ContentLanguage', 'ContentType', 'Metadata'],
  ...['WebsiteRedirectLocation', 'StorageClass', 'ServerSideEncryption', 'SSEKMSKeyId', 'BucketKeyEnabled'],
];

/**
 * The objects of a bucket, in the order of their keys, for `rotateMessages`. A new message is held in memory until it is whole,
 * because PutObject asks for its length: at most `maxBytes` for each object under way, and larger ones fail. For those upload
 * in parts, with IfMatch in CompleteMultipartUpload.
 */
export async function* s3Messages({ s3, client, bucket, prefix, maxBytes = 64 * 2 ** 20 }) {
  for (let ContinuationToken; ; ) {
    const input = { Bucket: bucket, Prefix: prefix, ...(ContinuationToken && { ContinuationToken }) };
    const page = await client.send(new s3.ListObjectsV2Command(input));
    for (const { Key, Size } of page.Contents ?? [])
      if (Size > 0) yield s3Message({ s3, client, maxBytes }, { Bucket: bucket, Key }, Size);
    if (!page.IsTruncated) return;
    ContinuationToken = page.NextContinuationToken;
  }
}

function s3Message({ s3, client, maxBytes }, location, size) {
  let last;
  return {
    name: location.Key,
    size,
    async read({ signal: abortSignal }) {
      const answer = await client.send(new s3.GetObjectCommand(location), { abortSignal });
      checkCopied(answer, location.Key);
      last = answer;
      return answer.Body.transformToWebStream();
    },
    async replace(body, { signal: abortSignal }) {
      const Body = await wholeBody(body, maxBytes, location.Key);
      const kept = Object.fromEntries(COPIED.map((name) => [name, last[name]]));
      const input = { ...kept, ...location, Body, ContentLength: Body.length, IfMatch: last.ETag };
      await client.send(new s3.PutObjectCommand(input), { abortSignal });
    },
  };
}

// Rather no new object than one that has lost something.
function checkCopied({ ETag, TagCount = 0, ObjectLockMode }, key) {
  if (!ETag) throw new Error(`${key}: no ETag to hold the object by`);
  if (TagCount > 0) throw new Error(`${key}: it has ${TagCount} tags, which would be lost: copy them too`);
  if (ObjectLockMode)
    throw new Error(`${key}: it is locked (${ObjectLockMode}), and its old version would stay`);
}

async function wholeBody(body, maxBytes, key) {
  const chunks = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.length;
    if (length > maxBytes) throw new Error(`${key}: more than ${maxBytes} bytes: upload it in parts`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, length);
}
