// One life of a rotation: child.mjs FOLDER JOURNAL. It has the old key to read with, and says each object that it has done.
import { writeSync } from 'node:fs';
import { rotateMessages } from 'frameseal';
import { fileJournal, folderMessages } from 'frameseal/node';
import { newKeyring, oldKeyring } from './keys.mjs';

const [, , folder, path] = process.argv;
const say = (line) => writeSync(1, `${line}\n`);

say('go');
const journal = await fileJournal(path);
const report = await rotateMessages(folderMessages(folder), {
  keyring: oldKeyring,
  to: newKeyring,
  journal,
  concurrency: 4,
  onResult: ({ name, outcome }) => outcome === 'rewrapped' && say(name),
});
await journal.close();
say(
  `done ${JSON.stringify({ ...report, failures: report.failures.map(({ name, error }) => `${name}: ${error}`) })}`,
);
