/**
 * `frameseal/node`: files and Node streams.
 *
 * Files appear whole or not at all, whatever happens meanwhile: see docs/files.md.
 */
export {
  type AddWrappingKeysToFileOptions,
  type AddWrappingKeysToFileResult,
  addWrappingKeysToFile,
} from './add-wrapping-keys-to-file.ts';
export type { TargetOptions } from './atomic-file.ts';
export { type DecryptFileOptions, type DecryptFileResult, decryptFile } from './decrypt-file.ts';
export { type EncryptFileOptions, type EncryptFileResult, encryptFile } from './encrypt-file.ts';
export { type FileSource, fileSource } from './file-source.ts';
export { fileTarget } from './file-target.ts';
export { type FolderMessagesOptions, folderMessages } from './folder-messages.ts';
export { inspectSidecar, type SidecarView } from './inspect-sidecar.ts';
export { decryptDuplex, encryptDuplex, type MessageDuplex } from './message-duplex.ts';
export { type RewrapFileOptions, type RewrapFileResult, rewrapFile } from './rewrap-file.ts';
export { type FileJournal, fileJournal } from './rotation-journal.ts';
export type { FileResult } from './transform-file.ts';
