/**
 * How browsers are started on a page, without a driver and without a window: each with a profile of its own.
 */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const CPU = { x64: 'x86_64', arm64: 'aarch64' }[process.arch];
const MINIBROWSER = `/usr/lib/${CPU}-linux-gnu/webkit2gtk-4.1/MiniBrowser`;
const CHROMIUM_FLAGS = [
  '--headless=new',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** By name: { executable, library, args(url, profile), env? }: of the Debian package `library` is the version. */
export const BROWSERS = {
  chromium: {
    executable: '/usr/bin/chromium',
    library: 'chromium',
    args: (url, profile) => [...CHROMIUM_FLAGS, `--user-data-dir=${profile}`, url],
  },
  firefox: {
    executable: '/usr/bin/firefox-esr',
    library: 'firefox-esr',
    args: (url, profile) => ['--headless', '--no-remote', '--profile', profile, url],
  },
  webkitgtk: {
    executable: '/usr/bin/xvfb-run',
    library: 'libwebkit2gtk-4.1-0',
    args: (url) => ['--auto-servernum', MINIBROWSER, url],
    env: { WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS: '1' },
  },
  wpe: {
    executable: '/usr/bin/cog',
    library: 'libwpewebkit-1.1-0',
    args: (url) => ['--platform=headless', url],
  },
};

/** Why a browser cannot be started here; `undefined` if it can. */
export function missingBrowser(name) {
  const { executable } = BROWSERS[name];
  if (!existsSync(executable)) return `no ${executable}`;
  if (name === 'webkitgtk' && !existsSync(MINIBROWSER)) return `no ${MINIBROWSER}`;
  return undefined;
}

/** The version of a browser, or of the engine in it. */
export function versionOf(name) {
  const shown = execFileSync('dpkg-query', ['--show', BROWSERS[name].library], { encoding: 'utf8' });
  return shown.trim().split('\t')[1];
}
