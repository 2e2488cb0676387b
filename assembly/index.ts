/**
 * The kernel's exports: the header and the framed body of messages, AES-GCM, HKDF and SHA-2, constant-time by
 * construction: no branch and no address depends on a secret. One instance serves one message at a time; the host owns
 * the memory.
 */
export { setKey } from './aes';
export {
  MAX_FRAMES,
  nextCounters,
  nextMasks,
  openJob,
  sealJob,
  setHashKey,
  setMessageId,
  startJob,
  takeKeystream,
  takeMasks,
} from './frame';
export { open, seal } from './gcm';
export { openHeader, sealHeader } from './header';
export { expand, extract } from './hkdf';
export { wipe } from './memory';
export {
  CONTEXT as HASH_CONTEXT,
  final as hashFinal,
  init as hashInit,
  update as hashUpdate,
} from './sha2';

/** Raised when a function or an offset changes its meaning: the host refuses another. */
export const ABI_VERSION: i32 = 3;
/** Offsets and sizes that the host needs. */
export { ARGUMENTS, DATA, KEYSTREAM, KEYSTREAM_CHUNK, KEYSTREAM_LENGTH } from './memory';
