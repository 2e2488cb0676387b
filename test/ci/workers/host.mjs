/** A bundled example in workerd, with the configuration of its wrangler.jsonc, and the local KMS that it asks. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installed } from './app.mjs';
import { Log, LogLevel, Miniflare, workerOptions } from './tools.mjs';

export const REGIONS = ['us-east-1', 'eu-west-1'];

/**
 * Starts it.
 * @param settings what differs from the configuration: `compatibilityFlags`, `bindings`, ...; `out`, another bundle than the example's.
 */
export async function startWorker(app, example, { bindings, out = 'out', ...settings }) {
  const folder = join(app, example);
  const { workerOptions: options } = workerOptions(join(folder, 'wrangler.jsonc'));
  const log = [];
  const miniflare = new Miniflare({
    ...options,
    modules: modulesOf(join(folder, out)),
    bindings: { ...options.bindings, ...bindings },
    cf: false,
    log: new Log(LogLevel.NONE),
    handleRuntimeStdio(stdout, stderr) {
      for (const stream of [stdout, stderr]) stream.on('data', (data) => log.push(String(data)));
    },
    ...settings,
  });
  return { miniflare, url: await miniflare.ready, log, stop: () => miniflare.dispose() };
}

/** A KMS with a key in each region, what a Worker needs to use it, and keyrings over it in Node. */
export async function startKms(app) {
  const { startLocalKms } = await installed(app, 'local-kms/index.js');
  const { awsKmsKeyring, fetchKmsClient } = await installed(app, 'keyring/aws-kms/fetch.js');
  const kms = await startLocalKms({ regions: REGIONS, maxRequests: 1_000_000 });
  const createKeys = () => Promise.all(REGIONS.map(async (region) => (await kms.createKey({ region })).arn));
  const { accessKeyId, secretAccessKey } = kms.credentials;
  const bindings = {
    KMS_ENDPOINT: kms.endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  };
  const clientSupplier = (region) =>
    fetchKmsClient({ region, endpoint: kms.endpoint, credentials: kms.credentials });
  /** Encrypts under all, and decrypts under any of them. */
  const keyringOf = ([generatorKeyId, ...keyIds]) =>
    awsKmsKeyring({ generatorKeyId, keyIds, clientSupplier });
  return { kms, bindings, createKeys, keyringOf };
}

function modulesOf(out) {
  const files = readdirSync(out).map((path) => ({ path, contents: readFileSync(join(out, path)) }));
  const ending = (name, type) =>
    files.filter(({ path }) => path.endsWith(name)).map((file) => ({ type, ...file }));
  return [...ending('.js', 'ESModule'), ...ending('.wasm', 'CompiledWasm')];
}
