#!/usr/bin/env node
/**
 * The program `frameseal`: the process's streams, signals and exit code around {@link run}.
 */
import { run } from './run.ts';

// The AWS SDK's note on the Node versions that it will need is for its maintainers, not for the users of a command.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

/** How long an interrupted call may take to clean up. */
const PATIENCE_MS = 2000;

const interrupt = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    interrupt.abort(signal);
    // A second one ends the process at once. It comes by itself where the first is not heard: opening a pipe that has no
    // other end cannot be called off.
    setTimeout(() => process.kill(process.pid, signal), PATIENCE_MS).unref();
  });
}

const code = await run(process.argv.slice(2), {
  get stdin() {
    return process.stdin;
  },
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  signal: interrupt.signal,
});
process.exit(code); // everything has been written; a terminal or a connection may still be open
