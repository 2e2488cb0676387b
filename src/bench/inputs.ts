/**
 * What all cases work on, and how their results are compared: fixed bytes that are no secret, the same in every runtime.
 */
import { type Bytes, compare } from '../bytes.ts';
import { unreachable } from '../errors.ts';

/** So many bytes, hardly two neighbours alike. */
export function testBytes(length: number, seed = 1): Bytes {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = Math.imul(i + seed, 0x9e37_79b1) >>> 24;
  return bytes;
}

/** @throws Error, which names both, unless these bytes are those. */
export function mustAgree(name: string, bytes: Uint8Array, like: string, those: Uint8Array): void {
  if (bytes.length !== those.length || compare(bytes, those) !== 0)
    throw unreachable(`"${name}" does not give the bytes that "${like}" gives`);
}

/** A number of bytes as names of cases have it: 16 B, 4 KiB, 1 MiB. */
export function sizeText(bytes: number): string {
  if (bytes >= 2 ** 20 && bytes % 2 ** 20 === 0) return `${bytes / 2 ** 20} MiB`;
  return bytes >= 1024 && bytes % 1024 === 0 ? `${bytes / 1024} KiB` : `${bytes} B`;
}

/** How much is measured, and how long that takes: `quick` about ten seconds, `full` some minutes. */
export type Scale = 'quick' | 'full';
