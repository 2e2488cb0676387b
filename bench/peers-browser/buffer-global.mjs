/**
 * The published SDK for browsers expects a global `Buffer`: imported before it.
 */
import { Buffer } from 'buffer/index.js';

globalThis.Buffer ??= Buffer;
