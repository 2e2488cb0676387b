/**
 * `node:crypto`, asked for as a capability: `process.getBuiltinModule` exists in Node, Deno, Bun and in workerd with
 * Node compatibility, and in no browser. So the core names no built-in in an import, and no bundler has to be told.
 */
type NodeCrypto = typeof import('node:crypto');

/** The module, or `undefined` where the runtime has none. It may lack what Node has: see {@link nodeCryptoAsNodes}. */
export function nodeBuiltinCrypto(): NodeCrypto | undefined {
  const { process } = globalThis as { process?: { getBuiltinModule?: (id: string) => unknown } };
  return process?.getBuiltinModule?.('node:crypto') as NodeCrypto | undefined;
}

// What has been tried: the same module each time, as a rule.
const tried = new WeakMap<NodeCrypto, boolean>();

/**
 * The module if it does what Node's does, else `undefined`: then WebCrypto serves. workerd's refuses AES-GCM without
 * plaintext, which header tags are; its AES itself serves the hybrid engine.
 */
export function nodeCryptoAsNodes(): NodeCrypto | undefined {
  const node = nodeBuiltinCrypto();
  if (node === undefined) return undefined;
  const works = tried.get(node) ?? sealsNothing(node);
  tried.set(node, works);
  return works ? node : undefined;
}

function sealsNothing(node: NodeCrypto): boolean {
  try {
    const [key, iv, nothing] = [new Uint8Array(16), new Uint8Array(12), new Uint8Array(0)];
    const cipher = node.createCipheriv('aes-128-gcm', key, iv);
    cipher.update(nothing);
    cipher.final();
    return cipher.getAuthTag().length === 16;
  } catch {
    return false;
  }
}

/** The runtime, as the tables of measurements are named. */
export function runtimeName(): 'node' | 'deno' | 'bun' | 'web' {
  const { process } = globalThis as { process?: { versions?: Record<string, string | undefined> } };
  if (nodeCryptoAsNodes() === undefined) return 'web';
  return process?.versions?.bun ? 'bun' : process?.versions?.deno ? 'deno' : 'node';
}

/** Node's major version; 0 where the runtime names none. */
export function nodeMajorVersion(): number {
  const { process } = globalThis as { process?: { versions?: { node?: string } } };
  return Number.parseInt(process?.versions?.node ?? '0', 10);
}
