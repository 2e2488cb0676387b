/**
 * `frameseal/local-kms`: a KMS on 127.0.0.1 that speaks the wire protocol of AWS KMS, for tests, the quick
 * start and offline work. The real `@aws-sdk/client-kms` talks to it, signatures and retries included.
 *
 * It is no security boundary: its credentials are public and its keys lie in memory or in a plain file.
 *
 * Sources: AWS KMS API Reference (operations, errors), AWS KMS Developer Guide (key states, key identifiers,
 * multi-Region keys, rotation, grants), AWS IAM User Guide (Signature Version 4, policies). It imports nothing of the rest of the package.
 */
export type { ClientOptions } from './clients.ts';
export type { IssueCredentialsOptions, IssuedCredentials, LocalKmsCredentials } from './credentials.ts';
export type { EncryptionContext } from './encryption-context.ts';
export type { Fault, FaultKind } from './faults.ts';
export { startLocalKms } from './local-kms.ts';
export type {
  CreateKeyOptions,
  LocalKms,
  LocalKmsEnv,
  LocalKmsOptions,
} from './options.ts';
export type { KmsRequestRecord } from './request-log.ts';
