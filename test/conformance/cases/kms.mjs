/**
 * KMS keyrings against a KMS over HTTP: over fetch everywhere, over the AWS SDK where it is given.
 */
import { fetchClients, kmsKeyring } from '../keys.mjs';
import { bytes, equal, refused, same } from '../support.mjs';

const CONTEXT = { tenant: 'acme', schlüssel: 'ä' };
const NOWHERE = 'http://127.0.0.1:9';

export function cases(library, environment) {
  const { awsKms, awsKmsFetch, decrypt, encrypt } = library;
  const { kms } = environment;
  const clientSupplier = fetchClients(awsKmsFetch, kms);
  const [generatorKeyId, ...keyIds] = kms.arns;
  const write = async (keyring, algorithmSuite = 0x0578) =>
    (await encrypt(bytes(400), { keyring, encryptionContext: CONTEXT, algorithmSuite })).ciphertext;
  const reads = async (keyring, message) => same((await decrypt(message, { keyring })).plaintext, bytes(400));

  async function eachKey() {
    const message = await write(kmsKeyring(library, environment));
    for (const arn of kms.arns)
      await reads(awsKmsFetch.awsKmsKeyring({ keyIds: [arn], clientSupplier }), message);
  }

  async function discovery() {
    const options = { regions: kms.regions, discoveryFilter: 'any-account', clientSupplier };
    await reads(awsKmsFetch.awsKmsDiscoveryKeyring(options), await write(kmsKeyring(library, environment)));
  }

  async function mrk() {
    const { primary, replica } = kms;
    const message = await write(awsKmsFetch.awsKmsMrkKeyring({ generatorKeyId: primary, clientSupplier }));
    await reads(awsKmsFetch.awsKmsMrkKeyring({ keyIds: [replica], clientSupplier }), message);
  }

  async function otherContext() {
    const keyring = kmsKeyring(library, environment);
    const message = await write(keyring);
    const encryptionContext = { ...CONTEXT, tenant: 'other' };
    return refused(library, ['CONTEXT_MISMATCH'], () => decrypt(message, { keyring, encryptionContext }));
  }

  async function unreachable() {
    const nowhere = fetchClients(awsKmsFetch, { ...kms, endpoint: NOWHERE });
    const keyring = awsKmsFetch.awsKmsKeyring({ generatorKeyId, clientSupplier: nowhere });
    return refused(library, ['KMS_FAILED'], () => write(keyring));
  }

  async function denied() {
    const calls = [];
    const keyring = awsKmsFetch.awsKmsKeyring({
      generatorKeyId: generatorKeyId.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
      clientSupplier,
      onKmsCall: (call) => calls.push(call),
    });
    const code = await refused(library, ['KMS_FAILED'], () => write(keyring));
    equal(calls.map(({ operation }) => operation).join(), 'GenerateDataKey', 'calls');
    return code;
  }

  async function sdk() {
    const keyring = awsKms.awsKmsKeyring({ generatorKeyId, keyIds });
    const message = await write(keyring);
    await reads(keyring, message);
    await reads(kmsKeyring(library, environment), message);
    await reads(keyring, await write(kmsKeyring(library, environment)));
  }

  return [
    { name: 'fetch: two regions, each key alone', run: eachKey },
    { name: 'fetch: discovery', run: discovery },
    { name: 'fetch: multi-Region key, read in the other region', run: mrk },
    { name: 'fetch: another context', run: otherContext },
    { name: 'fetch: nobody answers', run: unreachable },
    { name: 'fetch: a key that KMS does not know', run: denied },
    ...(awsKms ? [{ name: 'AWS SDK: default clients, both ways with fetch', run: sdk }] : []),
  ];
}
