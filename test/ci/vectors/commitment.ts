/**
 * Known answers of the committing suites: data key, content key, commitment, header tag, frames.
 */
import { equal } from '../../../src/bytes.ts';
import { defaultCrypto } from '../../../src/crypto/default-crypto.ts';
import { selectPlatform } from '../../../src/engine/select.ts';
import { type ParsedHeader, parseMessageHeader } from '../../../src/format/message-header.ts';
import { deriveKeys, type MessageKeys } from '../../../src/kdf/derive-keys.ts';
import { MessageOpener } from '../../../src/stream/message-opener.ts';
import { fileJson, fromBase64 } from '../../support/vectors.ts';
import { decrypt } from '../../support/vectors-engine.ts';
import { open, sameHeader } from '../../support/vectors-open.ts';
import { type DeclareSet, rejects, sameBytes, type Tally } from '../../support/vectors-tally.ts';
import { dataKeyKeyring } from './data-key-keyring.ts';
import { FRAME_IV_RULE } from './frame-iv-rule.ts';

interface CommitmentCase {
  readonly status: boolean;
  readonly comment: string;
  readonly ciphertext: string;
  readonly header: string;
  readonly commitment: string;
  readonly 'content-encryption-key'?: string;
  readonly 'decrypted-dek': string;
  readonly 'message-id': string;
  readonly 'plaintext-frames'?: readonly string[];
}

/** Their frames have the IV ffffffffffffffff00000001. */
const BY_FRAME_IV_RULE: readonly string[] = [6, 7, 8, 9, 10, 11, 14, 15, 16, 17, 18, 19].map(String);
/** Their headers store pairs out of order, which is read and never written. */
const UNSORTED: readonly string[] = ['15', '17', '19', '21'];
const MATCHING = 41;

/** The commitment set: its keys and headers, then its whole messages. */
export function commitment(vectorSet: DeclareSet): void {
  const file = 'commitment/commitment-test-vectors.json';
  const each = async (judge: (name: string, one: CommitmentCase) => Promise<void>) => {
    for (const one of fileJson<{ tests: CommitmentCase[] }>(file).tests) {
      await judge(one.comment.replace(/\..*/, ''), one);
    }
  };
  vectorSet('commitment, keys and header', 46, async (tally) => {
    await each((name, one) =>
      tally.check(name, async () => {
        await (one.status ? matches(one) : differs(one));
        tally.note(one.status ? 'match' : 'do not match their commitment');
        if (UNSORTED.includes(name))
          tally.note('have pairs out of order: their headers are not encoded again');
        else sameHeader(fromBase64(one.ciphertext));
      }),
    );
    if (tally.row.notes.match !== MATCHING) throw new Error(`${MATCHING} must match`);
  });
  vectorSet('commitment, whole messages', 46, (tally) => each((name, one) => wholeMessage(tally, name, one)));
}

async function matches(one: CommitmentCase): Promise<void> {
  const { header, derivedKey, commitKey } = await keysOf(one);
  sameBytes(commitKey, fromBase64(one.commitment), 'commit key');
  sameBytes(header.suiteData, fromBase64(one.commitment), 'commit key in the header');
  sameBytes(header.messageId, fromBase64(one['message-id']), 'message id');
  const contentKey = one['content-encryption-key'];
  if (contentKey !== undefined) sameBytes(derivedKey, fromBase64(contentKey), 'content key');
  sameBytes(header.body, fromBase64(one.header).subarray(0, header.body.length), 'header');
  const dataKey = fromBase64(one['decrypted-dek']);
  for (const engine of ['native', 'auto'] as const) {
    const opener = await MessageOpener.begin(selectPlatform(engine), header, dataKey, new Uint8Array(0));
    if (opener === undefined) throw new Error('the commitment or the header tag is wrong');
  }
}

async function differs(one: CommitmentCase): Promise<void> {
  const { header, commitKey } = await keysOf(one);
  if (equal(commitKey, header.suiteData)) throw new Error('the commitment matches');
}

async function keysOf(one: CommitmentCase): Promise<MessageKeys & { readonly header: ParsedHeader }> {
  const header = parseMessageHeader(fromBase64(one.ciphertext));
  const dataKey = fromBase64(one['decrypted-dek']);
  return { header, ...(await deriveKeys(defaultCrypto(), header.suite, dataKey, header.messageId)) };
}

async function wholeMessage(tally: Tally, name: string, one: CommitmentCase): Promise<void> {
  const message = fromBase64(one.ciphertext);
  const keyring = dataKeyKeyring(fromBase64(one['decrypted-dek']));
  const refused = () => rejects(() => decrypt(message, { keyring }), ['AUTHENTICATION_FAILED']);
  const outOfRule = () => rejects(() => decrypt(message, { keyring }), ['INVALID_MESSAGE']);
  if (!one.status) return tally.check(name, refused);
  if (BY_FRAME_IV_RULE.includes(name)) return tally.rejectedByRule(FRAME_IV_RULE, name, outOfRule);
  const plaintext = new TextEncoder().encode(one['plaintext-frames']!.join(''));
  await tally.check(name, () => open(message, plaintext, { keyring }));
}
