/**
 * How a runner works with `test/runtimes`: it fetches what to do from a URL, does it, and sends the answer there.
 */
import { exchange, suite } from './suite.mjs';
import { described } from './support.mjs';

/**
 * @param library see `suite.mjs`
 * @param about the runtime, with its version
 * @param url ends with a slash
 */
export async function report(library, about, url) {
  let answer;
  try {
    const { environment, writers } = await (await fetch(`${url}task`)).json();
    answer = writers ? await exchange(library, environment, writers) : await suite(library, environment);
  } catch (error) {
    answer = { fatal: `${described(error)} ${error?.stack ?? ''}` };
  }
  await fetch(`${url}result`, { method: 'POST', body: JSON.stringify({ about, ...answer }) });
}
