/**
 * The header of a message in one call: its keys from the data key (RFC 5869), its commit key, its tag. AWS Encryption
 * SDK specification, `client-apis/encrypt.md` (construct the header), `framework/transitive-requirements.md`.
 *
 * ```
 * input:  tag 16 | IV 12 | data key | salt | info of the derived key | info of the commit key | header body | the rest
 * output: derived key 64 | commit key 64 | tag 16
 * ```
 * The tag authenticates header body and rest; the last 32 bytes of the header body are the commit key, where there is
 * one. Of the keys only the first bytes count: a whole hash is written.
 */
import { setKey } from './aes';
import { seal } from './gcm';
import { expand, extract } from './hkdf';

const COMMIT_KEY_LENGTH: usize = 32;

// In the input.
const IV: usize = 16;
const DATA_KEY: usize = 28;

// In the output.
const COMMIT_KEY: usize = 64;
const TAG: usize = 128;

/**
 * Writes the three outputs. `hash` is named by its bits, all lengths are bytes; `commitInfoLength` is -1 for a header
 * without a commit key, and otherwise the commit key is written to its place in the header body, too.
 */
export function sealHeader(
  hash: i32,
  input: usize,
  dataKeyLength: usize,
  saltLength: usize,
  infoLength: usize,
  commitInfoLength: i32,
  headerLength: usize,
  restLength: usize,
  keyLength: i32,
  output: usize,
): void {
  const header = derive(
    hash,
    input + DATA_KEY,
    dataKeyLength,
    saltLength,
    infoLength,
    commitInfoLength,
    output,
  );
  if (commitInfoLength >= 0) {
    memory.copy(header + headerLength - COMMIT_KEY_LENGTH, output + COMMIT_KEY, COMMIT_KEY_LENGTH);
  }
  setKey(output, keyLength);
  seal(input + IV, header, headerLength + restLength, input, 0, output + TAG);
}

/**
 * The same for a header that has been received: returns 1 when its commit key and its tag are those of the output. Both
 * are computed and compared in any case, and there is one verdict about both.
 */
export function openHeader(
  hash: i32,
  input: usize,
  dataKeyLength: usize,
  saltLength: usize,
  infoLength: usize,
  commitInfoLength: i32,
  headerLength: usize,
  restLength: usize,
  keyLength: i32,
  output: usize,
): i32 {
  const header = derive(
    hash,
    input + DATA_KEY,
    dataKeyLength,
    saltLength,
    infoLength,
    commitInfoLength,
    output,
  );
  setKey(output, keyLength);
  seal(input + IV, header, headerLength + restLength, input, 0, output + TAG);
  let wrong = v128.xor(v128.load(output, TAG), v128.load(input));
  if (commitInfoLength >= 0) {
    const sent = header + headerLength - COMMIT_KEY_LENGTH;
    const own = output + COMMIT_KEY;
    wrong = v128.or(wrong, v128.xor(v128.load(own), v128.load(sent)));
    wrong = v128.or(wrong, v128.xor(v128.load(own, 16), v128.load(sent, 16)));
  }
  return <i32>!v128.any_true(wrong);
}

// Writes both keys to the output. Returns where the input goes on behind what they come from.
function derive(
  hash: i32,
  dataKey: usize,
  dataKeyLength: usize,
  saltLength: usize,
  infoLength: usize,
  commitInfoLength: i32,
  output: usize,
): usize {
  const salt = dataKey + dataKeyLength;
  const info = salt + saltLength;
  const commitInfo = info + infoLength;
  extract(hash, salt, saltLength, dataKey, dataKeyLength);
  expand(hash, info, infoLength, output);
  if (commitInfoLength < 0) return commitInfo;
  expand(hash, commitInfo, <usize>commitInfoLength, output + COMMIT_KEY);
  return commitInfo + <usize>commitInfoLength;
}
