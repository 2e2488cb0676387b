/** axe-core over a page as it stands: everything that it calls a violation. */

const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'];

/** The violations as lines; none if all is well. */
export async function checkAccess(page, state) {
  const violations = await page.evaluate(async (tags) => {
    const { violations } = await window.axe.run(document, { runOnly: tags });
    return violations.map(({ id, help, nodes }) => {
      const [{ html, failureSummary }] = nodes;
      return `${id}: ${help} (${nodes.length}) ${html.slice(0, 120)} ${failureSummary}`;
    });
  }, TAGS);
  return violations.map((violation) => `${state}: ${violation}`);
}
