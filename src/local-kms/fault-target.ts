/** Which key a request is about: for the log, and for faults that hit or change one key only. */
import type { FaultTarget } from './fault-board.ts';
import type { Input } from './input.ts';
import { resolveKey } from './key-id.ts';
import type { KmsKey } from './kms-key.ts';
import type { KmsState } from './operations/operation.ts';

/** The key id in a request, as the client wrote it. */
export function namedKey(input: Input): string | undefined {
  return input.text('KeyId') ?? input.text('DestinationKeyId') ?? input.text('TargetKeyId');
}

/** `input` is missing if the body could not be parsed; then no fault with a `keyId` hits. */
export function faultTarget(
  kms: KmsState,
  region: string,
  operation: string,
  input: Input | undefined,
): FaultTarget {
  return {
    operation,
    isKey: (keyId) =>
      input !== undefined && arnOf(kms, region, keyId) === arnOf(kms, region, requestedKey(kms, input)),
  };
}

/** The key that a request names, or its blob. */
export function targetKey(kms: KmsState, region: string, input: Input | undefined): KmsKey | undefined {
  const keyId = input && requestedKey(kms, input);
  return keyId === undefined ? undefined : existingKey(kms, region, keyId);
}

function requestedKey(kms: KmsState, input: Input): string | undefined {
  const blob = input.text('CiphertextBlob');
  const identity = blob === undefined ? undefined : kms.blobs.identify(Buffer.from(blob, 'base64'));
  return namedKey(input) ?? identity?.keyId;
}

/** The key ARN that a key id of any form stands for; the text itself if it stands for nothing. */
function arnOf(kms: KmsState, region: string, keyId: string | undefined): string | undefined {
  return keyId === undefined ? undefined : (existingKey(kms, region, keyId)?.arn ?? keyId);
}

function existingKey(kms: KmsState, region: string, keyId: string): KmsKey | undefined {
  try {
    return resolveKey(kms.store, region, keyId);
  } catch {
    return undefined;
  }
}
