// @ts-check
/**
 * KMS keys of a local KMS as keyrings of both libraries, each over an SDK client of its own, with the calls that they make.
 */
import {
  buildAwsKmsMrkAwareDiscoveryMultiKeyringNode,
  buildAwsKmsMrkAwareStrictMultiKeyringNode,
  KMS,
  KmsKeyringNode,
  limitRegions,
} from '@aws-crypto/client-node';
import { multiKeys } from './keys.mjs';
import { aes256, awsKms, awsKmsFetch, frameseal, localKms } from './setup.mjs';

/** @typedef {import('./keys.mjs').KeyPair} KeyPair */
/** @typedef {import('../../dist/local-kms/index.js').LocalKms} LocalKms */
/**
 * @template {import('../../dist/keyring/aws-kms/index.js').KmsClient} Client
 * @typedef {import('../../dist/keyring/aws-kms/index.js').ClientSupplier<Client>} ClientSupplier
 */
/** @typedef {import('../../dist/keyring/aws-kms/index.js').KmsApi} KmsApi */
/** @typedef {import('@aws-crypto/client-node').KmsKeyringNodeInput} PeerInput */
/** @typedef {NonNullable<PeerInput['clientProvider']>} PeerClientProvider */

/**
 * Calls are texts: `Decrypt ARN`, and the error's name behind it unless it succeeds.
 * @typedef {object} Calls
 * @property {readonly string[]} write GenerateDataKey, if any, comes first; the others in any order
 * @property {readonly string[]} frameseal when it reads, in this order
 * @property {readonly string[]} peer when it reads, in this order
 */

/** @typedef {Omit<KeyPair, 'members'> & { members: readonly KmsKeyPair[], calls: Calls }} KmsKeyPair */

/**
 * A set of keys that writes, keyrings that open its messages, and such that must not.
 * @typedef {object} KmsSet
 * @property {KmsKeyPair} key
 * @property {readonly KmsKeyPair[]} refused
 */

/** @typedef {Awaited<ReturnType<typeof startKms>>} RunningKms */

export const ACCOUNT = '111122223333';
export const OTHER_ACCOUNT = '444455556666';
const US = 'us-east-1';
const EU = 'eu-west-1';
const AP = 'ap-northeast-1';
export const REGIONS = [US, EU, AP];

/** What the local KMS adds to a data key, whatever the key: about as much as AWS KMS. */
const BLOB_OVERHEAD = 152;

/** A local KMS with three single-Region keys and a multi-Region key that has one replica. */
export async function startKms() {
  const kms = await localKms.startLocalKms({ regions: REGIONS, accountId: ACCOUNT });
  const clients = peerClients(kms);
  const key = async (/** @type {string} */ region, /** @type {string} */ alias) =>
    (await kms.createKey({ region, alias })).arn;
  const [us, eu, ap] = [await key(US, 'interop'), await key(EU, 'interop'), await key(AP, 'interop')];
  const { arn: primary } = await kms.createKey({ region: US, multiRegion: true });
  const { arn: replica } = await kms.replicateKey({ arn: primary, region: EU });
  const { arn: stranger } = await kms.createKey({ region: EU, multiRegion: true });
  const arns = {
    us,
    eu,
    ap,
    alias: `arn:aws:kms:${US}:${ACCOUNT}:alias/interop`,
    primary,
    replica,
    stranger,
    /** of a replica that was never made */
    noReplica: primary.replace(US, AP),
  };
  const makers = keyringMakers(kms, clients.provider);
  return {
    kms,
    arns,
    provider: clients.provider,
    ...makers,
    sets: [...singleRegionSets(arns, makers), ...multiRegionSets(arns, makers), ...mixedSets(arns, makers)],
    async close() {
      clients.destroy();
      await kms.close();
    },
  };
}

/** @typedef {Record<'us' | 'eu' | 'ap' | 'alias' | 'primary' | 'replica' | 'stranger' | 'noReplica', string>} Arns */
/** @typedef {ReturnType<typeof keyringMakers>} Makers */
/** @typedef {{ partition?: string, accountId?: string }} Filter */

