/**
 * `frameseal/deterministic`: fields that are encrypted the same way each time, so that equal values can be found, and blind
 * indices to search by. What that gives away is in docs/deterministic.md.
 */
export type { FieldOptions, IndexOptions, PinnedDataKey } from './pinned-data-key.ts';
export { createPinnedDataKey, openPinnedDataKey } from './pinned-message.ts';
