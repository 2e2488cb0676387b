/**
 * Memory given back at once.
 *
 * What a native cipher answers lies in memory of its own, which the garbage collector frees late: a long message would walk
 * through as much fresh memory as it is long, and the first touch of a page costs more than the AES of its bytes. A buffer
 * that has been transferred away is freed there and then, and the next answer finds the same memory, still in the cache.
 */

/** Bytes; below, freeing costs more than it saves. */
const WORTH_WHILE = 8192;

/** Frees the memory of a native call's answer. The bytes can no longer be read. Memory that they share is left alone. */
export function giveBack({ buffer, length }: Uint8Array): void {
  if (length >= WORTH_WHILE && buffer.byteLength === length) free(buffer as ArrayBuffer);
}

function free(buffer: ArrayBuffer): void {
  if (typeof (buffer as Transferable).transfer === 'function') (buffer as Transferable).transfer(0);
  else closedPort().postMessage(undefined, [buffer]);
}

/** As all runtimes have it but Node 20. */
interface Transferable extends ArrayBuffer {
  transfer(length: number): ArrayBuffer;
}

let port: MessagePort | undefined;

// A closed port transfers all the same, to nowhere: HTML standard, section 9.4.4, "message port post message steps".
function closedPort(): MessagePort {
  if (port === undefined) {
    port = new MessageChannel().port1;
    port.close();
  }
  return port;
}
