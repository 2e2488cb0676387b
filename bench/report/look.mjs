/** Run in the page by `check.mjs`: each answers what is wrong, as lines of text. Nothing outside of a function is there. */

/** @param scripted whether scripts run */
export function structureProblems(scripted) {
  const problems = [];
  const expect = (fine, problem) => fine || problems.push(problem);
  const ids = [...document.querySelectorAll('[id]')].map(({ id }) => id);
  expect(new Set(ids).size === ids.length, 'an id stands twice');
  for (const link of document.querySelectorAll('nav a')) {
    const target = document.querySelector(link.getAttribute('href'));
    expect(target, `${link.href} leads nowhere`);
    if (!target) continue;
    const shown = target.id !== 'measure' || scripted;
    expect(target.checkVisibility() === shown, `#${target.id} is ${shown ? 'not seen' : 'seen'}`);
    expect(!shown || target.textContent.trim().length > 40, `#${target.id} is empty`);
  }
  for (const svg of document.querySelectorAll('figure svg')) {
    const parsed = new DOMParser().parseFromString(
      new XMLSerializer().serializeToString(svg),
      'image/svg+xml',
    );
    expect(!parsed.querySelector('parsererror'), `no XML: ${svg.ariaLabel}`);
    expect(svg.getAttribute('role') === 'img' && svg.ariaLabel?.length > 20, 'a drawing without words');
    const { previousElementSibling: title, nextElementSibling: caption } = svg;
    expect(
      title.matches('h3') && caption.matches('figcaption'),
      `without title or caption: ${svg.ariaLabel}`,
    );
  }
  expect(document.querySelectorAll('figure svg').length > 0, 'there are no drawings');
  expect(!document.querySelector('table b'), 'markup of a row was not escaped');
  const { scrollWidth, clientWidth } = document.documentElement;
  expect(scrollWidth <= clientWidth, `the page scrolls sideways: ${scrollWidth} > ${clientWidth} px`);
  return problems;
}

/** Letters that are too small, lie over each other, or outside of their drawing. */
export function drawingProblems() {
  const SMALLEST = 9;
  const problems = [];
  for (const svg of document.querySelectorAll('figure svg')) {
    const frame = svg.getBoundingClientRect();
    const scale = frame.width / svg.viewBox.baseVal.width;
    const texts = [...svg.querySelectorAll('text')].filter((text) => text.textContent);
    const boxes = texts.map((text) => ({ text, box: text.getBoundingClientRect() }));
    const tell = (what) => problems.push(`${what}: ${svg.ariaLabel?.slice(0, 60)}`);
    const bars = svg.closest('#engines') ? [] : [...svg.querySelectorAll('[fill^="var(--bar-"]')];
    const others = bars.map((bar) => ({ text: { textContent: 'a bar' }, box: bar.getBoundingClientRect() }));
    for (const [index, { text, box }] of boxes.entries()) {
      if (scale * Number.parseFloat(getComputedStyle(text).fontSize) < SMALLEST)
        tell(`small: ${text.textContent}`);
      if (box.left < frame.left - 1 || box.right > frame.right + 1) tell(`outside: ${text.textContent}`);
      if (box.top < frame.top - 2 || box.bottom > frame.bottom + 2) tell(`outside: ${text.textContent}`);
      for (const other of [...boxes.slice(index + 1), ...others]) {
        const wide = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
        const high = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
        if (wide > 1 && high > 4) tell(`over each other: ${text.textContent}, ${other.text.textContent}`);
      }
    }
  }
  return problems;
}

/** After measuring. */
export async function measuredProblems() {
  const problems = [];
  const expect = (fine, problem) => fine || problems.push(problem);
  const at = (selector) => document.querySelector(selector);
  const state = at('#measure-state').textContent;
  expect(/^Measured: \d+ cases/.test(state), state);
  const link = at('#measure-save a');
  const { format, runtimes } = link ? await (await fetch(link.href)).json() : { runtimes: [] };
  const rows = runtimes.flatMap((runtime) => runtime.rows);
  expect(format === 1 && rows.length > 0, 'no JSON to save');
  for (const { name, failed } of rows) expect(!failed, `${name}: ${failed}`);
  const lines = document.querySelectorAll('#measure-results tbody tr').length;
  expect(lines === rows.length, `${lines} lines for ${rows.length} rows`);
  expect(at('#measure-results figure .bar.here'), 'no bars');
  return problems;
}
