/**
 * The example page in Chromium and Firefox: all cases with both ways to save, in both themes where it matters.
 *
 *   node run.mjs [--only BROWSER] [--case TEXT] [--gib] [--app FOLDER]
 *
 * --case runs those whose name has the text; --gib sends 1 GiB through Chromium instead of 128 MiB; --app is a folder that
 * app.mjs has made before.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installApp, startApp } from './app.mjs';
import { BROWSERS, missingBrowser, openContext } from './browsers.mjs';
import { ALLOWED_ERRORS, messageCases } from './cases-messages.mjs';
import { pageCases } from './cases-page.mjs';
import { checkMemory } from './memory.mjs';
import { visit } from './visit.mjs';

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    case: { type: 'string', default: '' },
    gib: { type: 'boolean' },
    app: { type: 'string' },
  },
});
const THEMES = ['light', 'dark'];
const SAVINGS = ['stream', 'blob'];
let passed = 0;
let failed = 0;

const folder = mkdtempSync(join(tmpdir(), 'frameseal-page-'));
try {
  const files = values.app ?? installApp(folder);
  const chosen = Object.keys(BROWSERS).filter((name) => name === (values.only ?? name));
  await Promise.all(chosen.map((name) => runBrowser(name, files)));
  if (chosen.includes('chromium')) await runMemory(files);
} finally {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;

// With servers and a KMS of its own: cases put faults on it.
async function runBrowser(name, files) {
  const why = missingBrowser(name);
  if (why) return void console.log(`not run: ${name} (${why})`);
  const app = await startApp(files);
  try {
    for (const theme of THEMES) {
      const browser = await BROWSERS[name].launch(theme);
      try {
        await runTheme(name, browser, theme, app);
      } finally {
        await browser.close();
      }
    }
  } finally {
    await app.close();
  }
}

// Alone, so that no other browser counts.
async function runMemory(files) {
  if (missingBrowser('chromium')) return;
  const app = await startApp(files);
  try {
    const mebibytes = values.gib ? 1024 : 128;
    await check('chromium: memory', (report) => checkMemory(folder, app, mebibytes, report));
  } finally {
    await app.close();
  }
}

// In the dark what the theme can change, in the light everything.
async function runTheme(name, browser, theme, app) {
  const cases = Object.entries(pageCases).filter(([title]) => theme === 'light' || title.startsWith('axe'));
  await runCases(`${name}, ${theme}`, cases, () => openContext(name, browser, theme, 'stream'), app);
  if (theme === 'dark') return;
  for (const saving of SAVINGS) {
    const open = () => openContext(name, browser, theme, saving);
    await runCases(`${name}, ${saving}`, Object.keys(messageCases).map(onOnePage), open, app);
  }
}

// One after the other in one context.
async function runCases(where, cases, open, app) {
  const context = await open();
  for (const [title, work] of cases) {
    await check(`${where}: ${title}`, (report) => work(context, app, report));
    await Promise.all(context.pages().map((page) => page.close()));
  }
  await context.close();
}

function onOnePage(title) {
  const work = async (context, app) => {
    const page = await visit(context, app.served.url, { allowed: ALLOWED_ERRORS[title] });
    await page.forgetFiles();
    await messageCases[title](page, app);
    assert.deepEqual(page.errors, []);
  };
  return [title, work];
}

async function check(title, work) {
  if (!title.includes(values.case)) return;
  try {
    await work((text) => console.log(`  ${title}: ${text}`));
    passed++;
  } catch (error) {
    failed++;
    console.log(`FAILED ${title}: ${error.stack}`);
  }
}
