// What a user of the packed package does first.
import { strictEqual } from 'node:assert';
import { decrypt, encrypt, rawAesKeyring, warmUp } from 'frameseal';
import { awsKmsKeyring } from 'frameseal/aws-kms';
import { createPinnedDataKey, openPinnedDataKey } from 'frameseal/deterministic';
import { startLocalKms } from 'frameseal/local-kms';

const keyring = rawAesKeyring({ keyNamespace: 'n', keyName: 'k', wrappingKey: new Uint8Array(32).fill(1) });
const { ciphertext } = await encrypt(new TextEncoder().encode('hello'), { keyring, engine: 'wasm' });
const { plaintext } = await decrypt(ciphertext, { keyring, engine: 'native' });
strictEqual(new TextDecoder().decode(plaintext), 'hello');
strictEqual((await warmUp()).kernel.state, 'ready');

const key = await openPinnedDataKey(await createPinnedDataKey({ keyring }), { keyring });
const field = { field: 'users.email' };
const [stored, again] = [await key.encrypt(plaintext, field), await key.encrypt(plaintext, field)];
strictEqual(Buffer.compare(stored, again), 0);
strictEqual(Buffer.compare(await key.decrypt(stored, field), plaintext), 0);

const kms = await startLocalKms({ regions: ['us-east-1'] });
const { arn } = await kms.createKey({ region: 'us-east-1' });
const remote = awsKmsKeyring({ generatorKeyId: arn, clientSupplier: kms.clientSupplier });
const sealed = await encrypt(plaintext, { keyring: remote });
strictEqual(Buffer.compare((await decrypt(sealed.ciphertext, { keyring: remote })).plaintext, plaintext), 0);
await kms.close();
