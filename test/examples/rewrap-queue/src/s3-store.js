// Objects in S3, as `rotateObject` wants them. The client and its commands come from the caller.

import { Readable } from 'node:stream';

/** What a new version takes over from the old one, besides its metadata. Tags and access lists are not among it. */
const TAKEN_OVER = [
  'CacheControl',
  'ContentDisposition',
  'ContentEncoding',
  'ContentLanguage',
  'ContentType',
  'StorageClass',
];

export function s3Store({ client, GetObjectCommand, PutObjectCommand, Bucket }) {
  return {
    async open(Key) {
      const answer = await unless(['NoSuchKey'], client.send(new GetObjectCommand({ Bucket, Key })));
      if (answer === undefined) return undefined;
      const { Body, ETag: etag, ContentLength: size, Metadata: metadata = {} } = answer;
      const others = Object.fromEntries(TAKEN_OVER.map((name) => [name, answer[name]]));
      return { name: Key, body: Body.transformToWebStream(), etag, size, metadata, others };
    },

    async replace({ name: Key, etag: IfMatch, metadata, others }, content, ContentLength, mark) {
      // The client listens to the stream only while it sends it.
      const Body = content instanceof Uint8Array ? content : Readable.fromWeb(content).on('error', () => {});
      const Metadata = { ...metadata, ...mark };
      const put = new PutObjectCommand({ Bucket, Key, IfMatch, Body, ContentLength, Metadata, ...others });
      const conflicts = ['PreconditionFailed', 'ConditionalRequestConflict', 'NoSuchKey'];
      return (await unless(conflicts, client.send(put))) !== undefined;
    },
  };
}

async function unless(names, promise) {
  try {
    return await promise;
  } catch (error) {
    if (names.includes(error.name)) return undefined;
    throw error;
  }
}
