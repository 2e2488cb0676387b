/**
 * Aliases, and the lists of aliases and keys.
 *
 * Source: AWS KMS API Reference, the actions of the same names; AWS KMS Developer Guide, "Control access to
 * aliases".
 */
import { managedKey, requireAccess, requireAccount } from '../access.ts';
import { aliasArn } from '../arn.ts';
import { alreadyExists, constraint, KmsError, noSuchAlias, validation } from '../errors.ts';
import { requireKept, resolveManagedKey } from '../key-id.ts';
import type { KmsAlias, KmsKey } from '../kms-key.ts';
import { type Call, countsFrom, type KmsState, type Operation, type Reply, seconds } from './operation.ts';
import { page } from './page.ts';

const MAX_ALIAS = 256;
const ALIAS = /^alias\/[a-zA-Z0-9/_-]+$/;
const PREFIX =
  'Alias must start with the prefix "alias/". Please see ' +
  'https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html';

export const createAlias: Operation = (call) => {
  const { kms, region } = call;
  const name = newAliasName(call);
  const key = requireKept(managedKey(call, 'TargetKeyId'));
  checkNewAlias(kms, region, name);
  addAlias(kms, name, key, countsFrom(kms, kms.delays.visibility));
  return {};
};

/** The caller needs the permission for both keys. */
export const updateAlias: Operation = (call) => {
  const alias = existingAlias(call);
  const key = requireKept(managedKey(call, 'TargetKeyId'));
  alias.targetKeyId = key.id;
  alias.updatedAt = call.kms.now();
  call.kms.store.changed();
  return {};
};

export const deleteAlias: Operation = (call) => {
  call.kms.store.removeAlias(existingAlias(call));
  return {};
};

export const listAliases: Operation = (call) => {
  const { input, kms, region } = call;
  requireAccount(call);
  const keyId = input.optionalText('KeyId');
  const key = keyId === undefined ? undefined : resolveManagedKey(kms.store, region, keyId);
  const aliases = kms.store
    .aliases(region)
    .filter((alias) => kms.store.isVisible(alias) && (key === undefined || alias.targetKeyId === key.id));
  const { entries, rest } = page(input, aliases, ({ name }) => name, { size: 50, max: 100 });
  return { Aliases: entries.map(aliasEntry), ...rest };
};

export const listKeys: Operation = (call) => {
  const { input, kms, region } = call;
  requireAccount(call);
  const keys = kms.store.keys(region).filter((key) => kms.store.isVisible(key));
  const { entries, rest } = page(input, keys, ({ id }) => id, { size: 100, max: 1000 });
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

export function addAlias(kms: KmsState, name: string, { region, id }: KmsKey, visibleAt: number): void {
  const now = kms.now();
  kms.store.addAlias({ name, region, targetKeyId: id, createdAt: now, updatedAt: now, visibleAt });
}

function newAliasName({ input }: Call): string {
  const name = input.requiredText('AliasName', MAX_ALIAS);
  if (!/^[a-zA-Z0-9:/_-]+$/.test(name)) {
    throw constraint('AliasName', name, 'satisfy regular expression pattern: ^[a-zA-Z0-9:/_-]+$');
  }
  if (!name.startsWith('alias/')) throw validation(PREFIX);
  return name;
}

/** An alias that the caller may change, which takes the permission for its key. */
function existingAlias(call: Call): KmsAlias {
  const { input, kms, region, operation } = call;
  const name = input.requiredText('AliasName', MAX_ALIAS);
  const alias = kms.store.alias(region, name);
  const key = alias && kms.store.key(region, alias.targetKeyId);
  if (alias === undefined || key === undefined || !kms.store.isVisible(alias)) {
    throw noSuchAlias(aliasArn(region, kms.store.accountId, name));
  }
  requireAccess(call, key, operation);
  return alias;
}

function aliasEntry(alias: KmsAlias): Reply {
  return {
    AliasName: alias.name,
    AliasArn: alias.arn,
    TargetKeyId: alias.targetKeyId,
    CreationDate: seconds(alias.createdAt),
    LastUpdatedDate: seconds(alias.updatedAt),
  };
}
