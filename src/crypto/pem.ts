/**
 * PEM, RFC 7468: the outer shape of the RSA keys that callers pass.
 */
import { type Bytes, base64Bytes } from '../bytes.ts';
import { invalidArgument } from '../errors.ts';

/** The two kinds that are accepted: SubjectPublicKeyInfo and unencrypted PKCS#8. */
export type PemLabel = 'PUBLIC KEY' | 'PRIVATE KEY';

/**
 * The DER inside a PEM text with this label.
 * @throws FramesealError `INVALID_ARGUMENT` for any other label or shape.
 */
export function pemBytes(text: string, label: PemLabel, argument: string): Bytes {
  const match = /^\s*-----BEGIN ([A-Z0-9 ]+)-----([A-Za-z0-9+/=\s]+)-----END ([A-Z0-9 ]+)-----\s*$/.exec(
    text,
  );
  const der =
    match?.[1] === label && match[3] === label ? base64Bytes(match[2]!.replace(/\s/g, '')) : undefined;
  if (der === undefined) {
    const found = match?.[1] ?? 'something else';
    throw invalidArgument(argument, `PEM text "-----BEGIN ${label}-----"`, found);
  }
  return der;
}
