// The keys of the local KMS, which serve.mjs names. On any other server there are none.

import { byId, element } from './text.mjs';

let credentials;

/** Asks the server, and lists the keys. */
export async function listKmsKeys() {
  const kms = await kmsOfServer();
  byId('source-kms').disabled = kms === undefined;
  if (kms === undefined) {
    byId('source-kms').nextElementSibling.append(' (not on this server)');
    return;
  }
  credentials = kms.credentials;
  byId('kms-about').textContent =
    'A KMS for tests, on this machine. It is sent the encryption context and never the file. Its keys are gone when the server stops, and with them what they encrypt.';
  byId('kms-keys').append(...kms.keys.map(choice));
}

/** The chosen keys, as the worker takes them; `undefined` if there is none. */
export function kmsKeys() {
  const arns = Array.from(document.querySelectorAll('#kms-keys input:checked'), ({ value }) => value);
  return arns.length === 0 ? undefined : { arns, path: '/kms', credentials };
}

async function kmsOfServer() {
  try {
    const answer = await fetch('/config.json');
    return answer.ok ? (await answer.json()).kms : undefined;
  } catch {
    return undefined;
  }
}

function choice({ arn, region }) {
  const box = element('input', { type: 'checkbox', value: arn, checked: true });
  const name = element('span', {}, element('strong', {}, region), ' ', element('code', {}, arn));
  return element('label', { className: 'check' }, box, name);
}
