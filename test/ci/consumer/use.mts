// Compiles against the packed declarations, which are themselves checked: without Node's types, as for a browser.
import { KMSClient } from '@aws-sdk/client-kms';
import {
  algorithmSuite,
  type EncryptOptions,
  encrypt,
  FramesealError,
  type Keyring,
  rawAesKeyring,
} from 'frameseal';
import { awsKmsKeyring } from 'frameseal/aws-kms';
import { fetchKmsClient } from 'frameseal/aws-kms/fetch';
import { createPinnedDataKey, openPinnedDataKey, type PinnedDataKey } from 'frameseal/deterministic';

const keyring: Keyring = rawAesKeyring({ keyNamespace: 'n', keyName: 'k', wrappingKey: new Uint8Array(32) });
const signal: AbortSignal | undefined = undefined;
const options: EncryptOptions = { keyring, signal, encryptionContext: { a: 'b' } };
export const ciphertext: Promise<Uint8Array<ArrayBuffer>> = encrypt(new Uint8Array(3), options).then(
  (result) => result.ciphertext,
);
export const kms: Keyring = awsKmsKeyring({
  generatorKeyId: 'alias/a',
  clientSupplier: (region) => new KMSClient({ ...(region && { region }) }),
});
export const fetching: Keyring = awsKmsKeyring({
  generatorKeyId: 'alias/a',
  clientSupplier: (region = 'us-east-1') =>
    fetchKmsClient({ region, credentials: { accessKeyId: 'a', secretAccessKey: 'b' } }),
});
export const pinned: Promise<PinnedDataKey> = createPinnedDataKey({ keyring }).then((message) =>
  openPinnedDataKey(message, { keyring }),
);
export const { code } = new FramesealError('IO', 'a file');
export const keyLength: number = algorithmSuite(0x0478).keyLength;
