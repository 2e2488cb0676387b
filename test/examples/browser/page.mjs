// The page: what the person chooses goes to the worker, and what the worker says is shown. Nothing is computed here.

import { contextPairs, wirePairs } from './context-pairs.mjs';
import { inPlainLanguage, isCancelled } from './errors.mjs';
import { headerView, rawKeyNames } from './header-view.mjs';
import { kmsKeys, listKmsKeys } from './kms-keys.mjs';
import { rawKey, suggestNames, wireRawKey } from './raw-key.mjs';
import * as status from './status-view.mjs';
import { byId, element, safeText, size } from './text.mjs';

const EXTENSION = '.fseal';
const NO_FILE = byId('file-about').textContent;
/** Where the browser cannot stream to the disk, the result is kept until it is saved. */
const canStream = 'showSaveFilePicker' in window;

const worker = new Worker(new URL('worker.mjs', import.meta.url), { type: 'module' });
const inspected = { id: 0, header: undefined, plaintext: undefined };
let task; // what runs: { mode, file, name, target }
let choosing = false; // whether a person is asked where to save it

const handlers = {
  ready({ kernel }) {
    const isFast = kernel.state === 'ready';
    byId('engine').textContent = isFast
      ? `AES by WebAssembly${kernel.build === 'relaxed' ? ' with relaxed SIMD' : ''} and this browser’s WebCrypto.`
      : 'AES by this browser’s WebCrypto. WebAssembly is not allowed here, and not needed.';
  },
  inspected(answer) {
    if (answer.id !== inspected.id) return; // another file has been chosen since
    Object.assign(inspected, answer);
    if (answer.header) foundMessage(answer.header);
    else foundOther(answer.error);
  },
  progress({ bytes }) {
    if (task) status.showProgress(bytes, task.file.size);
  },
  header({ header }) {
    if (!task) return;
    const decrypts = task.mode === 'decrypt';
    showHeader(header, decrypts ? 'verified' : 'written', decrypts ? inspected.plaintext : undefined);
    if (decrypts && header.signed) status.showSigned();
  },
  done({ bytes, blob }) {
    const { mode, name, target } = finish();
    const saved = target ? `Saved as ${safeText(target.name)}` : `Ready to be saved as ${safeText(name)}`;
    const title = mode === 'encrypt' ? 'Encrypted' : 'Decrypted and verified';
    const text = `${saved}: ${status.summary(bytes)}.`;
    status.showOutcome('done', { title, text, ...(blob && { save: { blob, name } }) });
  },
  failed({ error }) {
    if (finish().mode === 'encrypt') byId('header').replaceChildren(); // there is no such message
    if (isCancelled(error)) {
      status.showOutcome('cancelled', { title: 'Cancelled', text: 'Nothing was saved.' });
      return;
    }
    const list = error.attempts
      .slice(0, 10)
      .map((one) => `${one.providerId} / ${one.keyName}: ${one.reason}`);
    const code = list.length > 0 ? error.code : `${error.code}: ${error.message}`;
    status.showOutcome('error', { ...inPlainLanguage(error), list, code });
  },
};

worker.addEventListener('message', ({ data }) => handlers[data.event](data));
worker.addEventListener('error', () => {
  finish();
  status.showOutcome('error', inPlainLanguage({ code: 'NoWorker' }));
});
wireRawKey();
wirePairs();
listKmsKeys();
byId('form').addEventListener('submit', (event) => {
  event.preventDefault();
  if (!task && !choosing) run();
});
byId('form').addEventListener('change', showChoices);
byId('file').addEventListener('change', fileChosen);
byId('cancel').addEventListener('click', () => worker.postMessage({ task: 'cancel' }));
wireDrop();
showChoices();

function fileChosen() {
  const [file] = byId('file').files;
  Object.assign(inspected, { id: inspected.id + 1, header: undefined, plaintext: undefined });
  status.clearOutcome();
  byId('header').replaceChildren();
  byId('file-about').textContent = file ? size(file.size) : NO_FILE;
  if (file) worker.postMessage({ task: 'inspect', id: inspected.id, file });
}

