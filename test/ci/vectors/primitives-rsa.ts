/**
 * RSA decryption: OAEP with one hash for label and mask, and PKCS#1 v1.5 with implicit rejection.
 */
import type { RsaDecryptor } from '../../../src/crypto/crypto.ts';
import { defaultCrypto } from '../../../src/crypto/default-crypto.ts';
import { fromHex } from '../../support/vectors.ts';
import { type DeclareSet, rejects, sameBytes, type Tally } from '../../support/vectors-tally.ts';
import { type WycheproofTest, wycheproof } from './wycheproof.ts';

interface Group {
  readonly privateKey: { readonly privateKeyPem?: string };
  readonly privateKeyPem?: string;
}

interface Known extends WycheproofTest {
  readonly msg: string;
  readonly ct: string;
  readonly label?: string;
}

const OAEP_FILES = [
  ['rsa_oaep_2048_sha1_mgf1sha1_test', 36, 'oaep-sha1'],
  ['rsa_oaep_2048_sha256_mgf1sha256_test', 37, 'oaep-sha256'],
  ['rsa_oaep_2048_sha384_mgf1sha384_test', 34, 'oaep-sha384'],
  ['rsa_oaep_2048_sha512_mgf1sha512_test', 33, 'oaep-sha512'],
] as const;
const PKCS1_FILE = 'rsa_pkcs1_2048_test';
const LABELLED = 'with an OAEP label, which no message has: none of them opened';
const NO_RAW_RSA = 'RSA PKCS#1 v1.5, which WebCrypto has not: the key was refused as UNSUPPORTED';

/** Wycheproof's five files. */
export function rsa(vectorSet: DeclareSet, provider: string): void {
  for (const [file, count, padding] of OAEP_FILES) {
    vectorSet(`wycheproof/${file}`, count, (tally) =>
      wycheproof<Group, Known>(file, async (group, test, name) =>
        oaep(tally, name, await defaultCrypto().rsaDecryptor(padding, pem(group)), test),
      ),
    );
  }
  vectorSet(`wycheproof/${PKCS1_FILE}`, 67, (tally) =>
    wycheproof<Group, Known>(PKCS1_FILE, async (group, test, name) => {
      const decryptor = () => defaultCrypto().rsaDecryptor('pkcs1', pem(group));
      if (provider === 'node') return tally.check(name, async () => pkcs1(await decryptor(), test));
      await tally.check(
        name,
        () => rejects(decryptor, ['UNSUPPORTED']),
        () => tally.notApplicable(NO_RAW_RSA),
      );
    }),
  );
}

async function oaep(tally: Tally, name: string, rsaKey: RsaDecryptor, test: Known): Promise<void> {
  const opened = await rsaKey.decrypt(fromHex(test.ct), test.msg.length / 2);
  const refused = () => {
    if (opened !== undefined) throw new Error('accepted');
  };
  if (test.label && test.result === 'valid') {
    return tally.check(name, refused, () => tally.notApplicable(LABELLED));
  }
  const same = () => sameBytes(opened, fromHex(test.msg), 'message');
  await tally.check(name, test.result === 'valid' ? same : refused);
}

// A wrong padding gives the same substitute for every length that is asked for, or nothing where the ciphertext alone
// shows that it is none. So no message of any length came out.
async function pkcs1(rsaKey: RsaDecryptor, test: Known): Promise<void> {
  const ciphertext = fromHex(test.ct);
  const message = fromHex(test.msg);
  const opened = await rsaKey.decrypt(ciphertext, message.length);
  if (test.result === 'valid') return sameBytes(opened, message, 'message');
  const longest = await rsaKey.decrypt(ciphertext, 32);
  for (const length of [1, 4, 16, 24, 32]) {
    const substitute = await rsaKey.decrypt(ciphertext, length);
    if ((substitute === undefined) !== (longest === undefined)) throw new Error('the lengths are told apart');
    if (substitute) sameBytes(substitute, longest!.subarray(0, length), `substitute of ${length} bytes`);
  }
  if (opened && message.length > 0 && Buffer.compare(opened, message) === 0)
    throw new Error('wrong padding was accepted');
}

function pem(group: Group): string {
  return group.privateKey.privateKeyPem ?? group.privateKeyPem!;
}
