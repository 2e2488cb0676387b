// Completes package-lock.json after `npm install` against a registry that lacks the optional packages of other
// platforms: npm then leaves them out, and `npm ci` refuses the lock file. Run it after changing a dependency.
import { readFileSync, writeFileSync } from 'node:fs';

const FILE = 'package-lock.json';
const SYSTEMS = [
  'android',
  'darwin',
  'freebsd',
  'win32',
  'linux',
  'openharmony',
  'openbsd',
  'netbsd',
  'sunos',
  'aix',
];
const CPUS = ['arm64', 'x64', 'ia32', 'riscv64', 's390x', 'ppc64', 'loong64', 'wasm32', 'mips64el', 'arm'];

const lock = JSON.parse(readFileSync(FILE, 'utf8'));
const { '': root, ...packages } = lock.packages;
let added = 0;
for (const [at, owner] of Object.entries({ ...packages })) {
  for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
    const known = [`node_modules/${name}`, `${at}/node_modules/${name}`].some((path) => path in packages);
    if (known || !/^\d/.test(version)) continue;
    packages[`node_modules/${name}`] = platformPackage(name.split('/').pop(), version, owner.dev);
    added++;
  }
}
const sorted = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)));
lock.packages = { '': root, ...sorted };
writeFileSync(FILE, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${FILE}: ${added} packages of other platforms added`);

// The entry that npm would have written, as far as the name tells it.
function platformPackage(name, version, dev) {
  const cpu = CPUS.find((one) => name.includes(one));
  const os = SYSTEMS.find((one) => name.includes(one));
  return {
    version,
    ...(cpu && { cpu: [cpu] }),
    ...(dev && { dev: true }),
    optional: true,
    ...(os && { os: [os] }),
    ...(name.includes('musl') && { libc: ['musl'] }),
  };
}
