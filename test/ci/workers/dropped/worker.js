/** The example's Worker, whose requests can be dropped while they are under way, as those are whose client has gone. */
import worker from '../src/worker.js';

export default {
  async fetch(request, env, ctx) {
    const answer = worker.fetch(request, env, ctx);
    const milliseconds = request.headers.get('dropped-after');
    if (milliseconds === null) return answer;
    answer.catch(() => {});
    await scheduler.wait(Number(milliseconds));
    return new Response('dropped');
  },
};
