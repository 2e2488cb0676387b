/**
 * The errors of the local KMS: the names, texts and HTTP statuses of AWS KMS.
 *
 * Source: AWS KMS API Reference, "Errors" of each action and "Common Errors". The texts are those that
 * the service answers with, where a recording of it is public; the others say what went wrong in plain
 * words. A client should match on the name, never on the text.
 */

/** An error as AWS KMS would answer it: `name` becomes `__type`, `message` the message. */
export class KmsError extends Error {
  /** The HTTP status of the answer. */
  readonly status: number;

  constructor(name: string, message = '', status: number = statusOf(name)) {
    super(message);
    this.name = name;
    this.status = status;
  }
}

/** Every client fault is 400; only three errors of the service are its own fault. */
function statusOf(name: string): number {
  if (name === 'KMSInternalException' || name === 'KeyUnavailableException') return 500;
  return name === 'DependencyTimeoutException' ? 503 : 400;
}

export const invalidRegionOfArn = (region: string): KmsError =>
  new KmsError('NotFoundException', `Invalid arn ${region}`);

export const invalidKeyId = (text: string): KmsError =>
  new KmsError('NotFoundException', `Invalid keyId '${text}'`);

export const noSuchKey = (arn: string): KmsError =>
  new KmsError('NotFoundException', `Key '${arn}' does not exist`);

export const noSuchAlias = (arn: string): KmsError =>
  new KmsError('NotFoundException', `Alias ${arn} is not found.`);

/** Decrypt without a KeyId, of a blob whose key is unknown in this region. One text for every reason. */
export const ciphertextKeyInaccessible = (): KmsError =>
  new KmsError(
    'AccessDeniedException',
    'The ciphertext refers to a customer master key that does not exist, does not exist in this region, ' +
      'or you are not allowed to access.',
  );

export const incorrectKey = (): KmsError =>
  new KmsError(
    'IncorrectKeyException',
    'The key ID in the request does not identify a CMK that can perform this operation.',
  );

/** Wrong context, corrupt bytes, a blob of another server: no difference shows, and the text is empty. */
export const invalidCiphertext = (): KmsError => new KmsError('InvalidCiphertextException');

export const keyDisabled = (arn: string): KmsError =>
  new KmsError('DisabledException', `${arn} is disabled.`);

export const invalidState = (arn: string, state: string): KmsError =>
  new KmsError('KMSInvalidStateException', `${arn} is ${state}.`);

export const invalidUsage = (arn: string, usage: string, operation: string): KmsError =>
  new KmsError(
    'InvalidKeyUsageException',
    `${arn} key usage is ${usage} which is not valid for ${operation}.`,
  );

export const incompatibleAlgorithm = (algorithm: string): KmsError =>
  new KmsError(
    'InvalidKeyUsageException',
    `Algorithm ${algorithm} is incompatible with key spec SYMMETRIC_DEFAULT.`,
  );

/** `why` begins with a blank: how the caller comes to have no permission. */
export const accessDenied = (caller: string, action: string, on: string, why: string): KmsError =>
  new KmsError(
    'AccessDeniedException',
    `User: ${caller} is not authorized to perform: kms:${action} on ${on}${why}`,
  );

export const expiredToken = (): KmsError =>
  new KmsError('ExpiredTokenException', 'The security token included in the request is expired');

export const invalidGrantToken = (): KmsError =>
  new KmsError('InvalidGrantTokenException', 'The grant token is not valid.');

export const noSuchGrant = (id: string): KmsError =>
  new KmsError('NotFoundException', `Grant ID ${id} not found`);

export const noSuchPolicy = (): KmsError => new KmsError('NotFoundException', 'No such policy exists');

export const malformedPolicy = (message: string): KmsError =>
  new KmsError('MalformedPolicyDocumentException', message);

export const rotationLimitReached = (arn: string): KmsError =>
  new KmsError(
    'LimitExceededException',
    'The on-demand rotations limit has been reached for the given keyId. No more on-demand rotations can be ' +
      `performed for this key: ${arn}`,
  );

export const notPrimary = (arn: string): KmsError => unsupported(`${arn} is not a multi-region primary key.`);

export const wrongOrigin = (arn: string): KmsError =>
  unsupported(`${arn} origin is EXTERNAL which is not valid for this operation.`);

export const dryRunSucceeded = (): KmsError =>
  new KmsError('DryRunOperationException', 'The request would have succeeded, but the DryRun option is set.');

export const alreadyExists = (what: string): KmsError =>
  new KmsError('AlreadyExistsException', `${what} already exists`);

export const unsupported = (message = ''): KmsError => new KmsError('UnsupportedOperationException', message);

export const unknownOperation = (): KmsError => new KmsError('UnknownOperationException');

export const malformed = (message: string): KmsError => new KmsError('SerializationException', message);

export const validation = (message: string): KmsError => new KmsError('ValidationException', message);

/**
 * A value outside its model. `member` is the name in the request, `value` what came: `undefined` for
 * blobs, which are never repeated in a message, and `null` for a missing member.
 */
export function constraint(member: string, value: string | null | undefined, rule: string): KmsError {
  const shown = value === undefined ? '' : value === null ? ' null' : ` '${value}'`;
  const camelCase = member.charAt(0).toLowerCase() + member.slice(1);
  return validation(
    `1 validation error detected: Value${shown} at '${camelCase}' failed to satisfy constraint: Member must ${rule}`,
  );
}
