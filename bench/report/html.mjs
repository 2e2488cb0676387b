/** Markup from templates: what is put in is escaped, unless it is markup itself. */

class Markup {
  constructor(text) {
    this.text = text;
  }

  toString() {
    return this.text;
  }
}

/** Text that is markup already. */
export const raw = (text) => new Markup(text);

/** A template. Lists are joined; nothing comes of `undefined`, `null` and `false`. */
export function html(strings, ...values) {
  return raw(strings.map((string, at) => string + (at < values.length ? markup(values[at]) : '')).join(''));
}

function markup(value) {
  if (value instanceof Markup) return value.text;
  if (Array.isArray(value)) return value.map(markup).join('');
  return value === undefined || value === null || value === false ? '' : escaped(`${value}`);
}

function escaped(text) {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
