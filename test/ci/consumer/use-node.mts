// The same for what is for Node alone: with Node's types.
import { rawAesKeyring } from 'frameseal';
import { startLocalKms } from 'frameseal/local-kms';
import { type EncryptFileResult, encryptFile } from 'frameseal/node';

const keyring = rawAesKeyring({ keyNamespace: 'n', keyName: 'k', wrappingKey: new Uint8Array(32) });
export const local: ReturnType<typeof startLocalKms> = startLocalKms({ regions: ['us-east-1'] });
export const file: Promise<EncryptFileResult> = encryptFile('a', 'b', { keyring });
