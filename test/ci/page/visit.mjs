/**
 * One visit to the page: what a person does there, and what they see.
 */

const LIMIT_MS = 30_000;

/** Opens the page and waits until its worker is ready. @param allowed console errors that are meant to come */
export async function visit(context, url, { allowed } = {}) {
  const page = await context.newPage();
  page.setDefaultTimeout(LIMIT_MS);
  const errors = [];
  const heard = (text) => {
    if (!allowed?.test(text)) errors.push(text);
  };
  page.on('console', (message) => message.type() === 'error' && heard(message.text()));
  page.on('request', (request) => {
    if (!request.url().startsWith(url)) heard(`a request to ${request.url()}`);
  });
  page.on('pageerror', ({ message }) => heard(message));
  await page.goto(url);
  await page.locator('#engine', { hasNotText: 'Starting' }).waitFor();
  await page.locator('#kms-keys input').first().waitFor({ state: 'attached' });
  return new Visit(page, errors);
}

class Visit {
  constructor(page, errors) {
    this.page = page;
    this.errors = errors;
  }

  /** Chooses a file, and waits until its header has been looked at. */
  async choose(name, bytes) {
    await this.#inspected(() =>
      this.page.setInputFiles('#file', {
        name,
        mimeType: 'application/octet-stream',
        buffer: Buffer.from(bytes),
      }),
    );
  }

  /** Drops a file on the page. */
  async drop(name, bytes) {
    await this.#inspected(() => this.page.evaluate(dropParts, [name, [...bytes], 1]));
  }

  /** Drops a file of so many MiB, each of them the same. */
  async dropLong(name, mebibytes) {
    await this.#inspected(() => this.page.evaluate(dropParts, [name, undefined, mebibytes]));
  }

  async #inspected(act) {
    await this.page.evaluate(() => document.getElementById('header').replaceChildren());
    await act();
    await this.page.locator('#header > *').first().waitFor();
  }

  async pasteKey(text) {
    if (await this.page.isVisible('#key-forget')) await this.page.click('#key-forget');
    await this.typeKey(text);
    await this.page.locator('#key-state', { hasNotText: 'No key yet' }).waitFor();
  }

  /** By keys, because only what a person has typed is a change to Firefox. */
  async typeKey(text) {
    await this.page.locator('#key-text').pressSequentially(text);
    await this.page.keyboard.press('Tab');
  }

  pick(name, value) {
    return this.page.check(`[name=${name}][value=${value}]`);
  }

  async addPair(key, value) {
    await this.page.click('#pair-add');
    await this.page.keyboard.type(key);
    await this.page.keyboard.press('Tab');
    await this.page.keyboard.type(value);
  }

  /** Presses the button that starts it. */
  async start() {
    await this.page.evaluate(() => {
      document.body.dataset.state = '';
    });
    await this.page.click('#run');
  }

  /** Starts it, and waits for the end. */
  async run() {
    await this.start();
    return this.outcome();
  }

  /** Waits for the end: { state, title, text, code, names }; `names` are the files that have been saved. */
  async outcome(timeout = LIMIT_MS) {
    await this.page
      .locator('body[data-state=done], body[data-state=error], body[data-state=cancelled]')
      .waitFor({ timeout });
    return this.page.evaluate(outcomeOf);
  }

  /** Waits until so large a part of the file is done. */
  async progress(part) {
    await this.page.waitForFunction((least) => document.getElementById('bar').value >= least, part);
  }

  /** The bytes of the file that was saved, or is offered. */
  async saved() {
    return Buffer.from(await this.page.evaluate(savedBytes), 'base64');
  }

  /** Removes the files that have been saved. */
  forgetFiles() {
    return this.page.evaluate(async () => {
      const root = await navigator.storage.getDirectory();
      for await (const name of root.keys()) await root.removeEntry(name);
    });
  }

  text(selector) {
    return this.page.locator(selector).textContent();
  }
}

/* What follows runs in the page. */

function dropParts([name, bytes, times]) {
  const part = bytes ? Uint8Array.from(bytes) : new Uint8Array(2 ** 20).map((_, i) => i * 7);
  const dataTransfer = new DataTransfer();
  dataTransfer.items.add(
    new File(
      Array.from({ length: times }, () => part),
      name,
    ),
  );
  document.getElementById('drop').dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true }));
}

async function outcomeOf() {
  const text = (id) => document.getElementById(id).textContent;
  // Where handles cannot be removed, the empty file that the picker made stays behind.
  const canRemove = 'remove' in FileSystemFileHandle.prototype;
  const names = [];
  for await (const [name, handle] of (await navigator.storage.getDirectory()).entries())
    if (canRemove || (await handle.getFile()).size > 0) names.push(name);
  return {
    state: document.body.dataset.state,
    title: text('status-title'),
    text: text('outcome-text'),
    code: text('outcome-code').split(':')[0],
    names,
    offered: document.querySelector('#save a')?.download,
  };
}

async function savedBytes() {
  const link = document.querySelector('#save a');
  const root = await navigator.storage.getDirectory();
  const name = /^Saved as (.*):/.exec(document.getElementById('outcome-text').textContent)?.[1];
  const blob = link ? window.blobs.get(link.href) : await (await root.getFileHandle(name)).getFile();
  const reader = new FileReader();
  await new Promise((resolve) => {
    reader.onload = resolve;
    reader.readAsDataURL(blob);
  });
  return reader.result.split(',')[1] ?? '';
}
