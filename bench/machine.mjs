/**
 * What results are worth nothing without: the machine, the runtime, the versions.
 */
import { readFileSync } from 'node:fs';
import { arch, availableParallelism, cpus, loadavg, platform, release, totalmem } from 'node:os';
import process from 'node:process';
import { clockStep } from '../dist/bench/index.js';
import { VERSION } from '../dist/version.js';

/** The machine, and how busy it was before. */
export function aboutMachine() {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    os: `${platform()} ${release()} ${arch()}`,
    load: loadavg()[0],
  };
}

/** This Node, without its rows. */
export function aboutThisNode(harness) {
  const [major] = process.versions.node.split('.');
  return {
    name: `node-${major}`,
    title: `Node.js ${major}`,
    version: process.versions.node,
    harness: harness.name,
    clockStepMicroseconds: 1000 * clockStep(() => performance.now()),
    versions: {
      frameseal: VERSION,
      openssl: process.versions.openssl,
      v8: process.versions.v8,
      ...peerVersions(),
    },
  };
}

function peerVersions() {
  const { dependencies } = JSON.parse(readFileSync(new URL('peers/package.json', import.meta.url), 'utf8'));
  return dependencies;
}
