// Storing a stream whose length nobody knows: R2 takes it in parts, of which all but the last have one length.

/** R2 takes parts from 5 MiB. One of them is held in memory. */
const PART_LENGTH = 8 * 1024 * 1024;

/** The object appears when the last part is there, or not at all. */
export async function storeInParts(bucket, key, stream) {
  const upload = await bucket.createMultipartUpload(key);
  try {
    const parts = [];
    for await (const part of partsOf(stream)) parts.push(await upload.uploadPart(parts.length + 1, part));
    await upload.complete(parts);
  } catch (error) {
    await upload.abort();
    throw error;
  }
}

// The same buffer each time: a part has been sent before the next one is filled.
async function* partsOf(stream) {
  const part = new Uint8Array(PART_LENGTH);
  let filled = 0;
  for await (const chunk of stream) {
    for (let at = 0; at < chunk.length; ) {
      const taken = chunk.subarray(at, at + PART_LENGTH - filled);
      part.set(taken, filled);
      at += taken.length;
      filled += taken.length;
      if (filled < PART_LENGTH) continue;
      yield part;
      filled = 0;
    }
  }
  if (filled > 0) yield part.subarray(0, filled);
}
