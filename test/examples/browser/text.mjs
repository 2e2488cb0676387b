// Elements, links, and text that is safe to show.

const LONGEST = 300;

/** An element with children; a string becomes text, never markup. */
export function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

export function byId(id) {
  return document.getElementById(id);
}

/** Text of strangers: what is invisible or turns the direction of reading is written out, and long text is cut. */
export function safeText(text) {
  const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)}… (${text.length} characters)` : text;
  return shown.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\\]/gu,
    (character) => `\\u{${character.codePointAt(0).toString(16)}}`,
  );
}

/** 123 bytes; 4 KiB; 1.2 MiB */
export function size(bytes) {
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  if (bytes < 1024) return `${bytes} ${bytes === 1 ? 'byte' : 'bytes'}`;
  const power = Math.min(Math.floor(Math.log2(bytes) / 10), units.length);
  const value = bytes / 1024 ** power;
  return `${Number(value.toFixed(value < 10 ? 1 : 0))} ${units[power - 1]}`;
}

/** less than a second; 12 s; 3 min 5 s */
export function duration(seconds) {
  const whole = Math.round(seconds);
  if (whole < 1) return 'less than a second';
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} min ${whole % 60} s`;
}

export function hex(bytes) {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/** Puts a link to save `blob` into a place, or takes it away again, and what it led to with it. */
export function offerDownload(place, blob, name, text, className = '') {
  const before = place.querySelector('a');
  if (before) URL.revokeObjectURL(before.href);
  place.replaceChildren();
  if (blob === undefined) return;
  const href = URL.createObjectURL(blob);
  place.append(element('a', { href, download: name, className: `button ${className}` }, text));
}