function foundMessage(header) {
  choose('mode', 'decrypt');
  showHeader(header, 'unverified', inspected.plaintext);
  const [raw] = rawKeyNames(header);
  const isKms = header.encryptedDataKeys.some(({ providerId }) => providerId === 'aws-kms');
  suggestNames(raw);
  if (raw && !isKms) choose('source', 'raw');
  if (!raw && isKms && !byId('source-kms').disabled) choose('source', 'kms');
}

function foundOther({ code }) {
  const isText = code === 'BASE64_MESSAGE';
  choose('mode', isText ? 'decrypt' : 'encrypt');
  suggestNames();
  const text = isText ? inPlainLanguage({ code }).title : 'This file is not a message. It can be encrypted.';
  byId('header').replaceChildren(element('p', { className: 'hint' }, text));
}

function showHeader(header, state, plaintext) {
  byId('header').replaceChildren(...headerView(header, state, plaintext));
}

function choose(name, value) {
  document.querySelector(`[name=${name}][value=${value}]`).checked = true;
  showChoices();
}

function chosen(name) {
  return document.querySelector(`[name=${name}]:checked`).value;
}

function showChoices() {
  const encrypts = chosen('mode') === 'encrypt';
  byId('raw').hidden = chosen('source') !== 'raw';
  byId('kms').hidden = chosen('source') !== 'kms';
  byId('key-new').hidden = !encrypts;
  byId('signed-choice').hidden = !encrypts;
  byId('run').textContent = encrypts ? 'Encrypt and save' : 'Decrypt and save';
  byId('context-hint').textContent = encrypts
    ? 'Pairs that go with the message in clear text, and cannot be altered. No secrets here.'
    : 'Pairs that the message must carry. Without any, whatever it carries is accepted.';
  byId('where').textContent = canStream
    ? 'It is streamed to the file that you choose.'
    : 'This browser cannot stream to a file: the result is kept by it until you save it.';
}

async function run() {
  const [file] = byId('file').files;
  if (!file) return status.showProblem('Choose a file first.', byId('file'));
  const raw = chosen('source') === 'raw' ? await rawKey() : undefined;
  const kms = raw ? undefined : chosen('source') === 'kms' ? kmsKeys() : undefined;
  if (!raw && !kms) return status.showProblem('There is no key yet.', keyField());
  try {
    await start(file, raw ? { raw } : { kms }, contextPairs());
  } catch (error) {
    if (!isCancelled({ code: error.name })) status.showProblem(error.message);
  }
}

async function start(file, key, context) {
  const mode = chosen('mode');
  const name = mode === 'encrypt' ? `${file.name}${EXTENSION}` : plainName(file.name);
  const target = canStream ? await chooseTarget(name) : undefined;
  task = { mode, file, name, target };
  byId('form').inert = true;
  status.showRunning(mode === 'encrypt' ? 'Encrypting' : 'Decrypting');
  worker.postMessage({ task: 'run', mode, file, target, key, context, signed: byId('signed').checked });
}

async function chooseTarget(suggestedName) {
  choosing = true;
  try {
    return await window.showSaveFilePicker({ suggestedName });
  } finally {
    choosing = false;
  }
}

function finish() {
  const finished = task;
  task = undefined;
  byId('form').inert = false;
  return finished;
}

function plainName(name) {
  return name.endsWith(EXTENSION) ? name.slice(0, -EXTENSION.length) : `${name}.decrypted`;
}

function keyField() {
  return document.querySelector(chosen('source') === 'raw' ? '#key-text' : '#kms-keys input');
}

// Anywhere on the page: a file that misses the zone would open in place of it.
function wireDrop() {
  const isOver = (over) => byId('drop').classList.toggle('over', over);
  addEventListener('dragover', (event) => {
    event.preventDefault();
    isOver(true);
  });
  addEventListener('dragleave', () => isOver(false));
  addEventListener('drop', (event) => {
    event.preventDefault();
    isOver(false);
    if (task || event.dataTransfer.files.length === 0) return;
    byId('file').files = event.dataTransfer.files;
    fileChosen();
  });
}
