/**
 * Messages under AWS KMS keys: parsed, written again byte for byte, and their signatures verified.
 */
import { concat, Reader, Writer } from '../../../src/bytes.ts';
import { defaultCrypto } from '../../../src/crypto/default-crypto.ts';
import { PUBLIC_KEY_FIELD } from '../../../src/encryption-context.ts';
import { framePlace, jobSealedLength, writeFrameHeader } from '../../../src/engine/frame-layout.ts';
import { parseNonFramedBody } from '../../../src/format/message-body.ts';
import { encodeFooter, parseFooter } from '../../../src/format/message-footer.ts';
import {
  encodeHeaderAuth,
  encodeHeaderBody,
  type ParsedHeader,
  parseMessageHeader,
} from '../../../src/format/message-header.ts';
import { decrypt } from '../../../src/index.ts';
import { decodeVerificationKey, encodedSignatureIsGood } from '../../../src/kdf/signature.ts';
import { type LocatedBody, locateBody } from '../../../src/stream/message-opener.ts';
import { TAG_LENGTH } from '../../../src/suite/algorithm-suites.ts';
import { casesOf, type VectorCase } from '../../support/vectors-manifest.ts';
import { type DeclareSet, rejects, sameBytes, type Tally } from '../../support/vectors-tally.ts';

const SIGNED = 7;

/** The set that cannot be decrypted offline. */
export function parseOnly(vectorSet: DeclareSet): void {
  vectorSet('esdk/python-1.3.5-parse-only', 22, async (tally) => {
    for (const one of casesOf('esdk/python-1.3.5-parse-only')) {
      await tally.check(one.name, () => writtenAgain(tally, one));
    }
    if (tally.row.notes['with a good signature'] !== SIGNED) throw new Error(`${SIGNED} must be signed`);
  });
}

async function writtenAgain(tally: Tally, { message, plaintext, options }: VectorCase): Promise<void> {
  const header = parseMessageHeader(message);
  const rest = message.subarray(header.length);
  const body = locateBody(header, rest, Number.MAX_SAFE_INTEGER);
  if (body.plaintextLength !== plaintext?.length) throw new Error('another plaintext length');
  const reader = new Reader(rest.subarray(body.length));
  const signature = header.suite.signature && parseFooter(reader);
  if (reader.left > 0) throw new Error('bytes are left over');
  const written = concat(
    encodeHeaderBody(header),
    encodeHeaderAuth(header.suite, header.tag),
    body.frames ? writeFrames(header, body, rest) : writeNonFramed(rest),
    signature ? encodeFooter(signature) : new Uint8Array(0),
  );
  sameBytes(written, message, 'the message, written again');
  if (signature) {
    await verify(header, message.subarray(0, header.length + body.length), signature);
    tally.note('with a good signature');
  }
  await rejects(() => decrypt(message, options), ['NO_DATA_KEY']);
}

// Everything but ciphertexts and tags comes from our own layout.
function writeFrames({ frameLength }: ParsedHeader, { frames }: LocatedBody, bytes: Uint8Array): Uint8Array {
  const job = { frameLength, first: 1, ...frames! };
  const written = new Uint8Array(jobSealedLength(job));
  for (let i = 0; i <= job.regular; i++) {
    const place = framePlace(job, i);
    const end = place.ciphertextAt + place.length + TAG_LENGTH;
    writeFrameHeader(written, place);
    written.set(bytes.subarray(place.ciphertextAt, end), place.ciphertextAt);
  }
  return written;
}

function writeNonFramed(bytes: Uint8Array): Uint8Array {
  const { iv, sealed } = parseNonFramedBody(new Reader(bytes), Number.MAX_SAFE_INTEGER);
  const writer = new Writer(iv.length + 8 + sealed.length);
  return writer
    .put(iv)
    .u32(0)
    .u32(sealed.length - TAG_LENGTH)
    .put(sealed).bytes;
}

async function verify(header: ParsedHeader, signed: Uint8Array, signature: Uint8Array): Promise<void> {
  const algorithm = header.suite.signature!;
  const key = decodeVerificationKey(algorithm, header.encryptionContext[PUBLIC_KEY_FIELD]!);
  const crypto = defaultCrypto();
  if (
    !(await encodedSignatureIsGood(algorithm, signature, (rs) => crypto.verify(algorithm, key, signed, rs)))
  )
    throw new Error('a wrong signature');
  const altered = concat(signed);
  altered[altered.length - 1]! ^= 1;
  if (await encodedSignatureIsGood(algorithm, signature, (rs) => crypto.verify(algorithm, key, altered, rs)))
    throw new Error('any signature is good');
}
