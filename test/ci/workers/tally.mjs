/** Checks, counted. */
let passed = 0;
let failed = 0;

export async function check(what, test) {
  try {
    await test();
    passed++;
  } catch (error) {
    failed++;
    console.error(`FAILED ${what}: ${error?.stack ?? error}`);
  }
}

/** The closing line. */
export function report() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}
