// What went wrong, in plain language. The codes are those of FramesealError, and names of DOMExceptions.

const NOT_KEPT = 'Nothing was saved.';

const TEXTS = {
  NO_DATA_KEY: [
    'No key opened this message',
    'It was encrypted under another key, or the key goes by another namespace or name in it. The header says which keys it names.',
  ],
  AUTHENTICATION_FAILED: [
    'This message is not authentic',
    'It was altered or damaged after it was written. Get it again from where it came from.',
  ],
  INVALID_MESSAGE: [
    'This is not a message',
    'The file is not an AWS Encryption SDK message, or its header is damaged. To protect the file itself, choose Encrypt.',
  ],
  TRUNCATED: [
    'The message ends too early',
    'A part of it is missing, as after a broken download. Get it again.',
  ],
  TRAILING_BYTES: [
    'Something follows the message',
    'Two files were joined, or bytes were added behind its end.',
  ],
  BASE64_MESSAGE: [
    'This is base64 text of a message',
    'Decode it to bytes first, for example with: base64 -d message.txt > message',
  ],
  LIMIT_EXCEEDED: [
    'A limit is exceeded',
    'This page opens messages with up to 16 data keys and frames of up to 64 MiB.',
  ],
  COMMITMENT_POLICY: [
    'This message has no key commitment',
    'It is of an older suite, which this page does not open. Programs can, by their commitmentPolicy.',
  ],
  CONTEXT_MISMATCH: [
    'The encryption context differs',
    'A pair that you entered is not the message’s. Correct it, or remove it to open the message without asking for it.',
  ],
  KMS_FAILED: ['KMS refused', 'A key may be disabled or deleted, or may not be used by you.'],
  TIMEOUT: ['KMS did not answer in time', 'Is the local server still running? Then try again.'],
  UNSUPPORTED: [
    'This browser cannot do that',
    'It lacks something that the message or the key needs: AES-192 keys, for example, or WebAssembly.',
  ],
  INVALID_ARGUMENT: ['Something that was entered cannot be used', 'The text below names it.'],
  NotReadableError: [
    'The file cannot be read any more',
    'It was changed, moved or overwritten since you chose it. Choose it again.',
  ],
  NotFoundError: ['The file is gone', 'It was moved or removed since you chose it. Choose it again.'],
  QuotaExceededError: ['There is no room for the result', 'Free some space, or save it elsewhere.'],
  NotAllowedError: ['The browser may not write there', 'Start again and choose another place.'],
  NoWorker: [
    'The page did not start',
    'Its worker could not be loaded. It is bundled by serve.mjs, or by a bundler of yours.',
  ],
};

/** { title, text } for an error. */
export function inPlainLanguage({ code }) {
  const [title, text] = TEXTS[code] ?? ['Something went wrong', 'The text below says what.'];
  return { title, text: `${text} ${NOT_KEPT}` };
}

/** Whether it is the person’s own wish. */
export function isCancelled({ code }) {
  return code === 'ABORTED' || code === 'AbortError';
}