/**
 * One function for each of the four keyrings.
 * @param {LocalKms} kms
 * @param {PeerClientProvider} provider
 */
function keyringMakers(kms, provider) {
  const { clientSupplier } = kms;
  /** @type {ClientSupplier<KmsApi>} */
  const fetchSupplier = (region = US) => {
    const endpoint = kms.regionEndpoint(region);
    return awsKmsFetch.fetchKmsClient({ region, endpoint, credentials: kms.credentials });
  };
  /** @param {readonly string[]} names */
  const named = ([generatorKeyId = '', ...keyIds]) => ({ generatorKeyId, keyIds });
  /** @param {Filter} filter */
  const filters = ({ partition = 'aws', accountId = ACCOUNT }) => ({
    ours: { discoveryFilter: { partition, accountIds: [accountId] } },
    theirs: { discoveryFilter: { partition, accountIDs: [accountId] } },
  });
  return {
    /** @param {readonly string[]} arns @param {Partial<Calls>} [calls] */
    strict: (arns, calls) =>
      pair(`strict ${arns.map(short).join(' ')}`, arns, calls, {
        frameseal: awsKms.awsKmsKeyring({ ...named(arns), clientSupplier }),
        framesealOther: awsKmsFetch.awsKmsKeyring({ ...named(arns), clientSupplier: fetchSupplier }),
        peer: new KmsKeyringNode({ ...named(arns), clientProvider: provider }),
      }),
    /** @param {readonly string[]} arns @param {Partial<Calls>} [calls] */
    mrk: (arns, calls) =>
      pair(`MRK ${arns.map(short).join(' ')}`, arns, calls, {
        frameseal: awsKms.awsKmsMrkKeyring({ ...named(arns), clientSupplier }),
        framesealOther: awsKmsFetch.awsKmsMrkKeyring({ ...named(arns), clientSupplier: fetchSupplier }),
        peer: buildAwsKmsMrkAwareStrictMultiKeyringNode({ ...named(arns), clientProvider: provider }),
      }),
    /** @param {string[]} regions @param {Partial<Calls>} calls @param {Filter} [filter] */
    discovery: (regions, calls, filter = {}) => {
      const { ours, theirs } = filters(filter);
      return pair(`discovery ${[...regions, ...Object.values(filter)].join(' ')}`, [], calls, {
        frameseal: awsKms.awsKmsDiscoveryKeyring({ regions, ...ours, clientSupplier }),
        framesealOther: awsKmsFetch.awsKmsDiscoveryKeyring({
          regions,
          ...ours,
          clientSupplier: fetchSupplier,
        }),
        peer: new KmsKeyringNode({
          discovery: true,
          ...theirs,
          clientProvider: limitRegions(regions, provider),
        }),
      });
    },
    /** @param {string[]} regions @param {Partial<Calls>} calls @param {Filter} [filter] */
    mrkDiscovery: (regions, calls, filter = {}) => {
      const { ours, theirs } = filters(filter);
      return pair(`MRK discovery ${[...regions, ...Object.values(filter)].join(' ')}`, [], calls, {
        frameseal: awsKms.awsKmsMrkDiscoveryKeyring({ regions, ...ours, clientSupplier }),
        framesealOther: awsKmsFetch.awsKmsMrkDiscoveryKeyring({
          regions,
          ...ours,
          clientSupplier: fetchSupplier,
        }),
        peer: buildAwsKmsMrkAwareDiscoveryMultiKeyringNode({
          regions,
          ...theirs,
          clientProvider: provider,
        }),
      });
    },
  };
}

