import { createHmac, hkdfSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { concat } from '../../src/bytes.ts';
import { createNodeCrypto } from '../../src/crypto/node-crypto.ts';
import { createWebCrypto } from '../../src/crypto/webcrypto.ts';
import { encodeSidecarBody, parseSidecar } from '../../src/format/sidecar.ts';
import { sealSidecar, verifySidecar } from '../../src/kdf/sidecar-mac.ts';
import { bytes, failureCode, flip, SUITE_ROWS } from '../support/messages.ts';

const EDKS = [{ providerId: 'p', providerInfo: bytes(4), ciphertext: bytes(40) }];
const providers = [createNodeCrypto(await import('node:crypto')), createWebCrypto()];

describe.each(providers)('the MAC of a sidecar, $name', (crypto) => {
  it.each(SUITE_ROWS)('%s: is what the documentation says, and verifies', async (_, suite) => {
    const [dataKey, messageId] = [bytes(suite.keyLength, 5), bytes(suite.messageIdLength, 3)];
    const suiteData = bytes(suite.committing ? 32 : 0, 4);
    const binding = { suite, messageId, suiteData };
    const sealed = await sealSidecar(crypto, binding, EDKS, dataKey);
    const body = encodeSidecarBody(binding, EDKS);
    const id = Buffer.from([suite.id >> 8, suite.id & 0xff]);
    const info = concat(id, bytesOfLength(messageId), messageId, bytesOfLength(suiteData), suiteData);
    const key = hkdfSync('sha512', dataKey, 'frameseal sidecar v1', info, 64);
    const mac = createHmac('sha512', Buffer.from(key)).update(body).digest();
    expect(sealed).toEqual(concat(body, mac));
    await verifySidecar(crypto, parseSidecar(sealed, 1), dataKey);
  });

  it('is refused when anything is another: data key, body, MAC', async () => {
    const suite = SUITE_ROWS.at(-1)![1];
    const binding = { suite, messageId: bytes(32, 3), suiteData: bytes(32, 4) };
    const dataKey = bytes(32, 5);
    const sidecar = parseSidecar(await sealSidecar(crypto, binding, EDKS, dataKey), 1);
    const verified = (change: Partial<typeof sidecar>, key = dataKey) =>
      failureCode(verifySidecar(crypto, { ...sidecar, ...change }, key));
    expect(await verified({}, flip(dataKey, 0))).toBe('SIDECAR_MISMATCH');
    for (const part of ['body', 'mac', 'messageId', 'suiteData'] as const)
      expect(await verified({ [part]: flip(sidecar[part], 31) })).toBe('SIDECAR_MISMATCH');
    expect(await verified({ suite: SUITE_ROWS.at(-2)![1] })).toBe('SIDECAR_MISMATCH');
  });
});

function bytesOfLength({ length }: Uint8Array): Uint8Array {
  return Uint8Array.of(length >> 8, length);
}
