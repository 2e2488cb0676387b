/** Paged lists. Markers are opaque: the last entry that was answered, in base64url. */
import { KmsError } from '../errors.ts';
import type { Input } from '../input.ts';
import type { Reply } from './operation.ts';

/** The entries after the request's marker, which are in ascending order of `nameOf`. */
export function page<T>(
  input: Input,
  all: readonly T[],
  nameOf: (entry: T) => string,
  limit: { readonly size: number; readonly max: number },
): { entries: readonly T[]; rest: Reply } {
  const size = input.integer('Limit', 1, limit.max) ?? limit.size;
  const after = markerText(input.optionalText('Marker'));
  const left = all.filter((entry) => nameOf(entry) > after);
  const entries = left.slice(0, size);
  const last = entries.at(-1);
  if (last === undefined || entries.length === left.length) return { entries, rest: { Truncated: false } };
  const marker = Buffer.from(nameOf(last)).toString('base64url');
  return { entries, rest: { Truncated: true, NextMarker: marker } };
}

function markerText(marker: string | undefined): string {
  const text = Buffer.from(marker ?? '', 'base64url').toString();
  if (marker !== undefined && Buffer.from(text).toString('base64url') !== marker) {
    throw new KmsError('InvalidMarkerException', 'The marker is not valid.');
  }
  return text;
}
