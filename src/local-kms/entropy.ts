/**
 * Where key ids, key material, data keys and IVs come from: the platform's random generator, or, for golden
 * files, a seed.
 *
 * Seeded bytes are HMAC-SHA-256(seed, label, n, block), n counting the calls with the same label. Labels say
 * what the bytes are for and of which key, so the order in which requests to *different* keys arrive does not
 * change them.
 */
import { createHmac, randomBytes } from 'node:crypto';

export interface Entropy {
  /** `length` bytes for the purpose the label names. */
  bytes(length: number, ...label: readonly (string | Uint8Array)[]): Buffer;
}

export const randomEntropy: Entropy = { bytes: (length) => randomBytes(length) };

/** Bytes that anyone who knows the seed can compute. For tests only. */
export function seededEntropy(seed: string | Uint8Array): Entropy {
  const calls = new Map<string, number>();
  return {
    bytes(length, ...label) {
      const name = lengthPrefixed(label);
      const key = name.toString('latin1');
      const call = calls.get(key) ?? 0;
      calls.set(key, call + 1);
      return expand(seed, name, call, length);
    },
  };
}

/** A version 4 UUID (RFC 9562 section 5.4) of 16 bytes, in 32 hexadecimal digits without dashes. */
export function uuidDigits(bytes: Uint8Array): string {
  const digits = Buffer.from(bytes.subarray(0, 16)).toString('hex');
  const variant = '89ab'.charAt(Number.parseInt(digits.charAt(16), 16) & 3);
  return `${digits.slice(0, 12)}4${digits.slice(13, 16)}${variant}${digits.slice(17)}`;
}

function expand(seed: string | Uint8Array, name: Buffer, call: number, length: number): Buffer {
  const blocks: Buffer[] = [];
  for (let block = 0; block * 32 < length; block += 1) {
    const mac = createHmac('sha256', seed).update(name);
    blocks.push(mac.update(`${call}/${block}`).digest());
  }
  return Buffer.concat(blocks, length);
}

function lengthPrefixed(parts: readonly (string | Uint8Array)[]): Buffer {
  const encoded = parts.flatMap((part) => {
    const bytes = Buffer.from(part as string);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return [length, bytes];
  });
  return Buffer.concat(encoded);
}
