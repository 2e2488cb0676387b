/**
 * Where KMS is: the host of a region, by the partition that the region belongs to.
 *
 * Source: AWS General Reference, "AWS Key Management Service endpoints and quotas"; the partitions of the AWS SDKs.
 */
import { invalidArgument, quote } from '../../errors.ts';

/** The endpoint of a region. @param region a region name that has been checked. */
export function regionEndpoint(region: string): string {
  const [, suffix] = SUFFIXES.find(([prefix]) => region.startsWith(prefix))!;
  return `https://kms.${region}.${suffix}`;
}

/**
 * A caller's endpoint, as the URL that is called. Plain HTTP shows data keys to whoever listens, so it is for this machine
 * alone.
 * @throws FramesealError `INVALID_ARGUMENT`
 */
export function checkEndpoint(endpoint: string | URL): string {
  const url = parsed(String(endpoint));
  const isLocal = url?.protocol === 'http:' && LOOPBACK.has(url.hostname);
  const isPlain =
    url?.pathname === '/' && url.search === '' && url.hash === '' && url.username + url.password === '';
  if (url === undefined || !isPlain || (url.protocol !== 'https:' && !isLocal)) {
    throw invalidArgument(
      'endpoint',
      'https:// and a host, or http:// and a host that is this machine',
      quote(String(endpoint)),
    );
  }
  return url.href;
}

// `URL.canParse` is younger than some browsers.
function parsed(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}

/** First letters of a region, and the DNS suffix of its partition. */
const SUFFIXES: readonly (readonly [string, string])[] = [
  ['cn-', 'amazonaws.com.cn'],
  ['eusc-', 'amazonaws.eu'],
  ['us-iso-', 'c2s.ic.gov'],
  ['us-isob-', 'sc2s.sgov.gov'],
  ['eu-isoe-', 'cloud.adc-e.uk'],
  ['us-isof-', 'csp.hci.ic.gov'],
  ['eu-isof-', 'csp.hci.ic.gov'],
  ['', 'amazonaws.com'],
];
const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);
