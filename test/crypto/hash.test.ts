/**
 * Hash and HMAC of both platforms, against the published examples.
 */
import { describe, expect, it } from 'vitest';
import { createNodeCrypto } from '../../src/crypto/node-crypto.ts';
import { createWebCrypto } from '../../src/crypto/webcrypto.ts';

const text = (words: string) => new TextEncoder().encode(words);
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');
const node = createNodeCrypto(await import('node:crypto'));

describe.each([node, createWebCrypto()])('$name', (crypto) => {
  it('hashes the joined parts: FIPS 180-4, the example "abc" of SHA-384', async () => {
    const digest = await crypto.hash('SHA-384', text('a'), text(''), text('bc'));
    expect(hex(digest)).toBe(
      'cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7',
    );
    expect(digest.buffer.byteLength).toBe(48);
  });

  it('authenticates the joined parts: RFC 4231, test case 2 of HMAC-SHA-512', async () => {
    const mac = await crypto.hmac('SHA-512', text('Jefe'), text('what do ya want '), text('for nothing?'));
    expect(hex(mac)).toBe(
      '164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737',
    );
    expect(mac.buffer.byteLength).toBe(64);
  });
});