/** @param {Arns} arns @param {Makers} makers @returns {KmsSet[]} */
function singleRegionSets(arns, { strict, mrk, discovery, mrkDiscovery }) {
  const { us, eu, ap, alias } = arns;
  const everywhere = [US, EU, AP];
  const refusedOfUs = [
    strict([eu, ap]),
    strict([alias]),
    mrk([eu, ap]),
    mrk([alias]),
    discovery([EU, AP], none()),
    discovery(everywhere, none(), { accountId: OTHER_ACCOUNT }),
    discovery(everywhere, none(), { partition: 'aws-cn' }),
    mrkDiscovery([EU, AP], none()),
    mrkDiscovery(everywhere, none(), { accountId: OTHER_ACCOUNT }),
    mrkDiscovery(everywhere, none(), { partition: 'aws-cn' }),
  ].map(neverReads);
  const readersOfUs = [
    strict([eu, us], reads(us)),
    mrk([eu, us], reads(us)),
    discovery(everywhere, reads(us)),
    mrkDiscovery([AP, EU, US], reads(us)),
  ];
  return [
    { key: { ...strict([us]), members: readersOfUs }, refused: refusedOfUs },
    { key: { ...mrk([us]), members: readersOfUs }, refused: refusedOfUs },
    {
      key: {
        ...strict([us, eu, ap]),
        members: [
          strict([us]),
          strict([eu]),
          strict([ap]),
          strict([ap, eu], reads(eu)), // the order is the message's
          mrk([eu]),
          mrk([ap, eu], { frameseal: decrypts(eu), peer: decrypts(ap) }), // client-node: that of the keyring
          discovery(everywhere, reads(us)),
          discovery([AP], reads(ap)),
          discovery([AP, EU], reads(eu)),
          mrkDiscovery([EU], reads(eu)),
          mrkDiscovery([AP, EU], { frameseal: decrypts(eu), peer: decrypts(ap) }),
        ],
      },
      refused: [
        strict([alias]),
        discovery(everywhere, none(), { accountId: OTHER_ACCOUNT }),
        mrkDiscovery(everywhere, none(), { accountId: OTHER_ACCOUNT }),
      ].map(neverReads),
    },
    {
      key: {
        ...strict([alias, eu]),
        ...entries([us, eu]),
        members: [strict([us]), mrk([us]), discovery([US], reads(us)), mrkDiscovery([US], reads(us))],
        calls: { write: writes(alias, eu), ...reads(eu) },
      },
      refused: [neverReads(strict([alias]))],
    },
  ];
}

/** @param {Arns} arns @param {Makers} makers @returns {KmsSet[]} */
function multiRegionSets(arns, { strict, mrk, discovery, mrkDiscovery }) {
  const { us, eu, ap, primary, replica, stranger, noReplica } = arns;
  const notThere = fails(noReplica, 'NotFoundException');
  /** @type {(own: string, ownRegion: string, other: string, otherRegion: string) => KmsSet} */
  const underOne = (own, ownRegion, other, otherRegion) => ({
    key: {
      ...mrk([own]),
      members: [
        mrk([other]),
        mrk([us, eu, other], reads(other)),
        strict([own]),
        discovery([US, EU, AP], reads(own)),
        mrkDiscovery([ownRegion], reads(own)),
        mrkDiscovery([otherRegion], reads(other)),
        mrkDiscovery([AP, otherRegion], asks(notThere, ...decrypts(other))),
        mrkDiscovery([otherRegion, ownRegion], { frameseal: decrypts(own), peer: decrypts(other) }),
      ],
    },
    refused: [
      neverReads(strict([other])),
      neverReads(strict([us, eu, ap])),
      neverReads(mrk([stranger])),
      mrk([noReplica], asks(notThere)),
      discovery([otherRegion, AP], none()),
      mrkDiscovery([AP], asks(notThere)),
      mrkDiscovery([US, EU, AP], none(), { accountId: OTHER_ACCOUNT }),
      mrkDiscovery([US, EU, AP], none(), { partition: 'aws-us-gov' }),
    ],
  });
  return [
    underOne(primary, US, replica, EU),
    underOne(replica, EU, primary, US),
    {
      key: { ...strict([primary, replica]), members: [strict([primary]), strict([replica]), mrk([replica])] },
      refused: [neverReads(strict([noReplica])), neverReads(mrk([stranger]))],
    },
    {
      key: {
        ...mrk([primary, ap]),
        members: [
          mrk([replica]),
          mrk([ap]),
          mrk([ap, replica], { frameseal: decrypts(replica), peer: decrypts(ap) }),
          mrkDiscovery([EU], reads(replica)),
          mrkDiscovery([EU, AP], reads(replica)),
          mrkDiscovery([AP, EU], asks(notThere, ...decrypts(ap))),
          // frameseal asks for an entry in its own region first
          mrkDiscovery([EU, US], { frameseal: decrypts(primary), peer: decrypts(replica) }),
        ],
      },
      refused: [neverReads(strict([replica])), discovery([EU], none())],
    },
  ];
}

