/**
 * Chromium and Firefox of Debian, driven by playwright. Each launch has one theme, because Firefox cannot be told later.
 */
import { existsSync } from 'node:fs';
import { AXE, chromium, firefox } from './tools.mjs';

/** By name: { executable, launch(theme) }. */
export const BROWSERS = {
  chromium: {
    executable: '/usr/bin/chromium',
    launch: () => chromium.launch({ executablePath: '/usr/bin/chromium', args: ['--no-sandbox'] }),
  },
  firefox: {
    executable: '/usr/bin/firefox-esr',
    launch: (theme) =>
      firefox.launch({
        channel: 'moz-firefox',
        executablePath: '/usr/bin/firefox-esr',
        firefoxUserPrefs: {
          'layout.css.prefers-color-scheme.content-override': theme === 'dark' ? 0 : 1,
          'ui.prefersReducedMotion': 1,
        },
      }),
  },
};

/** Why a browser cannot be run here; `undefined` if it can. */
export function missingBrowser(name) {
  const { executable } = BROWSERS[name];
  return existsSync(executable) ? undefined : `no ${executable}`;
}

/**
 * A context whose pages save as a case wants it.
 * @param saving 'stream': the picker answers a file of the origin's own file system, since nobody can click a real one;
 *   'blob': there is no picker
 */
export async function openContext(name, browser, theme, saving) {
  const media = name === 'chromium' ? { colorScheme: theme, reducedMotion: 'reduce' } : {};
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...media });
  await prepare(context, saving);
  return context;
}

/** The same for a context that is there already. */
export async function prepare(context, saving) {
  await context.addInitScript({ path: AXE });
  await context.addInitScript(prepareSaving, saving);
}

function prepareSaving(saving) {
  delete window.showSaveFilePicker;
  if (saving === 'stream') {
    window.showSaveFilePicker = async ({ suggestedName }) => {
      const root = await navigator.storage.getDirectory();
      return root.getFileHandle(suggestedName, { create: true });
    };
  }
  // Downloads are not to be seen from outside in Firefox: what links lead to is kept.
  window.blobs = new Map();
  const make = URL.createObjectURL.bind(URL);
  URL.createObjectURL = (blob) => {
    const url = make(blob);
    window.blobs.set(url, blob);
    return url;
  };
}
