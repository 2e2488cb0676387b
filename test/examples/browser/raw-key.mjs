// The raw AES key: pasted, loaded from a file or made here. It is held as a CryptoKey that no script can read, in memory only.

import { byId, hex, offerDownload } from './text.mjs';

const LENGTHS = [16, 24, 32];
const LONGEST_FILE = 1024;

let wrappingKey;
let loading = Promise.resolve();
let ownNames; // what was entered before a message said how its key is called

export function wireRawKey() {
  const load = (work) => {
    loading = work().catch((error) => say(error.message, 'bad'));
  };
  byId('key-text').addEventListener('change', () => load(fromField));
  byId('key-file').addEventListener('change', () => load(fromFile));
  byId('key-generate').addEventListener('click', () => load(generate));
  byId('key-kept').addEventListener('click', () => {
    hideNewKey();
    byId('key-forget').focus();
  });
  byId('key-forget').addEventListener('click', () => {
    forget();
    byId('key-text').focus();
  });
}

/** The key as `rawAesKeyring` takes it; `undefined` if there is none. */
export async function rawKey() {
  await loading;
  if (byId('key-text').value !== '') await fromField().catch((error) => say(error.message, 'bad'));
  if (wrappingKey === undefined) return undefined;
  return { keyNamespace: byId('key-namespace').value, keyName: byId('key-name').value, wrappingKey };
}

/** Enters how a message calls its key: { namespace, name }. Without, what was entered before comes back. */
export function suggestNames(names) {
  const [namespace, name] = [byId('key-namespace'), byId('key-name')];
  if (names) ownNames ??= { namespace: namespace.value, name: name.value };
  const entered = names ?? ownNames;
  if (entered === undefined) return;
  namespace.value = entered.namespace;
  name.value = entered.name;
  if (!names) ownNames = undefined;
}

async function fromField() {
  const field = byId('key-text');
  const text = field.value;
  field.value = '';
  if (text !== '') await take(fromText(text.trim()), 'pasted');
}

async function fromFile() {
  const field = byId('key-file');
  const [file] = field.files;
  field.value = '';
  if (file === undefined) return;
  if (file.size > LONGEST_FILE) throw wrongLength(file.size);
  const bytes = new Uint8Array(await file.arrayBuffer());
  await take(fromContents(bytes), 'from a file');
}

async function generate() {
  const bytes = crypto.getRandomValues(new Uint8Array(32));
  const text = hex(bytes);
  byId('key-value').textContent = text;
  const file = new Blob([`${text}\n`], { type: 'text/plain' });
  offerDownload(byId('key-save'), file, 'frameseal.key', 'Save key file');
  byId('key-shown').hidden = false;
  await take(bytes, 'made here');
  byId('key-save').querySelector('a').focus();
}

// AES-192 stays bytes: not every browser has such CryptoKeys, and the library does without.
async function take(bytes, origin) {
  const { length } = bytes;
  if (!LENGTHS.includes(length)) throw wrongLength(length);
  if (length === 24) wrappingKey = bytes;
  else {
    wrappingKey = await crypto.subtle.importKey('raw', bytes, 'AES-GCM', false, ['encrypt', 'decrypt']);
    bytes.fill(0);
  }
  say(`A ${length * 8}-bit key, ${origin}.`, 'good');
  byId('key-load').hidden = true;
  byId('key-forget').hidden = false;
}

function forget() {
  if (wrappingKey instanceof Uint8Array) wrappingKey.fill(0);
  wrappingKey = undefined;
  hideNewKey();
  say('No key yet.');
  byId('key-load').hidden = false;
  byId('key-forget').hidden = true;
}

function hideNewKey() {
  byId('key-shown').hidden = true;
  byId('key-value').textContent = '';
  offerDownload(byId('key-save'));
}

// A file of raw bytes, or of one line of text. What could be either is not guessed.
function fromContents(bytes) {
  const text = new TextDecoder('latin1').decode(bytes).trim();
  if (!LENGTHS.includes(bytes.length)) return fromText(text);
  if (isKeyText(text)) throw new Error('That file may be raw bytes or text. If it is text, paste it above.');
  return bytes;
}

function isKeyText(text) {
  try {
    return LENGTHS.includes(fromText(text).length);
  } catch {
    return false;
  }
}

function fromText(text) {
  const isHex = /^([0-9a-f]{2})+$/i.test(text);
  if (isHex && LENGTHS.includes(text.length / 2))
    return Uint8Array.from(text.match(/../g), (pair) => Number.parseInt(pair, 16));
  if (!isHex && /^[A-Za-z0-9+/]+={0,2}$/.test(text)) return fromBase64(text);
  if (isHex) throw wrongLength(text.length / 2);
  throw new Error(
    'That is neither hex nor base64. A key is 32, 48 or 64 hex digits, or 24, 32 or 44 of base64.',
  );
}

function fromBase64(text) {
  try {
    return Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
  } catch {
    throw new Error('That is base64 with a character too few or too many. Copy the whole key.');
  }
}

function wrongLength(length) {
  const bytes = length === 1 ? '1 byte' : `${length} bytes`;
  return new Error(
    `That is ${bytes}. An AES key has 16, 24 or 32: 32, 48 or 64 hex digits, or 24, 32 or 44 of base64.`,
  );
}

function say(text, kind = '') {
  const state = byId('key-state');
  state.textContent = text;
  state.className = `state ${kind}`;
}
