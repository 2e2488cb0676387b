/**
 * Aliases, and the paged lists of aliases and keys.
 *
 * Source: AWS KMS API Reference, the actions of the same names. Markers are opaque: the last entry that was
 * answered, in base64url.
 */

import { aliasArn } from '../arn.ts';
import { alreadyExists, constraint, KmsError, noSuchAlias, validation } from '../errors.ts';
import type { Input } from '../input.ts';
import { requireState, resolveManagedKey } from '../key-id.ts';
import type { KmsAlias, KmsKey } from '../key-store.ts';
import type { Call, KmsState, Operation, Reply } from './operation.ts';

const MAX_ALIAS = 256;
const ALIAS = /^alias\/[a-zA-Z0-9/_-]+$/;

export const createAlias: Operation = (call) => {
  const { kms, region } = call;
  const name = newAliasName(call);
  const key = aliasTarget(call);
  checkNewAlias(kms, region, name);
  addAlias(kms, name, key);
  return {};
};

export const updateAlias: Operation = (call) => {
  const alias = existingAlias(call);
  alias.targetKeyId = aliasTarget(call).id;
  alias.updatedAt = call.kms.now();
  call.kms.store.changed();
  return {};
};

export const deleteAlias: Operation = (call) => {
  call.kms.store.removeAlias(existingAlias(call));
  return {};
};

export const listAliases: Operation = ({ input, kms, region }) => {
  const keyId = input.optionalText('KeyId');
  const key = keyId === undefined ? undefined : resolveManagedKey(kms.store, region, keyId);
  const aliases = kms.store
    .aliases(region)
    .filter((alias) => key === undefined || alias.targetKeyId === key.id);
  const { entries, rest } = page(input, aliases, ({ name }) => name, { size: 50, max: 100 });
  return { Aliases: entries.map(aliasEntry), ...rest };
};

export const listKeys: Operation = ({ input, kms, region }) => {
  const { entries, rest } = page(input, kms.store.keys(region), ({ id }) => id, { size: 100, max: 1000 });
  return { Keys: entries.map(({ id, arn }) => ({ KeyId: id, KeyArn: arn })), ...rest };
};

/** Refuses a name that is not valid, reserved or taken. */
export function checkNewAlias(kms: KmsState, region: string, name: string): void {
  if (name.startsWith('alias/aws/')) {
    throw new KmsError('NotAuthorizedException', 'Aliases that begin with alias/aws/ are reserved for AWS.');
  }
  if (!ALIAS.test(name)) {
    throw new KmsError('InvalidAliasNameException', `${name} is not a valid alias name.`);
  }
  const arn = aliasArn(region, kms.store.accountId, name);
  if (kms.store.alias(region, name)) throw alreadyExists(`An alias with the name ${arn}`);
}

export function addAlias(kms: KmsState, name: string, { region, id }: KmsKey): void {
  const now = kms.now();
  kms.store.addAlias({ name, region, targetKeyId: id, createdAt: now, updatedAt: now });
}

function newAliasName({ input }: Call): string {
  const name = input.requiredText('AliasName', MAX_ALIAS);
  if (!/^[a-zA-Z0-9:/_-]+$/.test(name)) {
    throw constraint('AliasName', name, 'satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$');
  }
  if (!name.startsWith('alias/')) throw validation('Alias must start with the prefix "alias/".');
  return name;
}

function existingAlias({ input, kms, region }: Call): KmsAlias {
  const name = input.requiredText('AliasName', MAX_ALIAS);
  const alias = kms.store.alias(region, name);
  if (alias === undefined) throw noSuchAlias(aliasArn(region, kms.store.accountId, name));
  return alias;
}

/** An alias may name a disabled key or one that waits for its import, but no key on its way out. */
function aliasTarget({ input, kms, region }: Call): KmsKey {
  const key = resolveManagedKey(kms.store, region, input.requiredText('TargetKeyId'));
  return key.state === 'PendingImport' ? key : requireState(key);
}

function aliasEntry(alias: KmsAlias): Reply {
  return {
    AliasName: alias.name,
    AliasArn: alias.arn,
    TargetKeyId: alias.targetKeyId,
    CreationDate: alias.createdAt / 1000,
    LastUpdatedDate: alias.updatedAt / 1000,
  };
}

/** The entries after the request's marker, which are in ascending order of `nameOf`. */
function page<T>(
  input: Input,
  all: readonly T[],
  nameOf: (entry: T) => string,
  limit: { readonly size: number; readonly max: number },
): { entries: readonly T[]; rest: Reply } {
  const size = input.integer('Limit', 1, limit.max) ?? limit.size;
  const after = markerText(input.optionalText('Marker'));
  const left = all.filter((entry) => nameOf(entry) > after);
  const entries = left.slice(0, size);
  const last = entries.at(-1);
  if (last === undefined || entries.length === left.length) return { entries, rest: { Truncated: false } };
  const marker = Buffer.from(nameOf(last)).toString('base64url');
  return { entries, rest: { Truncated: true, NextMarker: marker } };
}

function markerText(marker: string | undefined): string {
  const text = Buffer.from(marker ?? '', 'base64url').toString();
  if (marker !== undefined && Buffer.from(text).toString('base64url') !== marker) {
    throw new KmsError('InvalidMarkerException', 'The marker is not valid.');
  }
  return text;
}