/** KMS beside a raw key. @param {Arns} arns @param {Makers} makers @returns {KmsSet[]} */
function mixedSets({ us, eu }, { strict }) {
  const none = { write: [], frameseal: [], peer: [] };
  const raw = { ...aes256, members: [], calls: none };
  const one = strict([us]);
  const first = multiKeys(frameseal, [one, raw]);
  const second = multiKeys(frameseal, [raw, one]);
  const refused = [neverReads(strict([eu]))];
  return [
    { key: { ...first, members: [one, raw], calls: one.calls }, refused },
    {
      key: { ...second, members: [raw, one], calls: { ...none, write: [`Encrypt ${us}`] } },
      refused,
    },
  ];
}

/**
 * @param {string} name
 * @param {readonly string[]} arns
 * @param {Partial<Calls> | undefined} calls what is different from: all keys write, the first one reads
 * @param {Pick<KeyPair, 'frameseal' | 'framesealOther' | 'peer'>} keyrings
 * @returns {KmsKeyPair}
 */
function pair(name, arns, calls, keyrings) {
  const [first] = arns;
  return {
    name,
    ...keyrings,
    members: [],
    ...entries(arns),
    calls: { write: writes(...arns), ...(first === undefined ? none() : reads(first)), ...calls },
  };
}

/**
 * The entries of a message: one for each of these keys.
 * @param {readonly string[]} arns
 * @returns {Pick<KeyPair, 'edkLengths'>}
 */
function entries(arns) {
  const fixed = 2 + 'aws-kms'.length + 2 + 2 + BLOB_OVERHEAD;
  return { edkLengths: ({ keyLength }) => arns.map((arn) => fixed + arn.length + keyLength) };
}

/** @param {KmsKeyPair} key @returns {KmsKeyPair} */
function neverReads(key) {
  return { ...key, calls: { ...key.calls, ...none() } };
}

/** @param {readonly string[]} arns */
function writes(...arns) {
  return arns.map((arn, i) => `${i === 0 ? 'GenerateDataKey' : 'Encrypt'} ${arn}`);
}

/** @param {string} arn */
function decrypts(arn) {
  return [`Decrypt ${arn}`];
}

/** @param {string} arn @param {string} error */
export function fails(arn, error) {
  return `Decrypt ${arn} ${error}`;
}

/** Both libraries ask this key alone. @param {string} arn */
export function reads(arn) {
  return asks(...decrypts(arn));
}

/** Both libraries make these calls. @param {string[]} calls */
function asks(...calls) {
  return { frameseal: calls, peer: calls };
}

function none() {
  return asks();
}

/** The region and the first digits of the key, or the alias. @param {string} arn */
function short(arn) {
  const [, , , region, , resource = ''] = arn.split(':');
  return `${region}/${resource.includes('mrk-') ? 'mrk' : resource.split('/')[0]}`;
}

/** Clients of the SDK that client-node brings, for the local KMS: one for each region. @param {LocalKms} kms */
function peerClients({ endpoint, credentials }) {
  /** @type {Map<string, KMS>} */
  const made = new Map();
  const provider = (/** @type {string} */ region) => {
    const client = made.get(region) ?? new KMS({ region, endpoint, credentials: { ...credentials } });
    made.set(region, client);
    return client;
  };
  return {
    provider: /** @type {PeerClientProvider} */ (/** @type {unknown} */ (provider)),
    destroy() {
      for (const client of made.values()) client.destroy();
    },
  };
}
