/** This package's version, as the user agent of its KMS clients names it. */
export const VERSION = '0.1.0';
