/**
 * Which engines there are: exactly those that the runtime is expected to have, and no other serves in silence.
 */
import { bytes, equal, refused, same } from '../support.mjs';

const ENGINES = ['auto', 'wasm', 'native', 'hybrid'];

export function cases(library, { engines, kernel }) {
  const { decrypt, encrypt, rawAesKeyring, warmUp } = library;
  const keyring = rawAesKeyring({ keyNamespace: 'engines', keyName: 'k', wrappingKey: bytes(32) });
  const plaintext = bytes(10_000);

  async function serves(engine) {
    const { ciphertext } = await encrypt(plaintext, { keyring, engine, frameLength: 100 });
    same((await decrypt(ciphertext, { keyring, engine })).plaintext, plaintext);
    for (const other of engines)
      same((await decrypt(ciphertext, { keyring, engine: other })).plaintext, plaintext);
    return 'serves';
  }

  async function isRefused(engine) {
    await refused(library, ['UNSUPPORTED'], () => encrypt(plaintext, { keyring, engine }));
    const { ciphertext } = await encrypt(plaintext, { keyring });
    return refused(library, ['UNSUPPORTED'], () => decrypt(ciphertext, { keyring, engine }));
  }

  const forced = ENGINES.map((engine) => ({
    name: engine,
    run: () => (engine === 'auto' || engines.includes(engine) ? serves(engine) : isRefused(engine)),
  }));
  const unknown = {
    name: 'none of that name',
    run: () =>
      refused(library, ['INVALID_ARGUMENT'], () => encrypt(plaintext, { keyring, engine: 'openssl' })),
  };
  const warm = {
    name: 'warmUp',
    async run() {
      const report = await warmUp();
      equal(report.kernel.state, kernel, 'the kernel');
      const measured = new Set(report.measured.map(({ engine }) => engine));
      if (measured.size > 0) equal([...measured].sort().join(), [...engines].sort().join(), 'engines');
      await serves('auto');
      return report.kernel.state === 'ready' ? report.kernel.build : report.kernel.reason;
    },
  };
  return [...forced, unknown, warm];
}
