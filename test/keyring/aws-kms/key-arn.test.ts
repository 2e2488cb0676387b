import { describe, expect, it } from 'vitest';
import {
  formatKeyArn,
  isRegion,
  keyIdentifier,
  parseKeyArn,
  parseKeyResourceArn,
} from '../../../src/keyring/aws-kms/key-arn.ts';
import {
  checkMultiRegionKeysAreUnique,
  isMultiRegionIdentifier,
  matchesForDecrypt,
} from '../../../src/keyring/aws-kms/mrk.ts';
import { failure, failureCode } from '../../support/messages.ts';

// The examples of aws-kms-key-arn.md#aws-kms-multi-region-keys.
const KEY = 'arn:aws:kms:us-east-1:2222222222222:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const MULTI = 'arn:aws:kms:us-east-1:2222222222222:key/mrk-4321abcd12ab34cd56ef1234567890ab';
const ALIAS = 'arn:aws:kms:us-west-2:111122223333:alias/test-key';

describe('parseKeyArn', () => {
  it.each([
    [KEY, 'aws', 'us-east-1', '2222222222222', 'key', '1234abcd-12ab-34cd-56ef-1234567890ab'],
    [MULTI, 'aws', 'us-east-1', '2222222222222', 'key', 'mrk-4321abcd12ab34cd56ef1234567890ab'],
    [ALIAS, 'aws', 'us-west-2', '111122223333', 'alias', 'test-key'],
    ['arn:aws-cn:kms:cn-north-1:1:key/a', 'aws-cn', 'cn-north-1', '1', 'key', 'a'],
    ['arn:aws-us-gov:kms:us-gov-west-1:1:key/a', 'aws-us-gov', 'us-gov-west-1', '1', 'key', 'a'],
    ['arn:aws-eusc:kms:eusc-de-east-1:1:key/a', 'aws-eusc', 'eusc-de-east-1', '1', 'key', 'a'],
    ['arn:aws-iso:kms:us-iso-east-1:1:key/a', 'aws-iso', 'us-iso-east-1', '1', 'key', 'a'],
    ['arn:aws-iso-b:kms:us-isob-east-1:1:key/a', 'aws-iso-b', 'us-isob-east-1', '1', 'key', 'a'],
    ['arn:aws-iso-e:kms:eu-isoe-west-1:1:key/a', 'aws-iso-e', 'eu-isoe-west-1', '1', 'key', 'a'],
    ['arn:aws-iso-f:kms:us-isof-south-1:1:key/a', 'aws-iso-f', 'us-isof-south-1', '1', 'key', 'a'],
    ['arn:aws:kms:r:1:key/a/b/c', 'aws', 'r', '1', 'key', 'a/b/c'],
    ['arn:aws:kms:r:1:alias/key/mrk-x', 'aws', 'r', '1', 'alias', 'key/mrk-x'],
    ['arn:x y:kms:any text.\n:ä:key/\n', 'x y', 'any text.\n', 'ä', 'key', '\n'],
  ])('reads %s', (text, partition, region, accountId, resourceType, resourceId) => {
    const arn = parseKeyArn(text);
    expect(arn).toEqual({ partition, region, accountId, resourceType, resourceId });
    expect(formatKeyArn(arn!)).toBe(text);
    expect(parseKeyResourceArn(text)).toEqual(resourceType === 'key' ? arn : undefined);
  });

  it.each([
    [''],
    ['arn'],
    ['ARN:aws:kms:us-east-1:1:key/a'],
    [' arn:aws:kms:us-east-1:1:key/a'],
    ['arn::kms:us-east-1:1:key/a'],
    ['arn:aws:KMS:us-east-1:1:key/a'],
    ['arn:aws:s3:us-east-1:1:key/a'],
    ['arn:aws:kms::1:key/a'],
    ['arn:aws:kms:us-east-1::key/a'],
    ['arn:aws:kms:us-east-1:1:'],
    ['arn:aws:kms:us-east-1:1:key'],
    ['arn:aws:kms:us-east-1:1:key/'],
    ['arn:aws:kms:us-east-1:1:/a'],
    ['arn:aws:kms:us-east-1:1:key:a'],
    ['arn:aws:kms:us-east-1:1:keys/a'],
    ['arn:aws:kms:us-east-1:1:Key/a'],
    ['arn:aws:kms:us-east-1:1:key/a:b'],
    ['arn:aws:kms:us-east-1:1'],
    ['alias/test-key'],
    ['1234abcd-12ab-34cd-56ef-1234567890ab'],
  ])('refuses %j', (text) => {
    expect(parseKeyArn(text)).toBeUndefined();
  });
});

