/**
 * Calls `frameseal`, installed in FOLDER and in PATH, as users do: with files, pipes, signals, and a KMS of its own.
 *
 *   node check.mjs FOLDER DOCS     FOLDER is where it may work, DOCS the reference whose `sh` blocks are run
 */
import { ok, strictEqual } from 'node:assert';
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const [folder, docs] = process.argv.slice(2);
const COMMAND = join(folder, 'node_modules/.bin/frameseal');
const MIB = 2 ** 20;
let passed = 0;
let failed = 0;

await check('version and help', async () => {
  strictEqual(
    frameseal('--version').out,
    `${JSON.parse(readFileSync(join(folder, 'node_modules/frameseal/package.json'))).version}\n`,
  );
  ok(frameseal('--help').out.includes('local-kms'));
  for (const name of [
    'encrypt',
    'decrypt',
    'rewrap',
    'add-keys',
    'inspect',
    'keygen',
    'local-kms',
    'bench',
  ]) {
    ok(frameseal(name, '--help').out.startsWith(`Usage\n  frameseal ${name} `));
  }
});

await check('usage errors end with 2', async () => {
  for (const argv of [[], ['nothing'], ['encrypt'], ['encrypt', '--ky', 'x'], ['encrypt', '--key', 'x']]) {
    const { code, err, out } = run(argv);
    strictEqual(code, 2);
    strictEqual(out, '');
    ok(/^frameseal: USAGE: [^\n]+\n$/.test(err), err);
  }
});

await check('aes: there and back, key files of any kind', async (at) => {
  const key = frameseal('keygen', 'aes', '-o', at('k')).out.trim().slice('--key '.length);
  const plain = put(at('f'), randomBytes(3 * MIB + 7));
  frameseal('encrypt', '-k', key, at('f'));
  frameseal('decrypt', '-k', key, '-o', at('back'), at('f.fseal'));
  same(readFileSync(at('back')), plain);
  const raw = Buffer.from(readFileSync(at('k'), 'utf8'), 'base64');
  for (const text of [raw, `${raw.toString('hex')}\n`]) {
    put(at('other'), text, 0o600);
    same(frameseal('decrypt', '-k', `aes:local/k=${at('other')}`, '-o', '-', at('f.fseal')).bytes, plain);
  }
});

await check('rsa: the public key encrypts, the private one decrypts', async (at) => {
  const { keys } = JSON.parse(frameseal('keygen', 'rsa', '-o', at('k'), '--bits', '2048', '--json').out);
  strictEqual(statSync(at('k')).mode & 0o777, 0o600);
  put(at('f'), 'hello');
  frameseal('encrypt', '-k', keys[0], at('f'));
  strictEqual(frameseal('decrypt', '-k', keys[1], '-o', '-', at('f.fseal')).out, 'hello');
  strictEqual(run(['decrypt', '-k', keys[0], '-o', '-', at('f.fseal')]).code, 1);
});

await check('several keys: each of them decrypts, and another does not', async (at) => {
  const [one, two, other] = ['1', '2', '3'].map((name) => aesKey(at(name)));
  const message = frameseal('encrypt', '-k', one, '-k', two, { input: 'hello' }).bytes;
  for (const key of [one, two]) strictEqual(frameseal('decrypt', '-k', key, { input: message }).out, 'hello');
  const { code, err, out } = run(['decrypt', '-k', other], { input: message });
  strictEqual(code, 1);
  strictEqual(out, '');
  ok(/^frameseal: standard input: NO_DATA_KEY: [^\n]+\n$/.test(err), err);
});

await check('pipes: encrypt | decrypt, 64 MiB', async (at) => {
  const key = aesKey(at('k'));
  const plain = put(at('f'), randomBytes(64 * MIB));
  shell(`frameseal encrypt -k ${key} --frame-length 65536 < f | frameseal decrypt -k ${key} > back`, at('.'));
  same(readFileSync(at('back')), plain);
});

