/**
 * The shared test data: where they are, and how their files are read.
 *
 * They live beside the project, in `../shared/vectors`; FRAMESEAL_VECTORS names another folder.
 */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Bytes } from '../../src/bytes.ts';

const RELATIVE = '../shared/vectors';
const override: string | undefined = process.env.FRAMESEAL_VECTORS;
const root: URL = new URL('../../', import.meta.url);
const folder: string = override ?? fileURLToPath(new URL(RELATIVE, root));

/** What is said when the folder is missing; `undefined` when it is there. */
export const MISSING: string | undefined = existsSync(`${folder}/README.md`)
  ? undefined
  : `not run: shared vectors (folder ${override ?? RELATIVE} is missing)`;

/** The bytes of a file, its path relative to the shared folder. */
export function fileBytes(path: string): Bytes {
  return new Uint8Array(readFileSync(`${folder}/${path}`));
}

/** The text of a file. */
export function fileText(path: string): string {
  return readFileSync(`${folder}/${path}`, 'utf8');
}

/** A JSON file, of the shape that the caller knows. */
export function fileJson<T>(path: string): T {
  return JSON.parse(fileText(path)) as T;
}

/** Bytes of hexadecimal text. */
export function fromHex(text: string): Bytes {
  return new Uint8Array(Buffer.from(text, 'hex'));
}

/** Bytes of base64 text. */
export function fromBase64(text: string): Bytes {
  return new Uint8Array(Buffer.from(text, 'base64'));
}

/** Hexadecimal text, for comparisons that fail legibly. */
export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
