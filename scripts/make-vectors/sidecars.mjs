/**
 * Makes `test/vectors/sidecars.json`: `node scripts/make-vectors/sidecars.mjs`, from `keys.json` and docs/sidecars.md.
 *
 * Messages are wrapped under AES-128, sidecars add AES-256. A fault is the only one: the MAC is right over what is
 * written, unless it is the fault.
 */
import { createHmac, hkdfSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { draw } from './draw.mjs';
import { edk, rsaEdk } from './keys.mjs';
import { derive, makeMessage, SUITES, sized, u16 } from './message.mjs';

const folder = new URL('../../test/vectors/', import.meta.url);
const { keys } = JSON.parse(readFileSync(new URL('keys.json', folder), 'utf8'));
const PAIRS = [
  ['purpose', 'sidecars'],
  ['\u{1f600}', '\ufffd'],
];
/** Version 1 and 2: what is shown for these two holds for the others. */
const [V1, V2] = ['0178', '0478'];
const MISMATCH = { 'aes-256': 'SIDECAR_MISMATCH', 'aes-128': 'SIDECAR_MISMATCH' };
const OPENS = { 'aes-256': 'opens', 'aes-128': 'opens', 'aes-192': 'NO_DATA_KEY' };

const made = {};
const messages = {};
const tests = {};
for (const suite of Object.keys(SUITES)) everySuite(suite);
for (const suite of [V1, V2]) faults(suite);
for (const suite of [V1, V2]) several(suite);
required();

const lines = (entries) =>
  Object.entries(entries)
    .map((entry) => entry.map((part) => JSON.stringify(part)).join(':'))
    .join(',\n');
const text = `{"messages":{\n${lines(messages)}\n},\n"tests":{\n${lines(tests)}\n}}\n`;
writeFileSync(new URL('sidecars.json', folder), text);
console.log(
  `${Object.keys(messages).length} messages, ${Object.keys(tests).length} tests, ${text.length} bytes`,
);

function everySuite(suite) {
  message(suite);
  test(`${suite}-aes-256`, suite, sidecar(suite), OPENS);
}

/** A message under AES-128, by name; its data key is named after it. */
function message(suite, name = suite, unstored = []) {
  const plaintext = draw(`sidecar ${name} plaintext`, 40);
  const edks = (materials) => [edk(keys, 'aes-128', materials)];
  const named = `sidecar ${name}`;
  const { bytes, spec } = makeMessage({ suite, name: named, edks, plaintext, pairs: PAIRS, unstored });
  messages[name] = {
    message: bytes.toString('base64'),
    plaintext: plaintext.toString('base64'),
    'data-key': spec.dataKey.toString('base64'),
  };
  made[name] = spec;
}

/** A test: what comes of decrypting under each of these keys alone, a plaintext or an error's code. */
function test(name, of, sidecars, outcomes, options) {
  if (name in tests) throw new Error(`${name} is used twice`);
  const list = [sidecars].flat().map((bytes) => bytes.toString('base64'));
  tests[name] = { message: of, sidecars: list, outcomes, ...(options && { options }) };
}

/**
 * A sidecar of a message. What is wrong with it is said in `fault`; everything behind it stays right.
 */
function sidecar(name, fault = {}) {
  const { suite, messageId, dataKey, commitKey, pairs, unstored } = made[name];
  const materials = { pairs: [...pairs, ...unstored], dataKey };
  const entries = fault.edks?.(materials) ?? [edk(keys, 'aes-256', materials)];
  const fields = { suite, messageId, commitKey, ...fault };
  const list = entries.flatMap(({ id, info, ciphertext }) => [sized(id), sized(info), sized(ciphertext)]);
  const body = Buffer.concat([
    fault.magic ?? Buffer.from('FSSC'),
    fault.version ?? Buffer.of(1),
    Buffer.from(fields.suite, 'hex'),
    fields.messageId,
    fields.commitKey,
    u16(fault.count ?? entries.length),
    ...list,
    fault.behind ?? Buffer.alloc(0),
  ]);
  const mac = (fault.mac ?? macOf)({ body, dataKey: fault.macUnder ?? dataKey, ...fields, edks: list });
  const whole = Buffer.concat([body, mac]);
  return fault.edit ? fault.edit(whole, body.length) : whole;
}

/** The MAC as it must be; its inputs may be others. */
function macOf(
  of,
  { salt = 'frameseal sidecar v1', info = infoOf(of), key = of.dataKey, hash = 'sha512' } = {},
) {
  const macKey = Buffer.from(hkdfSync(hash, key, salt, info, 64));
  return createHmac(hash, macKey).update(of.body).digest();
}

function infoOf({ suite, messageId, commitKey }) {
  return Buffer.concat([Buffer.from(suite, 'hex'), sized(messageId), sized(commitKey)]);
}

function faults(suite) {
  const add = (name, outcomes, fault, options) =>
    test(`${suite}-${name}`, suite, sidecar(suite, fault), outcomes, options);
  for (const [name, fault] of Object.entries({ ...bindings(suite), ...structure(), ...macs(suite) }))
    add(name, MISMATCH, fault);
  const { messageId, dataKey } = made[suite];
  const other = draw(`${suite} another data key`, 32);
  const wraps = (key, how) => ({ edks: ({ pairs }) => [edk(keys, how, { dataKey: key, pairs })] });
  const stranger = { 'aes-256': 'AUTHENTICATION_FAILED', 'aes-128': 'SIDECAR_MISMATCH' };
  add('another-data-key', stranger, { ...wraps(other, 'aes-256'), macUnder: other });
  add('another-data-key-of-the-writer', { ...stranger, 'aes-128': 'opens' }, wraps(other, 'aes-256'));
  const rsa = { 'rsa-oaep-sha256': 'AUTHENTICATION_FAILED', 'aes-128': 'SIDECAR_MISMATCH' };
  add('another-data-key-rsa', rsa, { ...wraps(other, 'rsa-oaep-sha256'), macUnder: other });
  const short = draw(`${suite} short data key`, 16);
  const unread = { 'aes-256': 'NO_DATA_KEY', 'aes-128': 'opens' };
  add('short-data-key', unread, wraps(short, 'aes-256'));
  add('no-context', unread, { edks: () => [edk(keys, 'aes-256', { pairs: [], dataKey })] });
  add('rsa', { 'rsa-oaep-sha256': 'opens', 'aes-128': 'opens' }, { edks: rsaEdks });
  add('limit-1', limitOf('LIMIT_EXCEEDED'), {}, { maxEncryptedDataKeys: 1 });
  add('limit-2', limitOf('opens'), {}, { maxEncryptedDataKeys: 2 });
  const twin = { messageId: draw(`${suite} twin`, messageId.length) };
  twin.commitKey = derive(suite, dataKey, twin.messageId).commitKey;
  add('of-a-message-with-the-same-data-key', MISMATCH, twin);
}

function rsaEdks(materials) {
  return [rsaEdk(keys, 'rsa-oaep-sha256', materials)];
}

function limitOf(outcome) {
  return { 'aes-256': outcome, 'aes-128': outcome };
}

// Fields that name another message.
function bindings(suite) {
  const flipped = (field) => {
    const bytes = Buffer.from(made[suite][field]);
    if (bytes.length > 0) bytes[bytes.length - 1] ^= 1;
    return { [field]: bytes };
  };
  return {
    'another-message-id': flipped('messageId'),
    'another-suite': { suite: suite === V1 ? '0378' : '0578' },
    'unknown-suite': { suite: '0678' },
    ...(suite === V2 && { 'another-commit-key': flipped('commitKey') }),
  };
}

function structure() {
  const edits = {
    empty: (bytes) => bytes.subarray(0, 0),
    'one-byte-less': (bytes) => bytes.subarray(0, -1),
    'one-byte-more': (bytes) => Buffer.concat([bytes, Buffer.of(0)]),
    'no-mac': (bytes, end) => bytes.subarray(0, end),
    'mac-of-32-bytes': (bytes, end) => bytes.subarray(0, end + 32),
    'mac-bit': (bytes, end) => {
      bytes[end] ^= 1;
      return bytes;
    },
  };
  const badText = (materials) => [{ ...edk(keys, 'aes-256', materials), id: Buffer.of(0xff) }];
  return {
    'another-mark': { magic: Buffer.from('FSSc') },
    'version-2': { version: Buffer.of(2) },
    'count-0': { count: 0, edks: () => [] },
    'count-too-low': { edks: (m) => [edk(keys, 'aes-256', m), edk(keys, 'aes-192', m)], count: 1 },
    'count-too-high': { count: 2 },
    'count-65535': { count: 0xffff },
    'provider-id-not-utf8': { edks: badText },
    'byte-before-the-mac': { behind: Buffer.of(0) },
    ...Object.fromEntries(Object.entries(edits).map(([name, edit]) => [name, { edit }])),
  };
}

// Ways to make the MAC that another implementer might think of.
function macs(suite) {
  const { messageId, commitKey, key } = made[suite];
  const id = Buffer.from(suite, 'hex');
  const infos = {
    'info-empty': Buffer.alloc(0),
    'info-without-suite': Buffer.concat([sized(messageId), sized(commitKey)]),
    'info-without-lengths': Buffer.concat([id, messageId, commitKey]),
    'info-without-commit-key-length': Buffer.concat([id, sized(messageId), commitKey]),
    'info-reversed': Buffer.concat([id, sized(commitKey), sized(messageId)]),
    ...(suite === V2 && { 'info-without-commit-key': Buffer.concat([id, sized(messageId)]) }),
  };
  const withMac = (change) => ({ mac: (of) => macOf(of, change) });
  return {
    ...Object.fromEntries(Object.entries(infos).map(([name, info]) => [`mac-${name}`, withMac({ info })])),
    'mac-without-salt': withMac({ salt: '' }),
    'mac-salt-message-id': withMac({ salt: messageId }),
    'mac-salt-v2': withMac({ salt: 'frameseal sidecar v2' }),
    'mac-under-derived-key': withMac({ key }),
    'mac-sha384': { mac: (of) => Buffer.concat([macOf(of, { hash: 'sha384' }), Buffer.alloc(16)]) },
    'mac-under-data-key': { mac: ({ body, dataKey }) => createHmac('sha512', dataKey).update(body).digest() },
    'mac-over-entries-alone': { mac: (of) => macOf({ ...of, body: Buffer.concat([u16(1), ...of.edks]) }) },
  };
}

// More than one entry, and more than one sidecar.
function several(suite) {
  const two = sidecar(suite, { edks: (m) => [...rsaEdks(m), edk(keys, 'aes-256', m)] });
  const each = {
    'rsa-oaep-sha256': 'opens',
    'aes-256': 'opens',
    'aes-128': 'opens',
    'aes-192': 'NO_DATA_KEY',
  };
  test(`${suite}-two-entries`, suite, two, each);
  const [aes, rsa] = [sidecar(suite), sidecar(suite, { edks: rsaEdks })];
  test(`${suite}-two-sidecars`, suite, [aes, rsa], each);
  test(`${suite}-the-same-twice`, suite, [aes, aes], OPENS);
  const wrong = sidecar(suite, { mac: () => Buffer.alloc(64) });
  test(`${suite}-second-sidecar-wrong`, suite, [aes, wrong], MISMATCH);
  message(suite, `${suite}-other`);
  test(`${suite}-of-another-message`, suite, sidecar(`${suite}-other`), MISMATCH);
  test(`${suite}-first-sidecar-of-another-message`, suite, [sidecar(`${suite}-other`), aes], MISMATCH);
}

// A pair that the header does not store is part of the context under which a sidecar's entries are wrapped.
function required() {
  for (const suite of ['0378', '0578']) {
    const name = `${suite}-required`;
    message(suite, name, [['tenant', 'a']]);
    const given = { encryptionContext: { tenant: 'a' } };
    test(`${name}-reproduced`, name, sidecar(name), { 'aes-256': 'opens', 'aes-128': 'opens' }, given);
    const missing = { 'aes-256': 'NO_DATA_KEY', 'aes-128': 'NO_DATA_KEY' };
    test(`${name}-missing`, name, sidecar(name), missing);
    const differs = { 'aes-256': 'CONTEXT_MISMATCH', 'aes-128': 'CONTEXT_MISMATCH' };
    test(`${name}-differs`, name, sidecar(name), differs, { encryptionContext: { tenant: 'b' } });
  }
}
