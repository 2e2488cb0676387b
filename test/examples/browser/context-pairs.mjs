// The encryption context: any number of pairs.

import { byId, element } from './text.mjs';

let made = 0;

export function wirePairs() {
  byId('pair-add').addEventListener('click', () => {
    const row = pairRow(++made);
    byId('pairs').append(row);
    row.querySelector('input').focus();
  });
}

/** The pairs that have been entered. @throws Error for a key without text, or one that is there twice */
export function contextPairs() {
  const context = new Map();
  for (const row of byId('pairs').children) {
    const [key, value] = Array.from(row.querySelectorAll('input'), (input) => input.value);
    if (key === '' && value === '') continue;
    if (key === '') throw new Error('A pair of the encryption context has a value and no key.');
    if (context.has(key)) throw new Error('A key of the encryption context is there twice.');
    context.set(key, value);
  }
  return context;
}

function pairRow(number) {
  const remove = element('button', { type: 'button', className: 'remove' }, 'Remove');
  remove.setAttribute('aria-label', `Remove pair ${number}`);
  const row = element(
    'div',
    { className: 'pair-row' },
    field(`context-key-${number}`, `Key ${number}`),
    field(`context-value-${number}`, `Value ${number}`),
    remove,
  );
  remove.addEventListener('click', () => {
    row.remove();
    byId('pair-add').focus();
  });
  return row;
}

function field(id, label) {
  const input = element('input', { id, autocomplete: 'off', spellcheck: false });
  return element('div', {}, element('label', { htmlFor: id }, label), input);
}
