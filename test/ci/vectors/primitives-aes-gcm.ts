/**
 * AES-GCM with IVs of 96 bits and tags of 128, which is all that the message format uses.
 */
import { concat } from '../../../src/bytes.ts';
import type { Crypto } from '../../../src/crypto/crypto.ts';
import { fileText, fromHex } from '../../support/vectors.ts';
import { type DeclareSet, sameBytes, type Tally } from '../../support/vectors-tally.ts';
import { wycheproof } from './wycheproof.ts';

interface Group {
  readonly ivSize: number;
  readonly tagSize: number;
}

interface Known {
  readonly key: string;
  readonly iv: string;
  readonly aad: string;
  readonly msg: string;
  readonly ct: string;
  readonly tag: string;
}

/** Wycheproof's set, and the six files of NIST. */
export function aesGcm(vectorSet: DeclareSet, crypto: Crypto): void {
  vectorSet('wycheproof/aes_gcm_test', 316, (tally) =>
    wycheproof<Group, Known>('aes_gcm_test', async ({ ivSize, tagSize }, test, name) => {
      if (ivSize === 96 && tagSize === 128) {
        await tally.check(name, () => judge(crypto, test, test.result === 'valid'));
      } else {
        tally.notApplicable(`with IVs of ${ivSize} and tags of ${tagSize} bits, which no message has`);
      }
    }),
  );
  for (const bits of [128, 192, 256]) {
    vectorSet(`cavp/gcmDecrypt${bits}`, 200, (tally) => cavp(crypto, tally, `gcmDecrypt${bits}`));
    vectorSet(`cavp/gcmEncryptExtIV${bits}`, 200, (tally) => cavp(crypto, tally, `gcmEncryptExtIV${bits}`));
  }
}

async function cavp(crypto: Crypto, tally: Tally, file: string): Promise<void> {
  const text = fileText(`cavp/${file}.rsp`).replace(/\r/g, '');
  for (const [i, block] of text
    .split(/^Count = /m)
    .slice(1)
    .entries()) {
    const field = (name: string) => new RegExp(`^${name} = ?(.*)$`, 'm').exec(block)?.[1] ?? '';
    const test = {
      key: field('Key'),
      iv: field('IV'),
      aad: field('AAD'),
      msg: field('PT'),
      ct: field('CT'),
      tag: field('Tag'),
    };
    await tally.check(`${i}`, () => judge(crypto, test, !/^FAIL$/m.test(block)));
  }
}

// A right one seals and opens to what is listed; a wrong one does not open.
async function judge(crypto: Crypto, test: Known, valid: boolean): Promise<void> {
  const [key, iv, aad, plaintext] = [test.key, test.iv, test.aad, test.msg].map(fromHex) as Uint8Array[];
  const sealed = concat(fromHex(test.ct), fromHex(test.tag));
  const opened = await crypto.aesGcmOpen(key!, iv!, aad!, sealed);
  if (!valid) {
    if (opened !== undefined) throw new Error('a wrong tag was accepted');
    return;
  }
  sameBytes(opened, plaintext!, 'plaintext');
  sameBytes(await crypto.aesGcmSeal(key!, iv!, aad!, plaintext!), sealed, 'ciphertext and tag');
}
