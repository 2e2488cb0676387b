/** playwright and axe, which are installed for test/runtimes. */
import { createRequire } from 'node:module';
import { dirname } from 'node:path';

const fromRuntimes = createRequire(new URL('../../runtimes/package.json', import.meta.url));

export const { chromium, firefox } = fromRuntimes('playwright-core');
/** A script that makes `axe`. */
export const AXE = fromRuntimes.resolve('axe-core/axe.min.js');
export const ESBUILD = dirname(fromRuntimes.resolve('esbuild/package.json'));
