/**
 * The cases in workerd, as a worker: one request starts them, and names the URL where the task is and the runtime.
 */
import { loopHarness } from '../../dist/bench/index.js';
import { measure } from './measure.mjs';

export default {
  async fetch(request) {
    const { about, url } = await request.json();
    await measure({ url, about: about.replace('workerd ', ''), makeHarness: () => loopHarness() });
    return new Response('reported');
  },
};