await check('the suite, and every way to name it', async (at) => {
  const key = aesKey(at('k'));
  const policy = ['--commitment-policy', 'FORBID_ENCRYPT_ALLOW_DECRYPT'];
  for (const suite of ['0x0014', '0x378', 'ALG_AES_192_GCM_IV12_TAG16_HKDF_SHA256']) {
    const message = frameseal('encrypt', '-k', key, '--suite', suite, ...policy, { input: 'hello' }).bytes;
    strictEqual(frameseal('decrypt', '-k', key, ...policy, { input: message }).out, 'hello');
    strictEqual(run(['decrypt', '-k', key], { input: message }).code, 1);
  }
});

await check('context: pairs are required, and differences refused', async (at) => {
  const key = aesKey(at('k'));
  const message = frameseal('encrypt', '-k', key, '-c', 'a=1', '-c', 'b=x=y', { input: 'hello' }).bytes;
  strictEqual(frameseal('decrypt', '-k', key, '-c', 'b=x=y', { input: message }).out, 'hello');
  ok(run(['decrypt', '-k', key, '-c', 'a=2'], { input: message }).err.includes('CONTEXT_MISMATCH'));
});

await check('folders: recursive, failures in the middle, JSON', async (at) => {
  const key = aesKey(at('k'));
  for (const name of ['a', 'b/c', 'b/d/e f']) put(at(`in/${name}`), randomBytes(5000));
  frameseal('encrypt', '-k', key, '-r', '-o', at('sealed'), at('in'));
  frameseal('decrypt', '-k', key, '-r', '-o', at('back'), at('sealed'));
  shell('diff -r in back', at('.'));
  const broken = readFileSync(at('sealed/b/c.fseal'));
  broken[broken.length - 1] ^= 1;
  put(at('sealed/b/c.fseal'), broken);
  const { code, out, err } = run(['decrypt', '-k', key, '-r', '--json', '-o', at('again'), at('sealed')]);
  strictEqual(code, 1);
  const lines = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  strictEqual(
    lines.map(({ ok: good, error }) => error?.code ?? good).join(),
    'true,AUTHENTICATION_FAILED,true',
  );
  ok(err.endsWith(`frameseal: 1 of 3 failed: ${at('sealed/b/c.fseal')}\n`), err);
  strictEqual(readdirSync(at('again/b')).join(), 'd');
});

await check('nothing is overwritten without --overwrite', async (at) => {
  const key = aesKey(at('k'));
  put(at('f'), 'hello');
  put(at('f.fseal'), 'precious');
  strictEqual(run(['encrypt', '-k', key, at('f')]).code, 1);
  strictEqual(run(['encrypt', '-k', key, '-o', at('f.fseal')], { input: 'x' }).code, 1);
  strictEqual(run(['keygen', 'aes', '-o', at('f')]).code, 1);
  strictEqual(readFileSync(at('f.fseal'), 'utf8'), 'precious');
  frameseal('encrypt', '-k', key, '--overwrite', at('f'));
  strictEqual(frameseal('decrypt', '-k', key, '-o', '-', at('f.fseal')).out, 'hello');
});

await check('key files that others may read are refused', async (at) => {
  const key = aesKey(at('k'));
  chmodSync(at('k'), 0o640);
  const { code, err } = run(['encrypt', '-k', key], { input: 'x' });
  strictEqual(code, 2);
  ok(err.includes(`chmod 600 ${at('k')}`), err);
});

await check('a file that may not be written is an error of its own', async (at) => {
  const key = aesKey(at('k'));
  const { code, err } = run(['encrypt', '-k', key, '-o', at('none/f')], { input: 'x' });
  strictEqual(code, 1);
  ok(/^frameseal: standard input: IO: [^\n]+\n$/.test(err), err);
});

