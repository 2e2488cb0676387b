/**
 * Draws a report and looks at the page as people do: in Chromium, wide and narrow, light and dark, without scripts; then
 * measures Chromium and Firefox with it. node bench/report/check.mjs [REPORT.json]
 * Without a report a made-up one is drawn. Tools are those of test/runtimes.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import { checkAccess } from '../../test/ci/page/access.mjs';
import { BROWSERS, missingBrowser } from '../../test/ci/page/browsers.mjs';
import { AXE } from '../../test/ci/page/tools.mjs';
import { exampleReport } from './example.mjs';
import { drawingProblems, measuredProblems, structureProblems } from './look.mjs';
import { readReport, renderHtml, renderMarkdown } from './render.mjs';

const LARGEST = 2 ** 20;
/** Milliseconds, on a busy machine. */
const MEASURING = 240_000;

const report = process.argv[2] ? readReport(process.argv[2]) : exampleReport();
const folder = mkdtempSync(join(tmpdir(), 'frameseal-report-'));
let passed = 0;
let failed = 0;

try {
  const page = await renderHtml(report);
  const file = join(folder, 'report.html');
  writeFileSync(file, page);
  tell(
    'the page is smaller than 1 MiB',
    Buffer.byteLength(page) < LARGEST ? [] : [`${Buffer.byteLength(page)} bytes`],
  );
  tell('Markdown has every goal and every group', markdownProblems(renderMarkdown(report)));
  await inBrowser('chromium', (browser) => looks(browser, pathToFileURL(file).href));
  for (const name of ['chromium', 'firefox'])
    await inBrowser(name, (browser) => measures(name, browser, pathToFileURL(file).href));
} finally {
  rmSync(folder, { recursive: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;

function tell(what, problems) {
  if (problems.length === 0) passed++;
  else failed++;
  console.log(`${problems.length === 0 ? 'ok' : 'FAILED'}: ${what}`);
  for (const problem of problems) console.log(`  ${problem}`);
}

function markdownProblems(markdown) {
  const groups = report.runtimes.flatMap(({ rows }) => rows.map(({ group }) => group));
  const wanted = [...new Set(groups)].map((group) => `\n## ${group}\n`);
  const marks = (report.goals ?? []).map(({ work }) => ` | ${work} | `);
  return [...wanted, ...marks].filter((text) => !markdown.includes(text)).map((text) => `missing: ${text}`);
}

async function inBrowser(name, work) {
  const missing = missingBrowser(name);
  if (missing) return console.log(`not run: ${name} (${missing})`);
  const browser = await BROWSERS[name].launch('light');
  try {
    await work(browser);
  } finally {
    await browser.close();
  }
}

async function looks(browser, url) {
  for (const width of [360, 1280]) {
    for (const colorScheme of ['light', 'dark']) {
      const state = `${width} px, ${colorScheme}`;
      const { page, requests } = await open(browser, url, { viewport: { width, height: 900 }, colorScheme });
      tell(`${state}: nothing else is loaded`, requests.slice(1));
      tell(`${state}: structure`, await page.evaluate(structureProblems, true));
      tell(`${state}: drawings are readable`, await page.evaluate(drawingProblems));
      await page.evaluate(() =>
        document.querySelectorAll('details').forEach((one) => {
          one.open = true;
        }),
      );
      await page.addScriptTag({ path: AXE });
      tell(`${state}: axe`, await checkAccess(page, state));
      await page.context().close();
    }
  }
  const { page } = await open(browser, url, { javaScriptEnabled: false });
  tell('without scripts: all is there but the measuring', await page.evaluate(structureProblems, false));
  await page.context().close();
}

async function open(browser, url, options) {
  const page = await (await browser.newContext(options)).newPage();
  const requests = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('pageerror', ({ message }) => requests.push(`error: ${message}`));
  await page.goto(url);
  return { page, requests: requests.filter((one) => !one.startsWith('data:')) };
}

async function measures(name, browser, url) {
  const { page } = await open(browser, url, {});
  await page.click('#measure-run');
  const ended = () =>
    /^(Measured|Not measured|This browser)/.test(document.querySelector('#measure-state').textContent);
  await page.waitForFunction(ended, undefined, { timeout: MEASURING });
  tell(`${name} is measured by the page`, await page.evaluate(measuredProblems));
  await page.addScriptTag({ path: AXE });
  tell(`${name}: axe, with results`, await checkAccess(page, name));
  await page.context().close();
}
