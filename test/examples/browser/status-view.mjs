// What is going on, for eyes and for screen readers: progress, then the outcome.

import { byId, duration, element, offerDownload, safeText, size } from './text.mjs';

const ANNOUNCED_EVERY = 0.25;

let began = 0;
let announced = 0;

export function showRunning(title) {
  began = performance.now();
  announced = 0;
  settle('running', title);
  byId('running').hidden = false;
  byId('outcome').hidden = true;
  byId('signed-note').hidden = true;
  showProgress(0, 1);
  byId('numbers').textContent = 'Starting…';
  announce(title);
  byId('cancel').focus();
}

export function showProgress(bytes, total) {
  const part = total === 0 ? 1 : bytes / total;
  const seconds = (performance.now() - began) / 1000;
  byId('bar').value = part;
  byId('numbers').textContent = [
    `${size(bytes)} of ${size(total)}`,
    `${size(Math.round(bytes / Math.max(seconds, 0.001)))} a second`,
    ...(part > 0 && part < 1 && seconds > 1 ? [`${duration((seconds / part) * (1 - part))} left`] : []),
  ].join(' · ');
  if (part < announced + ANNOUNCED_EVERY || part >= 1) return;
  announced = part;
  announce(`${Math.floor(part * 100)} percent`);
}

/** It is signed: the person learns when the file is complete. */
export function showSigned() {
  byId('signed-note').hidden = false;
}

/**
 * How it ended.
 * @param kind 'done' | 'error' | 'cancelled'
 * @param outcome { title, text, code?, list?, save? }: `save` is the blob and the name of a file to be saved
 */
export function showOutcome(kind, { title, text, code, list = [], save }) {
  settle(kind, title);
  byId('running').hidden = true;
  byId('outcome').hidden = false;
  byId('outcome-text').textContent = text;
  byId('outcome-code').textContent = code ?? '';
  byId('outcome-code').hidden = code === undefined;
  byId('outcome-list').replaceChildren(...list.map((one) => element('li', {}, one)));
  byId('outcome-list').hidden = list.length === 0;
  offerDownload(byId('save'), save?.blob, save?.name, `Save ${safeText(save?.name ?? '')}`, 'primary');
  byId(kind === 'error' ? 'alarm' : 'announce').textContent = `${title}. ${text}`;
  (byId('save').querySelector('a') ?? byId('status-title')).focus();
}

/** Takes away what is said of an earlier file, unless its result is still to be saved. */
export function clearOutcome() {
  byId('status').hidden = !byId('save').hasChildNodes();
}

/** Says why nothing runs yet. */
export function showProblem(text, field) {
  showOutcome('error', { title: 'Not started', text });
  field?.focus();
}

/** How much, and how long it took. */
export function summary(bytes) {
  const seconds = (performance.now() - began) / 1000;
  return `${size(bytes)} in ${duration(seconds)}`;
}

function settle(state, title) {
  document.body.dataset.state = state;
  byId('status').hidden = false;
  byId('status').className = `card ${state}`;
  byId('status-title').textContent = title;
  byId('announce').textContent = '';
  byId('alarm').textContent = '';
}

function announce(text) {
  byId('announce').textContent = text;
}
