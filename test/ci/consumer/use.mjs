// What a user of the packed package does first.
import { strictEqual } from 'node:assert';
import { decrypt, encrypt, rawAesKeyring, warmUp } from 'frameseal';
import { awsKmsKeyring } from 'frameseal/aws-kms';
import { startLocalKms } from 'frameseal/local-kms';

const keyring = rawAesKeyring({ keyNamespace: 'n', keyName: 'k', wrappingKey: new Uint8Array(32).fill(1) });
const { ciphertext } = await encrypt(new TextEncoder().encode('hello'), { keyring, engine: 'wasm' });
const { plaintext } = await decrypt(ciphertext, { keyring, engine: 'native' });
strictEqual(new TextDecoder().decode(plaintext), 'hello');
strictEqual((await warmUp()).kernel.state, 'ready');

const kms = await startLocalKms({ regions: ['us-east-1'] });
const { arn } = await kms.createKey({ region: 'us-east-1' });
const remote = awsKmsKeyring({ generatorKeyId: arn, clientSupplier: kms.clientSupplier });
const sealed = await encrypt(plaintext, { keyring: remote });
strictEqual(Buffer.compare((await decrypt(sealed.ciphertext, { keyring: remote })).plaintext, plaintext), 0);
await kms.close();
