// Objects in R2, as `rotateObject` wants them.

export function r2Store(bucket) {
  return {
    async open(name) {
      const object = await bucket.get(name);
      if (object === null) return undefined;
      const { body, etag, size, customMetadata: metadata = {}, httpMetadata } = object;
      return { name, body, etag, size, metadata, httpMetadata };
    },

    /** Replaces this version with bytes or a stream of this length. Answers false if there is another one by now. */
    async replace({ name, etag, metadata, httpMetadata }, content, length, mark) {
      const body =
        content instanceof Uint8Array ? content : content.pipeThrough(new FixedLengthStream(length));
      const customMetadata = { ...metadata, ...mark };
      const onlyIf = { etagMatches: etag };
      return (await bucket.put(name, body, { onlyIf, httpMetadata, customMetadata })) !== null;
    },
  };
}