await check('add-keys: a sidecar opens the message, in a folder too, and inspect shows it', async (at) => {
  const [one, two, three] = ['1', '2', '3'].map((name) => aesKey(at(name)));
  const plain = put(at('in/a'), randomBytes(MIB));
  put(at('in/b/c'), 'hello');
  frameseal('encrypt', '-k', one, '-r', '-o', at('m'), at('in'));
  const before = readFileSync(at('m/a.fseal'));
  frameseal('add-keys', '-k', one, '--add', two, '-r', at('m'));
  frameseal('add-keys', '-k', two, '--add', three, '-r', at('m'));
  same(readFileSync(at('m/a.fseal')), before);
  strictEqual(statSync(at('m/a.fseal.sidecar')).mode & 0o777, 0o600);
  frameseal('decrypt', '-k', three, '-r', '-o', at('back'), at('m'));
  same(readFileSync(at('back/a')), plain);
  const { sidecar } = JSON.parse(frameseal('inspect', '--json', at('m/a.fseal.sidecar')).out);
  strictEqual(sidecar.encryptedDataKeys.map(({ keyName }) => keyName).join(), '2,3');
  put(at('m/a.fseal.sidecar'), readFileSync(at('m/b/c.fseal.sidecar')));
  const { code, err } = run(['decrypt', '-k', one, '-o', '-', at('m/a.fseal')]);
  strictEqual(code, 1);
  ok(err.includes('SIDECAR_MISMATCH') && err.includes(at('m/a.fseal.sidecar')), err);
});

await check('rewrap: in place, through pipes, and after a look', async (at) => {
  const [one, two, three] = ['1', '2', '3'].map((name) => aesKey(at(name)));
  const plain = put(at('f'), randomBytes(3 * MIB));
  frameseal('encrypt', '-k', one, '--suite', '0x0478', at('f'));
  frameseal('add-keys', '-k', one, '--add', two, at('f.fseal'));
  const before = readFileSync(at('f.fseal'));
  const dry = frameseal('rewrap', '-k', two, '--to', three, '--dry-run', at('f.fseal')).out;
  ok(dry.endsWith(': would be rewrapped, data key kept, opens with local: 3\n'), dry);
  same(readFileSync(at('f.fseal')), before);
  frameseal('rewrap', '-k', two, '--to', three, at('f.fseal'));
  strictEqual(readdirSync(at('.')).sort().join(), '1,2,3,f,f.fseal');
  same(frameseal('decrypt', '-k', three, '-o', '-', at('f.fseal')).bytes, plain);
  strictEqual(run(['decrypt', '-k', one, '-o', '-', at('f.fseal')]).code, 1);
  const piped = `frameseal rewrap -k ${three} --to ${one} -q < f.fseal | frameseal decrypt -k ${one} > back`;
  shell(piped, at('.'));
  same(readFileSync(at('back')), plain);
});

await check('base64 text is decoded', async (at) => {
  const key = aesKey(at('k'));
  const plain = put(at('f'), randomBytes(MIB));
  frameseal('encrypt', '-k', key, at('f'));
  shell(`base64 f.fseal > text && base64 f.fseal | frameseal decrypt -k ${key} > back`, at('.'));
  same(readFileSync(at('back')), plain);
  const { err } = frameseal('decrypt', '-k', key, '-o', at('again'), at('text'));
  ok(err.includes('base64'));
  same(readFileSync(at('again')), plain);
});

await check('inspect: text, JSON, escaped', async (at) => {
  const key = aesKey(at('k'));
  frameseal('encrypt', '-k', key, '-c', 'evil=\x1b[31m\u202e', '-o', at('m'), { input: 'hello' });
  const { out } = frameseal('inspect', at('m'));
  ok(out.includes('NOT AUTHENTICATED') && out.includes('evil = \\u{1b}[31m\\u{202e}'), out);
  const json = frameseal('inspect', '--json', at('m')).out;
  ok(/^[\x20-\x7e]+\n$/.test(json));
  strictEqual(JSON.parse(json).header.encryptionContext.evil, '\x1b[31m\u202e');
  strictEqual(JSON.parse(json).sizes.ciphertextLength, statSync(at('m')).size);
});

await check('an altered message on stdout: what came must be discarded', async (at) => {
  const key = aesKey(at('k'));
  const plain = randomBytes(10 * 4096);
  const message = frameseal('encrypt', '-k', key, { input: plain }).bytes;
  message[message.length - 1] ^= 1;
  const { code, bytes, err } = run(['decrypt', '-k', key], { input: message });
  strictEqual(code, 1);
  same(bytes, plain.subarray(0, 9 * 4096));
  ok(err.endsWith(`discard the ${9 * 4096} bytes written to stdout\n`), err);
});