describe('keyIdentifier', () => {
  it.each([KEY, MULTI, ALIAS, 'alias/test-key', 'alias/aws/ebs', 'mrk-1', '1234abcd-12ab'])(
    'takes %s',
    (text) => {
      expect(keyIdentifier('keyIds', text)).toEqual({ text, arn: parseKeyArn(text) });
    },
  );

  it.each([
    [''],
    [undefined],
    [7],
    ['alias/'],
    ['alias/a b'],
    ['key/1234'],
    ['a.b'],
    ['arn:aws:kms:us-east-1:1:key/a\n'],
    ['arn:aws:kms:evil.example/?:1:key/a'],
    ['arn:aws:kms:us_east_1:1:key/a'],
    ['arn:aws:kms:localhost:1:key/a'],
    [`arn:aws:kms:${'us-'.repeat(21)}east:1:key/a`],
    ['x'.repeat(2049)],
  ])('refuses %j', async (text) => {
    expect(await failureCode(() => keyIdentifier('keyIds', text as never))).toBe('INVALID_ARGUMENT');
  });

  it('knows names of regions', () => {
    for (const name of ['us-east-1', 'us-gov-west-1', 'eusc-de-east-1', 'ap-southeast-10']) {
      expect(isRegion(name)).toBe(true);
    }
    for (const name of [
      '',
      'us',
      'US-EAST-1',
      'us-east-1 ',
      'us-east-1.evil',
      'us--1',
      '-a-b',
      7,
      undefined,
    ]) {
      expect(isRegion(name)).toBe(false);
    }
  });
});

describe('multi-Region keys', () => {
  it.each([
    [KEY, false],
    [MULTI, true],
    [ALIAS, false],
    ['1234abcd-12ab-34cd-56ef-1234567890ab', false],
    ['mrk-4321abcd12ab34cd56ef1234567890ab', true],
    ['alias/test-key', false],
    ['alias/mrk-test-key', false],
    ['arn:aws:kms:us-west-2:111122223333:alias/mrk-test-key', false],
    ['arn:aws:kms:us-west-2:111122223333:key/MRK-1', false],
  ])('%s: %s', (text, expected) => {
    expect(isMultiRegionIdentifier(keyIdentifier('keyIds', text))).toBe(expected);
  });

  const arn = (region: string, id: string, account = '1', partition = 'aws', type = 'key') =>
    `arn:${partition}:kms:${region}:${account}:${type}/${id}`;

  it.each([
    ['the same key', KEY, KEY, true],
    ['the same alias', ALIAS, ALIAS, true],
    ['the same bare id', 'mrk-1', 'mrk-1', true],
    ['replicas', arn('us-east-1', 'mrk-1'), arn('eu-west-1', 'mrk-1'), true],
    ['single-Region keys with one id', arn('us-east-1', 'a'), arn('eu-west-1', 'a'), false],
    ['one that is no multi-Region key', arn('us-east-1', 'mrk-1'), arn('us-east-1', 'a'), false],
    ['other multi-Region keys', arn('us-east-1', 'mrk-1'), arn('us-east-1', 'mrk-2'), false],
    ['other accounts', arn('us-east-1', 'mrk-1'), arn('us-east-1', 'mrk-1', '2'), false],
    ['other partitions', arn('us-east-1', 'mrk-1'), arn('cn-north-1', 'mrk-1', '1', 'aws-cn'), false],
    ['a bare id', 'mrk-1', arn('us-east-1', 'mrk-1'), false],
    [
      'aliases',
      arn('us-east-1', 'mrk-1', '1', 'aws', 'alias'),
      arn('eu-west-1', 'mrk-1', '1', 'aws', 'alias'),
      false,
    ],
    ['a key and an alias', arn('us-east-1', 'mrk-1'), arn('eu-west-1', 'mrk-1', '1', 'aws', 'alias'), false],
  ])('match for decrypt: %s', (_, a, b, expected) => {
    expect(matchesForDecrypt(a, b)).toBe(expected);
    expect(matchesForDecrypt(b, a)).toBe(expected);
  });

  const check = (...texts: string[]) =>
    checkMultiRegionKeysAreUnique(texts.map((text) => keyIdentifier('keyIds', text)));

  it('are unique: nothing to say of other keys, and of different ones', () => {
    check();
    check(KEY, KEY, ALIAS, ALIAS, 'a', 'a');
    check(MULTI, arn('us-east-1', 'mrk-2'), 'mrk-3', KEY);
    check(arn('us-east-1', 'mrk-1', '1', 'aws', 'alias'), arn('us-west-2', 'mrk-1', '1', 'aws', 'alias'));
  });

  it('are unique: the error names every related key, and no other', async () => {
    const related = [arn('us-east-1', 'mrk-1'), arn('eu-west-1', 'mrk-1'), 'mrk-1'];
    const twice = [arn('us-east-1', 'mrk-2'), arn('us-east-1', 'mrk-2')];
    const error = await failure(() => check(KEY, ...related, MULTI, ...twice));
    expect(error.code).toBe('INVALID_ARGUMENT');
    expect(error.message).toContain([...related, ...twice].join(', '));
    expect(error.message).not.toContain(KEY);
    expect(error.message).not.toContain(MULTI);
  });
});
