/** Which key a request is about: for the log, and for faults that hit one key only. */
import type { FaultTarget } from './faults.ts';
import type { Input } from './input.ts';
import { resolveKey } from './key-id.ts';
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
    isKey: (keyId) => input !== undefined && arnOf(kms, region, keyId) === requestedArn(kms, region, input),
  };
}

function requestedArn(kms: KmsState, region: string, input: Input): string | undefined {
  const text = namedKey(input);
  if (text !== undefined) return arnOf(kms, region, text);
  const blob = input.text('CiphertextBlob');
  const identity = blob === undefined ? undefined : kms.blobs.identify(Buffer.from(blob, 'base64'));
  return identity && arnOf(kms, region, identity.keyId);
}

/** The key ARN that a key id of any form stands for; the text itself if it stands for nothing. */
function arnOf(kms: KmsState, region: string, keyId: string): string {
  try {
    return resolveKey(kms.store, region, keyId).arn;
  } catch {
    return keyId;
  }
}