await check('whoever reads stdout may go', async (at) => {
  const key = aesKey(at('k'));
  put(at('f'), randomBytes(8 * MIB));
  frameseal('encrypt', '-k', key, at('f'));
  const script = `set -o pipefail; frameseal decrypt -k ${key} -o - f.fseal | head -c 10 | wc -c`;
  const { code, out, err } = call('bash', ['-c', script], { cwd: at('.') });
  strictEqual(code, 141);
  strictEqual(out.trim(), '10');
  strictEqual(err, '');
});

for (const [signal, expected] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
]) {
  await check(`${signal} in the middle leaves nothing`, async (at) => {
    const key = aesKey(at('k'));
    const child = start(['encrypt', '-k', key, '-o', at('out')]);
    child.process.stdin.write(randomBytes(MIB));
    await until(() => readdirSync(at('.')).some((name) => name.endsWith('.frameseal-tmp')));
    child.process.kill(signal);
    const { code, err } = await child.ended;
    strictEqual(code, expected);
    strictEqual(err, `frameseal: standard input: ABORTED: ended by ${signal}\n`);
    strictEqual(readdirSync(at('.')).join(), 'k');
  });
}

await check('SIGINT in the middle of a rewrap leaves the message', async (at) => {
  const [one, two] = ['1', '2'].map((name) => aesKey(at(name)));
  put(at('f'), randomBytes(32 * MIB));
  frameseal('encrypt', '-k', one, at('f'));
  const before = readFileSync(at('f.fseal'));
  const child = start(['rewrap', '-k', one, '--to', two, at('f.fseal')]);
  await until(() => readdirSync(at('.')).some((name) => name.endsWith('.frameseal-tmp')));
  child.process.kill('SIGINT');
  const { code, err } = await child.ended;
  strictEqual(code, 130);
  strictEqual(err, `frameseal: ${at('f.fseal')}: ABORTED: ended by SIGINT\n`);
  same(readFileSync(at('f.fseal')), before);
  strictEqual(readdirSync(at('.')).sort().join(), '1,2,f,f.fseal');
});

await check('SIGINT while KMS does not answer', async (at) => {
  const hole = createServer().listen(0, '127.0.0.1');
  await until(() => hole.listening);
  const connected = new Promise((resolve) => hole.once('connection', resolve));
  const env = {
    AWS_ENDPOINT_URL_KMS: `http://127.0.0.1:${hole.address().port}`,
    AWS_ACCESS_KEY_ID: 'a',
    AWS_SECRET_ACCESS_KEY: 'b',
  };
  put(at('f'), 'hello');
  const child = start(['encrypt', '-k', 'aws-kms:arn:aws:kms:us-east-1:000000000000:key/1', at('f')], env);
  const socket = await connected;
  child.process.kill('SIGINT');
  const { code, err } = await child.ended;
  socket.destroy();
  hole.close();
  strictEqual(code, 130);
  ok(err.startsWith('frameseal: KMS calls go to http://127.0.0.1'), err);
  strictEqual(readdirSync(at('.')).join(), 'f');
});

await check('local-kms: encrypt under two regions, decrypt in each, keys kept in a file', async (at) => {
  const options = ['--json', '--region', 'us-east-1', '--region', 'eu-west-1', '--file', at('kms.json')];
  let message;
  let before;
  for (const restart of [false, true]) {
    const server = start(['local-kms', ...options]);
    await until(() => server.out().endsWith('\n'));
    const { env, keys } = JSON.parse(server.out());
    if (!restart) {
      before = keys;
      const under = keys.flatMap(({ arn }) => ['-k', `aws-kms:${arn}`]);
      message = frameseal('encrypt', ...under, { input: 'hello', env }).bytes;
    }
    strictEqual(JSON.stringify(keys), JSON.stringify(before));
    for (const { arn } of keys) {
      const { out, err } = frameseal('decrypt', '-k', `aws-kms:${arn}`, { input: message, env });
      strictEqual(out, 'hello');
      strictEqual(
        err,
        `frameseal: KMS calls go to ${env.AWS_ENDPOINT_URL_KMS} (AWS_ENDPOINT_URL_KMS), which is not AWS\n`,
      );
    }
    server.process.kill('SIGINT');
    strictEqual((await server.ended).code, 0);
  }
});

