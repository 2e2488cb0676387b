/**
 * Starts local KMS servers from the build, runs the command given with what it needs to find them, ends with it.
 *
 * `quick` does everything at once; in `slow` every transient state lasts an hour, so that it can be looked at; in
 * `unseen` new keys are not found for as long.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { startLocalKms } from '../../../dist/local-kms/index.js';

const REGIONS = ['us-east-1', 'us-west-2', 'eu-west-1'];
const HOUR = 3_600_000;
const MODEL = fileURLToPath(new URL('model', import.meta.url));

const servers = {
  quick: await startLocalKms({ regions: REGIONS, accountId: '123456789012' }),
  slow: await startLocalKms({
    regions: REGIONS,
    accountId: '123456789012',
    replicaCreatingMs: HOUR,
    primaryUpdateMs: HOUR,
    rotationMs: HOUR,
    grantDelayMs: HOUR,
  }),
  unseen: await startLocalKms({ regions: REGIONS, visibilityDelayMs: HOUR }),
};

function describe(kms) {
  return {
    endpoint: kms.endpoint,
    account: kms.credentials,
    alice: kms.issueCredentials({ principal: 'user/alice' }),
    temporary: kms.issueCredentials({ lifetimeMs: HOUR }),
    expired: kms.issueCredentials({ lifetimeMs: 0 }),
    nobody: { ...kms.credentials, accessKeyId: 'AKIDNOBODY' },
    forged: { ...kms.credentials, secretAccessKey: 'not this one' },
  };
}

const [command, ...args] = process.argv.slice(2);
const config = Object.fromEntries(Object.entries(servers).map(([name, kms]) => [name, describe(kms)]));
const env = {
  PATH: process.env.PATH,
  AWS_DATA_PATH: MODEL,
  AWS_EC2_METADATA_DISABLED: 'true',
  PYTHONDONTWRITEBYTECODE: '1',
};
const child = spawn(command, [...args, JSON.stringify(config)], {
  env,
  stdio: ['ignore', 'inherit', 'inherit'],
});
process.exitCode = await new Promise((resolve, reject) => {
  child.once('error', reject).once('close', (code) => resolve(code ?? 1));
});
await Promise.all(Object.values(servers).map((kms) => kms.close()));
