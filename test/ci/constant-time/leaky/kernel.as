/**
 * The kernel with a leak planted in it, which the gate must find: one of those below, or none.
 *
 * AssemblyScript, under another name so that the TypeScript compiler passes over it: build.mjs puts it next to a copy of
 * `assembly/`.
 */
import {
  DATA,
  expand,
  extract,
  open as openRight,
  openHeader as openHeaderRight,
  seal as sealRight,
  setKey as setKeyRight,
} from '../assembly/index';

// What is exported here by name takes precedence.
export * from '../assembly/index';

let leak: i32 = 0;
let sink: u32 = 0;

/** Chooses the leak. */
export function plant(which: i32): void {
  leak = which;
}

/** What the leaks make of secrets, so that no compiler leaves them out. */
export function sunk(): u32 {
  return sink;
}

const LOOK_UP: i32 = 1;
const EARLY_EXIT: i32 = 2;
const BRANCH: i32 = 3;
const SELECT: i32 = 4;
const DIVISION: i32 = 5;
const VERDICT: i32 = 6;
const LENGTH: i32 = 7;
const REMAINDER: i32 = 8;
const EARLY_COMMITMENT: i32 = 9;

// 256 entries, as the S-box has.
const TABLE = memory.data(256);

export function setKey(key: usize, length: i32): void {
  const first: u32 = load<u8>(key);
  // A table look-up at a secret place.
  if (leak === LOOK_UP) sink = load<u8>(TABLE + first);
  // A branch on one bit of the key.
  if (leak === BRANCH && (first & 1) !== 0) setKeyRight(key, length);
  // A choice by one byte of the key.
  if (leak === SELECT) sink = select<u32>(length, 3, first > 127);
  // A division of a byte of the key.
  if (leak === DIVISION) sink = first / <u32>length;
  // A comparison that is not of tags.
  if (leak === VERDICT) sink += <u32>v128.any_true(v128.load(key));
  // As many bytes as a byte of the key says.
  if (leak === LENGTH) memory.fill(DATA, 0, first);
  // A secret where wiping does not reach.
  if (leak === REMAINDER) sink = first;
  setKeyRight(key, length);
}

/** With EARLY_EXIT, two tags are compared byte by byte until they differ. */
export function open(iv: usize, aad: usize, aadLength: usize, data: usize, length: usize, tag: usize): i32 {
  if (leak !== EARLY_EXIT) return openRight(iv, aad, aadLength, data, length, tag);
  // Sealing twice gives the ciphertext again, and its tag.
  const own = tag + 16;
  sealRight(iv, aad, aadLength, data, length, own);
  sealRight(iv, aad, aadLength, data, length, own);
  for (let i: usize = 0; i < 16; i++) {
    if (load<u8>(own + i) !== load<u8>(tag + i)) return 0;
  }
  sealRight(iv, aad, aadLength, data, length, own);
  return 1;
}

/** With EARLY_COMMITMENT, two commit keys are compared byte by byte until they differ, and no tag is made then. */
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
  if (leak === EARLY_COMMITMENT && commitInfoLength >= 0) {
    const key = input + 28;
    const salt = key + dataKeyLength;
    const commitInfo = salt + saltLength + infoLength;
    const sent = commitInfo + <usize>commitInfoLength + headerLength - 32;
    extract(hash, salt, saltLength, key, dataKeyLength);
    expand(hash, commitInfo, <usize>commitInfoLength, output);
    for (let i: usize = 0; i < 32; i++) {
      if (load<u8>(output + i) !== load<u8>(sent + i)) return 0;
    }
  }
  return openHeaderRight(
    hash,
    input,
    dataKeyLength,
    saltLength,
    infoLength,
    commitInfoLength,
    headerLength,
    restLength,
    keyLength,
    output,
  );
}
