// One run that others kill: child.mjs encrypt|decrypt|rewrap SOURCE TARGET [HOST]. It says `go` when the work begins. A
// target is rewrapped in place, whatever the source.
import { writeSync } from 'node:fs';
import { decryptFile, encryptFile, rewrapFile } from 'frameseal/node';
import { keyring, other, waiting } from './keys.mjs';

const [, , way, source, target, host = 'plain'] = process.argv;
const say = (line) => writeSync(1, `${line}\n`);

// What the process around us may be. `held` ones stand still with the temporary file there, until a signal comes.
const hosts = {
  plain: {},
  // says how far it has come
  watched: { onProgress: ({ bytes }) => say(bytes) },
  held: { keyring: waiting() },
  // finishes its work when it is told to end
  patient: { prepare: () => process.once('SIGTERM', () => say('heard')), keyring: waiting(300) },
  // ends by itself when it is told to
  exits: { prepare: () => process.on('SIGTERM', () => process.exit(7)), keyring: waiting() },
  // has a listener that acts only when nobody else listens, as the package `signal-exit` has
  polite: { prepare: polite, keyring: waiting() },
  crashes: {
    prepare: () =>
      setTimeout(() => {
        throw new Error('crash');
      }, 100),
    keyring: waiting(),
  },
};

function polite() {
  const emitter = { count: 1 };
  Object.defineProperty(globalThis, Symbol.for('signal-exit emitter'), { value: emitter });
  const listener = (signal) => {
    if (process.listenerCount(signal) > emitter.count) return;
    process.off(signal, listener);
    process.kill(process.pid, signal);
  };
  process.on('SIGTERM', listener);
}

const { prepare = () => {}, ...options } = hosts[host];
prepare();
say('go');
try {
  const ways = {
    encrypt: () => encryptFile(source, target, { keyring, ...options }),
    decrypt: () => decryptFile(source, target, { keyring, ...options }),
    rewrap: () => rewrapFile(target, undefined, { keyring, to: other, ...options }),
  };
  const { bytesWritten } = await ways[way]();
  say(`done ${bytesWritten} ${process.resourceUsage().maxRSS}`); // KiB at its most
} catch (error) {
  say(`${error.code} ${error.message}`);
  process.exitCode = 1;
}
