/**
 * The two versions that are compared, each built into a folder of its own outside of the repository.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const BUILT_FROM = ['src', 'package.json', 'tsconfig.json', 'tsconfig.build.json'];

/**
 * The commit to compare with: HEAD while `src` has changes, else the one before the last commit that changed `src`.
 * @param named a commit to be taken instead.
 * @returns { commit, title }, or undefined where this clone has none.
 */
export function previousCommit(named) {
  const wanted = named ?? (git('status', '--porcelain', '--', 'src') ? 'HEAD' : beforeLastChange());
  const commit = wanted && git('rev-parse', '--verify', '--quiet', `${wanted}^{commit}`);
  return commit ? { commit, title: git('log', '-1', '--format=%h %s', commit) } : undefined;
}

function beforeLastChange() {
  const last = git('log', '-1', '--format=%H', '--', 'src');
  return last && `${last}~1`;
}

// What it prints; nothing where it fails, as without git or in an unpacked archive.
function git(...args) {
  try {
    return execFileSync('git', ['-C', ROOT, ...args], { encoding: 'utf8', stdio: 'pipe' }).trim();
  } catch {
    return '';
  }
}

/** Builds the files that lie here. */
export function buildPresent(folder) {
  for (const name of BUILT_FROM) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  return compile(folder);
}

/** Builds a commit, over the dependencies that are installed here. */
export function buildCommit(folder, commit) {
  mkdirSync(folder, { recursive: true });
  const archive = join(folder, 'archive.tar');
  execFileSync('git', ['-C', ROOT, 'archive', `--output=${archive}`, commit, '--', ...BUILT_FROM]);
  execFileSync('tar', ['-xf', archive, '-C', folder]);
  return compile(folder);
}

/** A built version once more, so that its modules are loaded and compiled once more. */
export function copyOf(built, folder) {
  cpSync(built, folder, { recursive: true, verbatimSymlinks: true });
  return folder;
}

// Types are checked elsewhere.
function compile(folder) {
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  const tsc = join(ROOT, 'node_modules/typescript/bin/tsc');
  const options = ['-p', 'tsconfig.build.json', '--noCheck', '--declaration', 'false'];
  execFileSync(process.execPath, [tsc, ...options, '--isolatedDeclarations', 'false'], {
    cwd: folder,
    stdio: 'inherit',
  });
  return folder;
}
