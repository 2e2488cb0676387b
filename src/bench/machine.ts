/**
 * What is known of machine and runtime, without which figures are worth nothing. Nothing of Node is imported: what a
 * runtime does not offer is left out.
 */
import { VERSION } from '../version.ts';

/** The machine; in a browser little of it is known. */
export interface Machine {
  readonly cpu?: string;
  readonly cores?: number;
  readonly memoryGiB?: number;
  readonly os?: string;
  /** How many processes were running or waiting in the last minute, on average. */
  readonly load?: number;
}

/** The runtime. */
export interface Runtime {
  /** For machines: `node-20`, `deno`, `bun`, `workerd`, `chromium`, `firefox`, `webkit`, `unknown`. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** Empty if it does not say. */
  readonly version: string;
  /** Of this library, and of what else the runtime names. */
  readonly versions: Readonly<Record<string, string>>;
}

/** As much of these as the runtimes have in common. */
interface Globals {
  readonly process?: {
    readonly versions?: Readonly<Record<string, string | undefined>>;
    getBuiltinModule?(id: string): unknown;
  };
  readonly navigator?: {
    readonly hardwareConcurrency?: number;
    readonly deviceMemory?: number;
    readonly platform?: string;
    readonly userAgent?: string;
  };
}

/** The engine of a browser by its user agent; most also name others, so the order matters. */
const BROWSERS: readonly (readonly [name: string, title: string, version: RegExp])[] = [
  ['firefox', 'Firefox', /Firefox\/([\d.]+)/],
  ['chromium', 'Chromium', /Chrom(?:e|ium)\/([\d.]+)/],
  ['webkit', 'WebKit', /Version\/([\d.]+).*Safari\//],
  ['webkit', 'WebKit', /AppleWebKit\/([\d.]+)/],
];

/** The machine this runs on. */
export function machineHere(globals: Globals = globalThis as Globals): Machine {
  const { navigator, process } = globals;
  const os = process?.getBuiltinModule?.('node:os') as typeof import('node:os') | undefined;
  if (typeof os?.cpus === 'function') return byNode(os);
  return {
    ...(navigator?.hardwareConcurrency && { cores: navigator.hardwareConcurrency }),
    ...(navigator?.deviceMemory && { memoryGiB: navigator.deviceMemory }),
    ...(navigator?.platform && { os: navigator.platform }),
  };
}

function byNode(os: typeof import('node:os')): Machine {
  const cpus = os.cpus();
  const cpu = cpus[0]?.model.trim();
  return {
    ...(cpu && { cpu }),
    ...(cpus.length > 0 && { cores: cpus.length }),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    os: `${os.platform()} ${os.release()} ${os.arch()}`,
    load: Math.round(100 * os.loadavg()[0]!) / 100,
  };
}

/** The runtime this runs in. */
export function runtimeHere(globals: Globals = globalThis as Globals): Runtime {
  const agent = globals.navigator?.userAgent ?? '';
  const known = globals.process?.versions ?? {};
  if (agent === 'Cloudflare-Workers') return runtime('workerd', 'workerd', '');
  if (known.bun) return runtime('bun', 'Bun', known.bun);
  if (known.deno) return runtime('deno', 'Deno', known.deno, known);
  if (known.node) return runtime(`node-${known.node.split('.')[0]}`, 'Node.js', known.node, known);
  for (const [name, title, pattern] of BROWSERS) {
    const version = pattern.exec(agent)?.[1];
    if (version !== undefined) return runtime(name, title, version);
  }
  return runtime('unknown', 'unknown runtime', '');
}

function runtime(
  name: string,
  title: string,
  version: string,
  { v8, openssl }: Readonly<Record<string, string | undefined>> = {},
): Runtime {
  return {
    name,
    title,
    version,
    versions: { frameseal: VERSION, ...(v8 && { v8 }), ...(openssl && { openssl }) },
  };
}
