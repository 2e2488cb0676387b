// @ts-check
/**
 * Counts checks and prints what failed.
 */

const SHOWN_FAILURES = 20;

export class Report {
  passed = 0;
  failed = 0;
  /** @type {Map<string, number>} */
  exclusions = new Map();

  /**
   * Runs one check.
   * @param {string} name
   * @param {() => Promise<void> | void} run
   * @returns {Promise<boolean>} whether it passed
   */
  async check(name, run) {
    try {
      await run();
      this.passed++;
      return true;
    } catch (error) {
      this.failed++;
      if (this.failed <= SHOWN_FAILURES) console.log(`FAILED ${name}\n  ${describe(error)}`);
      if (this.failed === SHOWN_FAILURES) console.log('further failures are only counted');
      return false;
    }
  }

  /**
   * Names what is not exchanged, or not equal, for a known reason.
   * @param {string} name
   * @param {number} [count]
   */
  exclude(name, count = 1) {
    this.exclusions.set(name, (this.exclusions.get(name) ?? 0) + count);
  }

  /** Prints the end and sets the exit code. */
  finish() {
    console.log(`\nexclusions, by name: ${this.exclusions.size === 0 ? 'none' : ''}`);
    for (const [name, count] of this.exclusions) console.log(`  ${count} x ${name}`);
    console.log(`\n${this.passed} passed, ${this.failed} failed`);
    process.exitCode = this.failed === 0 && this.passed > 0 ? 0 : 1;
  }
}

/** @param {unknown} error */
function describe(error) {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? `${error.code}: ` : '';
  return `${code}${error.message.split('\n').slice(0, 12).join('\n  ')}`;
}
