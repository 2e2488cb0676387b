/**
 * Where KMS calls go when it is not AWS: an endpoint that the environment or the AWS configuration file names. It is
 * said, so that nobody takes a stand-in for KMS by mistake.
 *
 * Source: AWS SDKs and Tools Reference Guide, "Service-specific endpoints".
 */
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Io } from './io.ts';

/** `kms.REGION.SUFFIX`, `kms-fips.REGION.SUFFIX` and `*.kms.REGION.vpce.SUFFIX`, of AWS's partitions. */
const KMS_HOSTS =
  /^(?:kms(?:-fips)?\.[a-z0-9-]+|(?:[a-z0-9-]+\.)+kms(?:-fips)?\.[a-z0-9-]+\.vpce)\.(?:amazonaws\.(?:com|com\.cn|eu)|api\.aws|api\.amazonwebservices\.(?:com\.cn|eu)|c2s\.ic\.gov|sc2s\.sgov\.gov|csp\.hci\.ic\.gov|cloud\.adc-e\.uk)$/;

/** What is to be said before KMS is called; `undefined` if the calls go to AWS. */
export async function foreignEndpoint(env: Io['env']): Promise<string | undefined> {
  if (env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS?.toLowerCase() === 'true') return undefined;
  const variable = ['AWS_ENDPOINT_URL_KMS', 'AWS_ENDPOINT_URL'].find((name) => env[name]);
  if (variable !== undefined) {
    const url = env[variable]!;
    return isAws(url) ? undefined : `KMS calls go to ${shown(url)} (${variable}), which is not AWS`;
  }
  const file = env.AWS_CONFIG_FILE || join(homedir(), '.aws', 'config');
  const urls = (await endpointsIn(file)).filter((url) => !isAws(url));
  return urls.length === 0
    ? undefined
    : `KMS calls may go to ${urls.map(shown).join(' or ')} (${file}), which is not AWS`;
}

// Of all profiles and services: better one too many than one too few.
async function endpointsIn(file: string): Promise<string[]> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return [...text.matchAll(/^[ \t]*endpoint_url[ \t]*=[ \t]*(\S+)/gm)].map(([, url]) => url!);
}

function isAws(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname } = new URL(url);
  return protocol === 'https:' && KMS_HOSTS.test(hostname);
}

// Without user, password, path and query, which may hold secrets.
function shown(url: string): string {
  const { protocol, host } = URL.canParse(url) ? new URL(url) : { protocol: '', host: '' };
  return /^https?:$/.test(protocol) ? `${protocol}//${host}` : 'an address that is no URL of http or https';
}