await check('add-keys and rewrap under keys of KMS', async (at) => {
  const server = start(['local-kms', '--json', '--region', 'us-east-1', '--region', 'eu-west-1']);
  await until(() => server.out().endsWith('\n'));
  const { env, keys } = JSON.parse(server.out());
  const [us, eu] = keys.map(({ arn }) => `aws-kms:${arn}`);
  const call = (...words) => frameseal(...words, at('m'), { env });
  const opens = (key) => strictEqual(call('decrypt', '-k', key, '-o', '-').out, 'hello');
  const escrow = aesKey(at('k'));
  frameseal('encrypt', '-k', us, '-o', at('m'), { env, input: 'hello' });
  const { err } = call('add-keys', '-k', us, '--add', eu, '--add', escrow);
  ok(err.startsWith('frameseal: KMS calls go to http://127.0.0.1'), err);
  for (const key of [us, eu, escrow]) opens(key);
  ok(call('rewrap', '-k', escrow, '--to', eu).err.includes(`aws-kms in eu-west-1: ${eu.slice(8)}; `));
  opens(eu);
  strictEqual(run(['decrypt', '-k', us, '-o', '-', at('m')], { env }).code, 1);
  server.process.kill('SIGINT');
  await server.ended;
});

await check('the examples of docs/command.md', async (at) => {
  const blocks = [...readFileSync(docs, 'utf8').matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block);
  ok(blocks.length >= 5);
  const { out } = shell(`set -euo pipefail\n${blocks.join('\n')}`, at('.'));
  for (const text of [
    'photos/2026/a.jpg\ntop secret\n',
    '  backup: next\ntop secret\n',
    'sealed/2026/a.jpg.fseal: would be rewrapped, data key new, opens with backup: next\n',
    'top secret\nbackup/disk escrow/2026\n',
  ]) {
    ok(out.includes(text), `${JSON.stringify(text)} is missing in:\n${out}`);
  }
});

console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);

// ---- one check in a folder of its own

async function check(name, work) {
  const own = mkdtempSync(join(folder, 'check-'));
  try {
    await work((path) => join(own, path));
    passed++;
    console.log(`passed  ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAILED  ${name}\n${error.stack}`);
  }
}

// ---- calling

/** Runs the command and expects that all goes well. The last argument may be options. */
function frameseal(...words) {
  const options = typeof words.at(-1) === 'object' ? words.pop() : {};
  const result = run(words, options);
  if (result.code !== 0) throw new Error(`frameseal ${words.join(' ')}: ${result.code}, ${result.err}`);
  return result;
}

function run(argv, options) {
  return call(COMMAND, argv, options);
}

function shell(script, cwd) {
  const result = call('bash', ['-c', script], { cwd });
  if (result.code !== 0) throw new Error(`${script}: ${result.code}\n${result.out}\n${result.err}`);
  return result;
}

function call(program, argv, { input = '', env = {}, cwd } = {}) {
  const options = { input, cwd, env: { ...process.env, ...env }, maxBuffer: 256 * MIB, timeout: 120_000 };
  const { status, stdout, stderr, error } = spawnSync(program, argv, options);
  if (error) throw error;
  return { code: status, bytes: stdout, out: stdout.toString(), err: stderr.toString() };
}

/** Starts the command; it ends by a signal. */
function start(argv, env = {}) {
  const child = spawn(COMMAND, argv, { env: { ...process.env, ...env } });
  let [out, err] = ['', ''];
  child.stdout.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr.on('data', (chunk) => {
    err += chunk;
  });
  child.stdin.on('error', () => {});
  const ended = new Promise((resolve) => child.on('close', (code) => resolve({ code, out, err })));
  return { process: child, out: () => out, ended };
}

async function until(holds) {
  for (let i = 0; !holds(); i++) {
    if (i > 3000) throw new Error('waited for too long');
    await sleep(10);
  }
}

// ---- files

function aesKey(path) {
  return JSON.parse(frameseal('keygen', 'aes', '-o', path, '--json').out).keys[0];
}

function put(path, contents, mode = 0o644) {
  mkdirSync(join(path, '..'), { recursive: true });
  writeFileSync(path, contents, { mode });
  return Buffer.from(contents);
}

function same(a, b) {
  ok(Buffer.compare(a, b) === 0, `${a.length} bytes differ from ${b.length}`);
}
