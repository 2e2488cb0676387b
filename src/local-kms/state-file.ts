/**
 * Keys and aliases kept in a file between runs.
 *
 * The file holds key material in clear text; it is for tests and says so. It is written whole to a temporary
 * file beside it and then renamed, so a crash leaves the old or the new one. Two servers on one file would
 * overwrite each other's changes: use one.
 */
import { lstatSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { isKeyId, isRegion } from './arn.ts';
import type { KeyState, KeyStore, KeyStoreContent, KmsAlias, KmsKey } from './key-store.ts';

const NOTICE =
  'Test keys of the frameseal local KMS, in clear text. This file is NO security boundary: whoever reads it ' +
  'can open everything encrypted under these keys. Never use it for real data; keep it out of repositories.';
const VERSION = 1;
const STATES: readonly KeyState[] = [
  'Creating',
  'Enabled',
  'Disabled',
  'PendingImport',
  'PendingDeletion',
  'PendingReplicaDeletion',
];

/** What a file holds. */
export interface SavedState extends KeyStoreContent {
  readonly accountId: string;
  /** The secret that key identities in blobs are under. */
  readonly secret: Buffer;
}

/**
 * Reads a file; `undefined` if there is none yet.
 *
 * Throws if it is no regular file, if group or others have any access to it, or if it is not of this format.
 */
export function loadState(path: string): SavedState | undefined {
  const stats = lstatSync(path, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  if (!stats.isFile()) throw new Error(`local KMS: "${path}" is not a regular file`);
  if (process.platform !== 'win32' && (stats.mode & 0o077) !== 0) {
    const mode = (stats.mode & 0o777).toString(8).padStart(4, '0');
    throw new Error(`local KMS: others may read "${path}" (mode ${mode}); make it 0600`);
  }
  try {
    return parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (cause) {
    throw new Error(`local KMS: "${path}" is not a state file of this version`, { cause });
  }
}

/** Replaces the file by the store's present state, readable by its owner only. */
export function saveState(path: string, secret: Uint8Array, store: KeyStore): void {
  const state = {
    notice: NOTICE,
    version: VERSION,
    accountId: store.accountId,
    secret: Buffer.from(secret).toString('base64'),
    keys: store.keys().map(({ arn: _, ...key }) => ({ ...key, material: key.material?.toString('base64') })),
    aliases: store.aliases().map(({ arn: _, ...alias }) => alias),
  };
  replaceFile(path, `${JSON.stringify(state, undefined, 2)}\n`);
}

/** Nothing is left of the temporary file, which holds keys too, if this fails. */
function replaceFile(path: string, text: string): void {
  const temporary = `${path}.${process.pid}.tmp`;
  rmSync(temporary, { force: true });
  try {
    writeFileSync(temporary, text, { flag: 'wx', mode: 0o600, flush: true });
    renameSync(temporary, path);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function parse(value: unknown): SavedState {
  const state = new Fields(value);
  state.expect('version', state.number('version') === VERSION);
  const secret = Buffer.from(state.text('secret'), 'base64');
  state.expect('secret', secret.length === 32);
  const accountId = state.text('accountId');
  state.expect('accountId', /^\d{12}$/.test(accountId));
  return {
    accountId,
    secret,
    keys: state.list('keys').map(parseKey),
    aliases: state.list('aliases').map(parseAlias),
  };
}

function parseKey(fields: Fields): Omit<KmsKey, 'arn'> {
  const material = fields.has('material') ? Buffer.from(fields.text('material'), 'base64') : undefined;
  fields.expect('material', material === undefined || material.length === 32);
  const state = STATES.find((name) => name === fields.text('state'));
  fields.expect('id', isKeyId(fields.text('id')));
  fields.expect('region', isRegion(fields.text('region')));
  return {
    id: fields.text('id'),
    region: fields.text('region'),
    description: fields.text('description'),
    usage: fields.text('usage'),
    spec: fields.text('spec'),
    origin: fields.text('origin'),
    createdAt: fields.number('createdAt'),
    primaryRegion: fields.has('primaryRegion') ? fields.text('primaryRegion') : undefined,
    material,
    state: state ?? fields.fail('state'),
    stateEndsAt: fields.has('stateEndsAt') ? fields.number('stateEndsAt') : undefined,
    pendingWindowInDays: fields.has('pendingWindowInDays') ? fields.number('pendingWindowInDays') : undefined,
  };
}

function parseAlias(fields: Fields): Omit<KmsAlias, 'arn'> {
  return {
    name: fields.text('name'),
    region: fields.text('region'),
    targetKeyId: fields.text('targetKeyId'),
    createdAt: fields.number('createdAt'),
    updatedAt: fields.number('updatedAt'),
  };
}

/** Typed access to one JSON object of the file. */
class Fields {
  readonly #fields: ReadonlyMap<string, unknown>;

  constructor(value: unknown) {
    if (typeof value !== 'object' || value === null) throw new TypeError('not an object');
    this.#fields = new Map(Object.entries(value));
  }

  has(name: string): boolean {
    return this.#fields.has(name);
  }

  text(name: string): string {
    const value = this.#fields.get(name);
    return typeof value === 'string' ? value : this.fail(name);
  }

  number(name: string): number {
    const value = this.#fields.get(name);
    return typeof value === 'number' ? value : this.fail(name);
  }

  list(name: string): Fields[] {
    const value = this.#fields.get(name);
    return Array.isArray(value) ? value.map((item) => new Fields(item)) : this.fail(name);
  }

  expect(name: string, holds: boolean): void {
    if (!holds) this.fail(name);
  }

  fail(name: string): never {
    throw new TypeError(`"${name}" is missing or wrong`);
  }
}
