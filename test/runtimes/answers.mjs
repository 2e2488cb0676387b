/**
 * A runtime that is started and asked at its place at the hub, until it has answered, has ended, or is late.
 */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { BROWSERS } from './browsers.mjs';
import { start } from './processes.mjs';

/** What it has sent, or `{ fatal }` if nothing came. It is ended in any case. */
export async function answerOf(place, { command, cwd, env }, limit) {
  const child = start(command, { cwd, env });
  const ended = child.ended.then(async (how) => {
    await delay(500); // the answer may be on its way
    return { fatal: how };
  });
  const late = delay(limit, { fatal: `no answer within ${limit / 1000} s` }, { ref: false });
  const answer = await Promise.race([place.result, ended, late]);
  child.stop();
  return answer;
}

/** What starts a browser on a page, with a profile of its own in the folder: { command, env }. */
export function browserCommand(browser, url, folder) {
  const { executable, args, env } = BROWSERS[browser];
  const profile = mkdtempSync(join(folder, 'profile-'));
  const home = { HOME: profile, XDG_CACHE_HOME: profile, XDG_CONFIG_HOME: profile, XDG_RUNTIME_DIR: profile };
  return { command: [executable, ...args(url, profile)], env: { ...home, ...env } };
}
