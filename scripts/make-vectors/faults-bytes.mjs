/**
 * Faults of a message as a whole: cut off, added to, or no bytes of a message at all.
 */
import { ALL, fault, UNSIGNED, V1, V2 } from './fault.mjs';

export function byteFaults() {
  return [...truncated(), ...added(), ...encoded()];
}

function truncated() {
  const cut = (name, at, suites = ALL) =>
    fault(`truncated-${name}`, 'TRUNCATED', suites, {
      editBytes: (bytes, marks) => bytes.subarray(0, at(marks, bytes)),
    });
  return [
    cut('to-nothing', () => 0),
    cut('to-1-byte', () => 1),
    cut('in-message-id', () => 10),
    cut('in-context', (_, bytes) => (bytes[0] === 1 ? 4 + 16 : 3 + 32) + 5),
    cut('in-encrypted-data-key', ({ headerAuth }) => headerAuth - 60),
    cut('in-frame-length', ({ headerAuth }, bytes) => headerAuth - (bytes[0] === 1 ? 1 : 33)),
    cut('in-commit-key', ({ headerAuth }) => headerAuth - 1, V2),
    cut('before-header-tag', ({ headerAuth }) => headerAuth),
    cut('in-header-tag', ({ body }) => body - 1),
    cut('before-body', ({ body }) => body),
    cut('in-sequence-number', ({ body }) => body + 3),
    cut('in-frame-iv', ({ body }) => body + 10),
    cut('in-frame-tag', ({ body }) => body + 4 + 12 + 16 + 15),
    cut('behind-first-frame', ({ body }) => body + 48),
    cut('in-final-marker', ({ footer }) => footer - 48 + 2),
    cut('in-final-length', ({ footer }) => footer - 48 + 23),
    cut('in-final-tag', ({ footer }) => footer - 1),
    cut('before-footer', ({ footer }) => footer, ['0378', '0578']),
    cut('in-footer-length', ({ footer }) => footer + 1, ['0378', '0578']),
    cut('in-signature', ({ end }) => end - 1, ['0378', '0578']),
  ];
}

function added() {
  const add = (name, more) =>
    fault(`trailing-${name}`, 'TRAILING_BYTES', ALL, {
      editBytes: (bytes) => Buffer.concat([bytes, more(bytes)]),
    });
  return [
    add('byte', () => Buffer.of(0)),
    add('newline', () => Buffer.of(10)),
    add('copy', (bytes) => bytes),
  ];
}

function encoded() {
  const text = (name, code, suites, encode) =>
    fault(name, code, suites, { editBytes: (bytes) => Buffer.from(encode(bytes)) });
  return [
    text('base64', 'BASE64_MESSAGE', [...V1, ...V2], (bytes) => bytes.toString('base64')),
    text('base64-behind-newline', 'INVALID_MESSAGE', UNSIGNED, (bytes) => `\n${bytes.toString('base64')}`),
    text('hexadecimal', 'INVALID_MESSAGE', UNSIGNED, (bytes) => bytes.toString('hex')),
    text('zeros', 'INVALID_MESSAGE', UNSIGNED, (bytes) => Buffer.alloc(bytes.length)),
    text('ones', 'INVALID_MESSAGE', UNSIGNED, (bytes) => Buffer.alloc(bytes.length, 0xff)),
    text('json', 'INVALID_MESSAGE', UNSIGNED, () => '{"message":"none"}'),
  ];
}
