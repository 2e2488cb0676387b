/**
 * AWS Signature Version 4 for requests to KMS: the only file that imports the signing library.
 *
 * Every header that is given is signed, and so is the host.
 */
import { AwsV4Signer } from 'aws4fetch';

/** What requests are signed with. */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Of temporary credentials. */
  readonly sessionToken?: string | undefined;
}

/** A request before it is signed. */
export interface SigningRequest {
  readonly method: 'POST';
  readonly url: string;
  /** Lower-case names. All of them are to be signed. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly region: string;
  readonly credentials: AwsCredentials;
}

/** Answers the headers to send: those of the request, and the signature's. */
export type RequestSigner = (
  request: SigningRequest,
) => Readonly<Record<string, string>> | Promise<Readonly<Record<string, string>>>;

/** The headers of the request with its signature. */
export async function signV4(request: SigningRequest): Promise<Record<string, string>> {
  const { method, url, headers, body, region, credentials } = request;
  const { accessKeyId, secretAccessKey, sessionToken } = credentials;
  const signer = new AwsV4Signer({
    method,
    url,
    headers: { ...headers },
    body,
    region,
    service: 'kms',
    allHeaders: true,
    accessKeyId,
    secretAccessKey,
    ...(sessionToken !== undefined && { sessionToken }),
  });
  const signed = await signer.sign();
  return Object.fromEntries(signed.headers);
}
