/**
 * The format of the state file: JSON, whose `version` says which members there are.
 *
 *   1  accountId, secret, keys (one `material` each), aliases
 *   2  adds to keys: `materials` with their rotations, the rotation schedule, the policy; and adds grants
 *
 * Files of all versions are read, and written as the newest.
 */
import { isKeyId, isRegion } from './arn.ts';
import type { KeyStore, KeyStoreContent } from './key-store.ts';
import { KEY_STATES, type KeyMaterial, type KmsAlias, type KmsGrant, type KmsKey } from './kms-key.ts';
import { Fields } from './state-fields.ts';

const NOTICE =
  'Test keys of the frameseal local KMS, in clear text. This file is NO security boundary: whoever reads it ' +
  'can open everything encrypted under these keys. Never use it for real data; keep it out of repositories.';
const VERSION = 2;
const VERSIONS = [1, VERSION];
const ROTATIONS = ['AUTOMATIC', 'ON_DEMAND'] as const;

/** What a file holds. */
export interface SavedState extends KeyStoreContent {
  readonly accountId: string;
  /** The secret that key identities in blobs, and grant tokens, are under. */
  readonly secret: Buffer;
}

export function formatState(secret: Uint8Array, store: KeyStore): string {
  const state = {
    notice: NOTICE,
    version: VERSION,
    accountId: store.accountId,
    secret: Buffer.from(secret).toString('base64'),
    keys: store
      .keys()
      .map(({ arn: _, ...key }) => ({ ...key, materials: key.materials.map(formatMaterial) })),
    aliases: store.aliases().map(({ arn: _, ...alias }) => alias),
    grants: store.grants(),
  };
  return `${JSON.stringify(state, undefined, 2)}\n`;
}

/** Throws on what is not of this format. */
export function parseState(text: string): SavedState {
  const state = new Fields(JSON.parse(text));
  const version = state.number('version');
  state.expect('version', VERSIONS.includes(version));
  const secret = state.bytes('secret');
  state.expect('secret', secret.length === 32);
  const accountId = state.text('accountId');
  state.expect('accountId', /^\d{12}$/.test(accountId));
  return {
    accountId,
    secret,
    keys: state.list('keys').map((fields) => parseKey(fields, version)),
    aliases: state.list('aliases').map(parseAlias),
    grants: version === 1 ? [] : state.list('grants').map(parseGrant),
  };
}

function formatMaterial({ bytes, ...material }: KeyMaterial): object {
  return { ...material, bytes: bytes.toString('base64') };
}

function parseKey(fields: Fields, version: number): Omit<KmsKey, 'arn'> {
  const { number, text } = fields;
  const [id, region, createdAt] = [text('id'), text('region'), number('createdAt')] as const;
  fields.expect('id', isKeyId(id));
  fields.expect('region', isRegion(region));
  return {
    id,
    region,
    createdAt,
    description: text('description'),
    usage: text('usage'),
    spec: text('spec'),
    origin: text('origin'),
    visibleAt: fields.optional('visibleAt', number) ?? 0,
    primaryRegion: fields.optional('primaryRegion', text),
    materials:
      version === 1 ? firstMaterials(fields, createdAt) : fields.list('materials').map(parseMaterial),
    rotation: parseRotation(fields.optional('rotation', fields.object)),
    onDemand: parseOnDemand(fields.optional('onDemand', fields.object)),
    policy: fields.optional('policy', text),
    state: fields.oneOf('state', KEY_STATES),
    stateEndsAt: fields.optional('stateEndsAt', number),
    pendingWindowInDays: fields.optional('pendingWindowInDays', number),
  };
}

/** A key of version 1 has never rotated. */
function firstMaterials(fields: Fields, since: number): KeyMaterial[] {
  const bytes = fields.optional('material', fields.bytes);
  fields.expect('material', bytes === undefined || bytes.length === 32);
  return bytes === undefined ? [] : [{ bytes, since, rotation: undefined }];
}

function parseMaterial(fields: Fields): KeyMaterial {
  const bytes = fields.bytes('bytes');
  fields.expect('bytes', bytes.length === 32);
  const rotation = fields.optional('rotation', (name) => fields.oneOf(name, ROTATIONS));
  return { bytes, since: fields.number('since'), rotation };
}

function parseRotation(fields: Fields | undefined): KmsKey['rotation'] {
  return fields && { periodInDays: fields.number('periodInDays'), nextAt: fields.number('nextAt') };
}

function parseOnDemand(fields: Fields | undefined): KmsKey['onDemand'] {
  return fields && { startedAt: fields.number('startedAt'), endsAt: fields.number('endsAt') };
}

function parseAlias(fields: Fields): Omit<KmsAlias, 'arn'> {
  return {
    name: fields.text('name'),
    region: fields.text('region'),
    targetKeyId: fields.text('targetKeyId'),
    createdAt: fields.number('createdAt'),
    visibleAt: fields.optional('visibleAt', fields.number) ?? 0,
    updatedAt: fields.number('updatedAt'),
  };
}

function parseGrant(fields: Fields): KmsGrant {
  const constraints = fields.object('constraints');
  return {
    id: fields.text('id'),
    region: fields.text('region'),
    keyId: fields.text('keyId'),
    name: fields.optional('name', fields.text),
    grantee: fields.text('grantee'),
    retiring: fields.optional('retiring', fields.text),
    operations: fields.texts('operations'),
    constraints: {
      equals: constraints.optional('equals', constraints.pairs),
      subset: constraints.optional('subset', constraints.pairs),
    },
    createdAt: fields.number('createdAt'),
    effectiveAt: fields.number('effectiveAt'),
  };
}
