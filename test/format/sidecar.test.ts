import { describe, expect, it } from 'vitest';
import { concat } from '../../src/bytes.ts';
import {
  checkBinding,
  encodeSidecarBody,
  parseSidecar,
  type SidecarBinding,
} from '../../src/format/sidecar.ts';
import { type Bytes, parseHeader } from '../../src/index.ts';
import { type AlgorithmSuite, suiteById } from '../../src/suite/algorithm-suites.ts';
import { bytes, failure, failureCode, flip, SUITE_ROWS } from '../support/messages.ts';
import { malleableKeyring, withSidecar } from '../support/sidecars.ts';

const EDKS = ['p', 'q'].map((providerId) => ({ providerId, providerInfo: bytes(4), ciphertext: bytes(40) }));
const MAC = bytes(64, 2);

const bindingOf = (suite: AlgorithmSuite): SidecarBinding => ({
  suite,
  messageId: bytes(suite.messageIdLength, 3),
  suiteData: bytes(suite.committing ? 32 : 0, 4),
});
const sidecarOf = (suite = suiteById(0x0578)!) => concat(encodeSidecarBody(bindingOf(suite), EDKS), MAC);

describe('encode and parse', () => {
  it.each(SUITE_ROWS)('%s gives back every field, and the same bytes again', (_, suite) => {
    const sidecar = sidecarOf(suite);
    const parsed = parseSidecar(sidecar, 2);
    expect(parsed).toEqual({
      ...bindingOf(suite),
      encryptedDataKeys: EDKS,
      body: sidecar.subarray(0, -64),
      mac: MAC,
    });
    expect(encodeSidecarBody(parsed, parsed.encryptedDataKeys)).toEqual(parsed.body);
  });

  it('is found again by the format that is documented', async () => {
    const { ciphertext, sidecar } = await withSidecar({ add: malleableKeyring() });
    const { messageId } = parseHeader(ciphertext);
    const text = (part: Uint8Array) => Buffer.from(part).toString('latin1');
    expect(text(sidecar.subarray(0, 4))).toBe('FSSC');
    expect([...sidecar.subarray(4, 7)]).toEqual([1, 0x05, 0x78]);
    expect(sidecar.subarray(7, 39)).toEqual(messageId);
    const entry: Bytes = sidecar.slice(71, -64);
    expect(text(entry).startsWith('\0\x01\0\x09malleable\0\x03')).toBe(true);
    expect(entry).toHaveLength(2 + 2 + 9 + 2 + 3 + 2 + 32);
  });

  it('shares no bytes with what was parsed', () => {
    const sidecar = sidecarOf();
    const parsed = parseSidecar(sidecar, 2);
    sidecar.fill(0);
    expect(parsed.mac).toEqual(MAC);
    expect(parsed.encryptedDataKeys).toEqual(EDKS);
  });
});

describe('what is no sidecar', () => {
  const sidecar = sidecarOf();

  it.each([
    ['another mark', flip(sidecar, 0), 'does not begin with "FSSC"'],
    ['another version', flip(sidecar, 4), 'its version is 0, and this library reads 1'],
    ['no suite', flip(sidecar, 5, 7), 'its suite is unknown'],
    ['something behind it', concat(sidecar, bytes(1)), 'bytes follow its end'],
    ['an end that is missing', sidecar.subarray(0, -1), 'its lengths or texts do not fit'],
    ['a provider id that is no UTF-8', flip(sidecar, 7 + 64 + 2 + 2, 7), 'its lengths or texts do not fit'],
  ])('%s', async (_, altered, why) => {
    const error = await failure(() => parseSidecar(altered, 2));
    expect(error.code).toBe('SIDECAR_MISMATCH');
    expect(error.message).toContain(why);
  });

  it('is cut off anywhere', async () => {
    for (let length = 0; length < sidecar.length; length++)
      expect(await failureCode(() => parseSidecar(sidecar.subarray(0, length), 2))).toBe('SIDECAR_MISMATCH');
  });

  it('has more entries than are allowed', async () => {
    expect(await failureCode(() => parseSidecar(sidecar, 1))).toBe('LIMIT_EXCEEDED');
  });
});

describe('the binding', () => {
  const binding = bindingOf(suiteById(0x0578)!);
  const sidecar = parseSidecar(sidecarOf(), 2);

  it('holds for the message that it names', () => checkBinding(sidecar, binding));

  it.each([
    ['suite', { ...binding, suite: suiteById(0x0478)! }],
    ['message id', { ...binding, messageId: flip(binding.messageId, 31) }],
    ['commit key', { ...binding, suiteData: flip(binding.suiteData, 31) }],
  ])('refuses another %s', async (_, header) => {
    expect(await failureCode(() => checkBinding(sidecar, header))).toBe('SIDECAR_MISMATCH');
  });
});
