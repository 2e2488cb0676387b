// Both ends of a stream in memory: bytes in pieces of 64 KiB, and a reader that hands each result on.

const PIECE = 65_536;

/** Views of the bytes, as Buffers: the published SDK asks for those. */
export function* pieces(bytes) {
  for (let at = 0; at < bytes.length; at += PIECE) {
    const length = Math.min(PIECE, bytes.length - at);
    yield Buffer.from(bytes.buffer, bytes.byteOffset + at, length);
  }
}

/** A web stream of them. */
export function webSource(bytes) {
  const source = pieces(bytes);
  return new ReadableStream({
    pull(controller) {
      const { done, value } = source.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
  });
}

/** Reads a web stream to its end. */
export async function throughWeb(readable, take) {
  const reader = readable.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    take(value);
  }
}
