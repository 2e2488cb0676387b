/**
 * `node:crypto`, asked for as a capability: `process.getBuiltinModule` exists in Node, Deno, Bun and in workerd with
 * Node compatibility, and in no browser. So the core names no built-in in an import, and no bundler has to be told.
 */
type NodeCrypto = typeof import('node:crypto');

/** The module, or `undefined` where the runtime has none. */
export function nodeBuiltinCrypto(): NodeCrypto | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (id: string) => unknown } };
  return process?.getBuiltinModule?.('node:crypto') as NodeCrypto | undefined;
}

/** The runtime, as the tables of measurements are named. */
export function runtimeName(): 'node' | 'deno' | 'bun' | 'web' {
  const { process } = globalThis as { process?: { versions?: Record<string, string | undefined> } };
  if (nodeBuiltinCrypto() === undefined) return 'web';
  return process?.versions?.bun ? 'bun' : process?.versions?.deno ? 'deno' : 'node';
}

/** Node's major version; 0 where the runtime names none. */
export function nodeMajorVersion(): number {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  return Number.parseInt(process?.versions?.node ?? '0', 10);
}
