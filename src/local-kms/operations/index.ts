/**
 * The table of operations: `TrentService.<name>` of the request to what does it.
 *
 * To add one: a function in this folder, a row here. Unknown names are an UnknownOperationException.
 */
import { dryRunSucceeded, unknownOperation } from '../errors.ts';
import { createAlias, deleteAlias, listAliases, listKeys, updateAlias } from './aliases.ts';
import {
  decrypt,
  encrypt,
  generateDataKey,
  generateDataKeyWithoutPlaintext,
  generateRandom,
  reEncrypt,
} from './cryptographic.ts';
import {
  cancelKeyDeletion,
  createKey,
  describeKey,
  disableKey,
  enableKey,
  replicateKey,
  scheduleKeyDeletion,
} from './keys.ts';
import type { Call, Operation, Reply } from './operation.ts';

const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ['CancelKeyDeletion', cancelKeyDeletion],
  ['CreateAlias', createAlias],
  ['CreateKey', createKey],
  ['Decrypt', decrypt],
  ['DeleteAlias', deleteAlias],
  ['DescribeKey', describeKey],
  ['DisableKey', disableKey],
  ['EnableKey', enableKey],
  ['Encrypt', encrypt],
  ['GenerateDataKey', generateDataKey],
  ['GenerateDataKeyWithoutPlaintext', generateDataKeyWithoutPlaintext],
  ['GenerateRandom', generateRandom],
  ['ListAliases', listAliases],
  ['ListKeys', listKeys],
  ['ReEncrypt', reEncrypt],
  ['ReplicateKey', replicateKey],
  ['ScheduleKeyDeletion', scheduleKeyDeletion],
  ['UpdateAlias', updateAlias],
]);

/** The model knows DryRun only for these; elsewhere the service ignores the member. */
const DRY_RUN: ReadonlySet<string> = new Set([
  'Decrypt',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'ReEncrypt',
]);

/** Grant tokens are counted, not interpreted: there are no grants here. */
const MAX_GRANT_TOKENS = 10;

/** Performs a request. Every failure is a `KmsError`. */
export function perform(call: Call): Reply {
  const operation = OPERATIONS.get(call.operation);
  if (operation === undefined) throw unknownOperation();
  call.input.texts('GrantTokens', MAX_GRANT_TOKENS);
  const reply = operation(call);
  if (DRY_RUN.has(call.operation) && call.input.flag('DryRun')) throw dryRunSucceeded();
  return reply;
}
