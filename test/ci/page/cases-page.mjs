/** The page itself: what it shows, how it is used without a mouse, and that it stays alive. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { checkAccess } from './access.mjs';
import { visit } from './visit.mjs';

const KEY = randomBytes(32).toString('hex');
const KEYRING = {
  keyNamespace: 'browser-example',
  keyName: 'my-key',
  wrappingKey: Buffer.from(KEY, 'hex'),
};
const FROZEN_MS = 2000;

/** By name: (context, app, report) => Promise. */
export const pageCases = {
  'axe in every state': async (context, { library, served }) => {
    const page = await visit(context, served.url);
    const states = [];
    const check = async (state) => states.push(...(await checkAccess(page.page, state)));
    await check('empty');
    await page.page.click('#key-generate');
    await page.page.locator('#key-shown').waitFor();
    await check('new key');
    await page.page.click('#key-forget');
    await page.typeKey('abc');
    await page.page.locator('#key-state.bad').waitFor();
    await page.start();
    await page.outcome();
    await check('refused key, nothing chosen');
    await page.pasteKey(KEY);
    await page.choose('m.fseal', await hostileMessage(library));
    await page.addPair('purpose', 'x');
    await check('message chosen');
    await page.run();
    await check('error');
    await page.page.click('.remove');
    await page.choose('m.fseal', await hostileMessage(library));
    assert.equal((await page.run()).state, 'done');
    await check('done');
    await page.pick('source', 'kms');
    await page.dropLong('long.bin', 200);
    await page.pick('source', 'kms');
    await check('KMS');
    await page.start();
    await page.progress(0.01);
    await check('running');
    assert.equal(await page.page.getAttribute('body', 'data-state'), 'running');
    await page.page.click('#cancel');
    assert.equal((await page.outcome()).state, 'cancelled');
    await check('cancelled');
    assert.deepEqual(states, []);
    assert.deepEqual(page.errors, []);
  },

  'by keyboard alone': async (context, { library, served }) => {
    const page = await visit(context, served.url);
    const plaintext = randomBytes(5000);
    const chooser = page.page.waitForEvent('filechooser'); // early: the browser has to be told first
    chooser.catch(() => {}); // what fails before is what is reported
    await tabTo(page, '#file');
    await page.page.keyboard.press('Enter');
    await (await chooser).setFiles({
      name: 'a.bin',
      mimeType: 'application/octet-stream',
      buffer: plaintext,
    });
    await page.page.locator('#header', { hasText: 'not a message' }).waitFor();
    await tabTo(page, '[name=mode]:checked');
    await tabTo(page, '[name=source]:checked');
    await page.page.keyboard.press('ArrowRight');
    assert.equal(await page.page.isVisible('#kms'), true);
    await page.page.keyboard.press('ArrowLeft');
    await tabTo(page, '#key-text');
    await page.page.keyboard.type(KEY);
    await tabTo(page, '#pair-add');
    await page.page.keyboard.press('Enter');
    await page.page.keyboard.type('who');
    await page.page.keyboard.press('Tab');
    await page.page.keyboard.type('me');
    await tabTo(page, '#run');
    await page.page.keyboard.press('Enter');
    const outcome = await page.outcome();
    assert.equal(outcome.title, 'Encrypted');
    assert.match(await page.page.evaluate(() => document.activeElement.outerHTML), /status-title|download/);
    const { plaintext: opened, header } = await library.decrypt(await page.saved(), {
      keyring: library.rawAesKeyring(KEYRING),
    });
    assert.deepEqual(Buffer.from(opened), plaintext);
    assert.equal(header.encryptionContext.who, 'me');
    assert.deepEqual(page.errors, []);
  },

  'a header of a stranger': async (context, { library, served }) => {
    const page = await visit(context, served.url);
    await page.choose('m.fseal', await hostileMessage(library));
    assert.match(await page.text('#header-state'), /^!?\s*Not verified/);
    const shown = await page.text('#header');
    assert.match(shown, /<img src=x onerror=alert\(1\)>/);
    assert.match(shown, /\\u\{202e\}gnp\.exe/);
    assert.match(shown, /\\u\{1b\}\[31m/);
    assert.doesNotMatch(await page.page.locator('#header').textContent(), /[\u202e\u001b]/);
    assert.equal(await page.page.locator('#header img, #header script').count(), 0);
    assert.match(shown, /ALG_AES_256_GCM_HKDF_SHA512_COMMIT_KEY_ECDSA_P384/);
    await page.pasteKey(KEY);
    assert.equal((await page.run()).state, 'done');
    assert.match(await page.text('#header-state'), /Verified/);
    assert.deepEqual(page.errors, []);
  },

  'keys that are none': async (context, { served }) => {
    const page = await visit(context, served.url);
    for (const [text, said] of [
      ['00'.repeat(20), /20 bytes.*16, 24 or 32/],
      [randomBytes(33).toString('base64'), /33 bytes/],
      ['not a key!', /neither hex nor base64/],
    ]) {
      await page.typeKey(text);
      await page.page.locator('#key-state.bad', { hasText: said }).waitFor();
      assert.equal(await page.page.inputValue('#key-text'), '');
    }
    const buffer = Buffer.from(randomBytes(16).toString('hex')); // or 32 bytes
    await page.page.setInputFiles('#key-file', { name: 'key', mimeType: 'text/plain', buffer });
    await page.page.locator('#key-state.bad', { hasText: /raw bytes or text/ }).waitFor();
    await page.choose('a.bin', randomBytes(10));
    assert.match((await page.run()).text, /no key yet/);
  },

  'names of a stranger do not stay': async (context, { library, served }) => {
    const page = await visit(context, served.url);
    const names = () =>
      Promise.all(['#key-namespace', '#key-name'].map((field) => page.page.inputValue(field)));
    const keyring = library.rawAesKeyring({ ...KEYRING, keyNamespace: 'theirs', keyName: 'their-key' });
    const { ciphertext } = await library.encrypt(randomBytes(9), { keyring });
    await page.choose('m.fseal', ciphertext);
    assert.deepEqual(await names(), ['theirs', 'their-key']);
    await page.choose('a.bin', randomBytes(9));
    assert.deepEqual(await names(), ['browser-example', 'my-key']);
  },

  'no wasm-unsafe-eval in the policy': async (context, { library, noWasm }) => {
    const page = await visit(context, noWasm.url, { allowed: /WebAssembly|wasm/i });
    assert.match(await page.text('#engine'), /WebAssembly is not allowed/);
    await page.pasteKey(KEY);
    const plaintext = randomBytes(100_000);
    await page.choose('a.bin', plaintext);
    assert.equal((await page.run()).title, 'Encrypted');
    const message = await page.saved();
    const opened = await library.decrypt(message, { keyring: library.rawAesKeyring(KEYRING) });
    assert.deepEqual(Buffer.from(opened.plaintext), plaintext);
    await page.choose('a.bin.fseal', message);
    assert.equal((await page.run()).title, 'Decrypted and verified');
    assert.deepEqual(await page.saved(), plaintext);
    assert.deepEqual(page.errors, []);
  },

  'fits 360 px': async (context, { library, served }) => {
    const page = await visit(context, served.url);
    await page.page.setViewportSize({ width: 360, height: 740 });
    const fits = () => page.page.evaluate(() => document.documentElement.scrollWidth <= window.innerWidth);
    assert.ok(await fits());
    await page.page.click('#key-generate');
    assert.ok(await fits());
    await page.choose(`${'long'.repeat(40)}.fseal`, await hostileMessage(library));
    await page.run();
    assert.ok(await fits());
    await page.pick('source', 'kms');
    await page.addPair('a', 'b');
    assert.ok(await fits());
  },

  'alive during 100 MiB': async (context, { served }, report) => {
    const page = await visit(context, served.url);
    await page.pasteKey(KEY);
    await page.dropLong('long.bin', 100);
    await page.page.evaluate(watch);
    const began = performance.now();
    await page.start();
    assert.equal((await page.outcome(300_000)).state, 'done');
    const seconds = (performance.now() - began) / 1000;
    const { longest, longTasks, announced } = await page.page.evaluate(() => window.watched);
    assert.ok(announced >= 2 && announced <= 10, `${announced} announcements to screen readers`);
    report(
      `100 MiB in ${seconds.toFixed(1)} s; longest pause of the page ${Math.round(longest)} ms, tasks over 200 ms: ${longTasks}`,
    );
    assert.ok(longest < FROZEN_MS, `the page stood still for ${longest} ms`);
  },
};

// A header that tries to be more than text.
async function hostileMessage(library) {
  const encryptionContext = {
    purpose: '<img src=x onerror=alert(1)>',
    name: 'holiday\u202egnp.exe',
    ansi: '\u001b[31mred',
  };
  const { ciphertext } = await library.encrypt(randomBytes(50), {
    keyring: library.rawAesKeyring(KEYRING),
    encryptionContext,
  });
  return ciphertext;
}

// Goes on by Tab until the focus is there; what is passed on the way must be seen to have it.
async function tabTo({ page }, selector) {
  for (let step = 0; step < 40; step++) {
    await page.keyboard.press('Tab');
    const { there, seen, what } = await page.evaluate(focused, selector);
    assert.ok(seen, `no visible focus on ${what}`);
    if (there) return;
  }
  assert.fail(`no Tab leads to ${selector}`);
}

/* What follows runs in the page. */

function focused(selector) {
  const element = document.activeElement;
  const outlined = (one) => one && Number.parseFloat(getComputedStyle(one).outlineWidth) > 0;
  const styled = (one) => outlined(one) && getComputedStyle(one).outlineStyle !== 'none';
  return {
    there: element.matches(selector),
    seen: element === document.body || styled(element) || styled(element.closest('.choice')),
    what: element.outerHTML.slice(0, 80),
  };
}

// The longest time between two turns of the page, and tasks that the browser itself calls long.
function watch() {
  const watched = { longest: 0, longTasks: 'not told by this browser', announced: 0 };
  window.watched = watched;
  const region = document.getElementById('announce');
  const hear = () => {
    if (region.textContent !== '') watched.announced++;
  };
  new MutationObserver(hear).observe(region, { childList: true });
  let last = performance.now();
  setInterval(() => {
    watched.longest = Math.max(watched.longest, performance.now() - last);
    last = performance.now();
  }, 10);
  if (!PerformanceObserver.supportedEntryTypes.includes('longtask')) return;
  watched.longTasks = 0;
  const count = (list) => {
    watched.longTasks += list.getEntries().filter(({ duration }) => duration > 200).length;
  };
  new PerformanceObserver(count).observe({ entryTypes: ['longtask'] });
}
