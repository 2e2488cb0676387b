// A message header, field by field, with what each field is for.
//
// Until a key has opened the message, anyone may have written its header: the view says so, and all of its text is shown as
// text with control and direction characters written out.

import { element, hex, safeText, size } from './text.mjs';

/** Data keys and pairs that are shown at most: a header may have 65,535 of them. */
const SHOWN = 20;
const AES_TAIL = 20; // tag length, IV length, IV

/**
 * The view.
 * @param header as the worker tells it
 * @param state 'unverified' | 'verified' | 'written'
 * @param plaintext { min, max }, where it is known
 */
export function headerView(header, state, plaintext) {
  const list = element('dl', { className: 'header' });
  for (const [name, value, meaning] of fields(header, plaintext)) {
    list.append(
      element('dt', {}, name),
      element('dd', {}, value, element('p', { className: 'hint' }, meaning)),
    );
  }
  return [banner(state), list];
}

/** Namespace and name of the raw keys that a message names, as far as they can be typed. */
export function rawKeyNames({ encryptedDataKeys }) {
  return encryptedDataKeys
    .filter(({ providerId }) => !providerId.startsWith('aws-kms'))
    .map((one) => ({ namespace: one.providerId, name: keyName(one) }))
    .filter(({ namespace, name }) => [namespace, name].every((text) => safeText(text) === text));
}

const BANNERS = {
  unverified: [
    '!',
    'Not verified. Anyone can write a header: trust none of this before a key has opened the message.',
  ],
  verified: ['✓', 'Verified. A key has opened the message, and the header is as it was written.'],
  written: ['✓', 'The header of the new message.'],
};

function banner(state) {
  const [sign, text] = BANNERS[state];
  const mark = element('span', { className: 'sign' }, sign);
  mark.setAttribute('aria-hidden', 'true');
  return element('p', { id: 'header-state', className: `banner ${state}` }, mark, element('span', {}, text));
}

function fields(header, plaintext) {
  const { version, messageId, contentType, frameLength, headerLength, signed, committing } = header;
  return [
    ['Version', String(version), 'Of the message format. Version 2 goes with key commitment.'],
    ['Algorithm suite', suiteName(header), suiteMeaning(committing, signed)],
    ['Message id', code(hex(messageId)), 'Random, another one for each message. Its keys derive from it.'],
    ['Encryption context', pairs(header), contextMeaning(signed)],
    [
      'Encrypted data keys',
      dataKeys(header),
      'The message’s own key, once for each key that may open it. One is enough.',
    ],
    contentType === 'framed'
      ? [
          'Body',
          `frames of ${size(frameLength)}`,
          'Each frame is checked by itself, so a file of any length can be streamed.',
        ]
      : ['Body', 'one block', 'It is held in memory as a whole, because it has one tag.'],
    ...(plaintext ? [['Plaintext', range(plaintext), 'By the length of the message.']] : []),
    [
      'Header length',
      size(headerLength),
      'The bytes before the body, with the tag that makes them authentic.',
    ],
  ];
}

function suiteName({ suiteId, algorithmSuite }) {
  return code(`0x${suiteId.toString(16).padStart(4, '0')} ${algorithmSuite}`);
}

function suiteMeaning(committing, signed) {
  const key = committing
    ? 'Key commitment: the message opens under one data key only.'
    : 'No key commitment: an older suite.';
  const signature = signed
    ? 'Signed: the signature comes last, so the file is complete only at its end.'
    : 'Not signed: each frame is authentic by its own tag.';
  return `${key} ${signature}`;
}

function contextMeaning(signed) {
  const pairs = 'Pairs in clear text that are bound to the message.';
  return signed ? `${pairs} The signature is verified with aws-crypto-public-key.` : pairs;
}

function pairs({ encryptionContext }) {
  const all = Object.entries(encryptionContext);
  const shown = all.map(([key, value]) => element('li', {}, code(key), ' = ', code(value)));
  return all.length === 0 ? 'empty' : listOf(shown);
}

function dataKeys({ encryptedDataKeys }) {
  return listOf(encryptedDataKeys.slice(0, SHOWN + 1).map(dataKey), encryptedDataKeys.length);
}

function dataKey(edk) {
  const name = keyName(edk);
  const region = edk.providerId === 'aws-kms' ? name.split(':')[3] : undefined;
  return element(
    'li',
    {},
    code(edk.providerId),
    ...(region ? [' in ', code(region)] : []),
    ': ',
    code(name),
    `, ${size(edk.ciphertext.length)}`,
  );
}

function listOf(items, count = items.length) {
  const list = element('ul', {}, ...items.slice(0, SHOWN));
  if (count > SHOWN) list.append(element('li', {}, `and ${count - SHOWN} more`));
  return list;
}

// Isolated, so that letters of other directions reorder nothing around them.
function code(text) {
  return element('code', { dir: 'ltr' }, element('bdi', {}, safeText(text)));
}

// The provider information is the name; of a raw AES key it goes on with tag length 128, IV length 12 and IV.
function keyName({ providerInfo }) {
  const view = new DataView(providerInfo.buffer, providerInfo.byteOffset, providerInfo.length);
  const at = providerInfo.length - AES_TAIL;
  const isAes = at > 0 && view.getUint32(at) === 128 && view.getUint32(at + 4) === 12;
  const name = isAes ? providerInfo.subarray(0, at) : providerInfo;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(name);
  } catch {
    return `0x${hex(name)}`;
  }
}

function range({ min, max }) {
  if (min === max) return size(min);
  return size(min) === size(max) ? `about ${size(min)}` : `${size(min)} to ${size(max)}`;
}
