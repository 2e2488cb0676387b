/**
 * addWrappingKeys and decrypt with a sidecar, aborted at every point, and what they leave of keys in memory.
 */
import { createHmac, hkdfSync } from 'node:crypto';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  addWrappingKeys,
  type Bytes,
  type CryptographicMaterialsManager,
  decrypt,
  defaultCmm,
  encrypt,
  FramesealError,
  type Keyring,
  parseHeader,
} from '../../src/index.ts';
import { awsKmsKeyring, type KmsApi } from '../../src/keyring/aws-kms/index.ts';
import { aesKeyring, bytes, failure, failureCode, flip } from '../support/messages.ts';
import { malleableKeyring, withSidecar } from '../support/sidecars.ts';

const ARN = 'arn:aws:kms:us-east-1:000000000000:key/11111111-1111-1111-1111-111111111111';
const first = aesKeyring(1);
const added = aesKeyring(2);
const never = () => new Promise<never>(() => {});

const unwatch = () => {
  vi.unstubAllGlobals();
  Uint8Array.prototype.constructor = Uint8Array;
};
afterEach(unwatch);

/** Runs `work` again and again, each time aborted a turn later, until it is done before. */
async function abortedAtEveryTurn<T>(work: (signal: AbortSignal) => Promise<T>): Promise<(T | string)[]> {
  const outcomes: (T | string)[] = [];
  for (let turns = 0; ; turns++) {
    const controller = new AbortController();
    let done = false;
    const running = work(controller.signal).then(
      (value) => value,
      (error: unknown) => (error instanceof FramesealError ? error.code : String(error)),
    );
    void running.then(() => {
      done = true;
    });
    for (let i = 0; i < turns && !done; i++) await null;
    if (done) return outcomes;
    controller.abort();
    outcomes.push(await running);
  }
}

/** A keyring that takes some turns for everything, and must not be asked once the signal has aborted. */
function slow(keyring: Keyring, asked: string[]): Keyring {
  const turns = async () => {
    for (let i = 0; i < 5; i++) await null;
  };
  return {
    onEncrypt: async (materials, options) => {
      asked.push(options.signal?.aborted ? 'too late' : 'onEncrypt');
      await turns();
      return keyring.onEncrypt(materials, {});
    },
    onDecrypt: async (materials, edks, options) => {
      asked.push(options.signal?.aborted ? 'too late' : 'onDecrypt');
      await turns();
      return keyring.onDecrypt(materials, edks, {});
    },
  };
}

describe('an abort', () => {
  it('ends addWrappingKeys wherever it is: nobody is asked any more', async () => {
    const { ciphertext, sidecar, plaintext } = await withSidecar();
    const asked: string[] = [];
    const [keyring, add] = [slow(added, asked), slow(aesKeyring(3), asked)];
    const outcomes = await abortedAtEveryTurn((signal) =>
      addWrappingKeys(ciphertext, { keyring, sidecar, add, signal }),
    );
    expect(asked).not.toContain('too late');
    expect(outcomes.filter((outcome) => outcome === 'ABORTED').length).toBeGreaterThan(20);
    for (const outcome of outcomes.filter((one) => one !== 'ABORTED')) {
      expect(outcome).toHaveProperty('sidecar'); // everything had been asked for
      const options = { keyring: aesKeyring(3), sidecar: (outcome as { sidecar: Bytes }).sidecar };
      expect((await decrypt(ciphertext, options)).plaintext).toEqual(plaintext);
    }
  });

  it('ends decrypt between its two requests', async () => {
    const { ciphertext, sidecar } = await withSidecar();
    const asked: string[] = [];
    const outcomes = await abortedAtEveryTurn((signal) =>
      decrypt(ciphertext, { keyring: slow(added, asked), sidecar, signal }),
    );
    expect(asked).not.toContain('too late');
    expect(outcomes.filter((outcome) => outcome === 'ABORTED').length).toBeGreaterThan(15);
  });

  it('does not let a keyring that fails for it be followed by the sidecar', async () => {
    const { ciphertext, sidecar } = await withSidecar();
    const controller = new AbortController();
    let requests = 0;
    const keyring: Keyring = {
      ...added,
      onDecrypt: () => {
        requests++;
        controller.abort(); // before anybody else is told
        return Promise.reject(new Error('the keyring has heard it first'));
      },
    };
    const { signal } = controller;
    expect(await failureCode(decrypt(ciphertext, { keyring, sidecar, signal }))).toBe('ABORTED');
    expect(requests).toBe(1);
  });

  it('ends the wait for keyrings that hang', async () => {
    const { ciphertext, sidecar } = await withSidecar();
    const hangs: Keyring = { onEncrypt: never, onDecrypt: never };
    const aborted = async (work: (signal: AbortSignal) => Promise<unknown>) => {
      const controller = new AbortController();
      const running = work(controller.signal);
      setTimeout(() => controller.abort('enough'), 5);
      return failure(running);
    };
    for (const error of [
      await aborted((signal) => addWrappingKeys(ciphertext, { keyring: first, add: hangs, signal })),
      await aborted((signal) => addWrappingKeys(ciphertext, { keyring: hangs, add: added, signal })),
      await aborted((signal) => decrypt(ciphertext, { keyring: hangs, sidecar, signal })),
    ]) {
      expect(error).toMatchObject({ code: 'ABORTED', cause: 'enough' });
    }
  });

  it('that came before lets nobody be asked', async () => {
    const { ciphertext, sidecar } = await withSidecar();
    const asked: string[] = [];
    const [keyring, add] = [slow(added, asked), slow(first, asked)];
    const signal = AbortSignal.abort();
    expect(await failureCode(addWrappingKeys(ciphertext, { keyring, sidecar, add, signal }))).toBe('ABORTED');
    expect(await failureCode(decrypt(ciphertext, { keyring, sidecar, signal }))).toBe('ABORTED');
    expect(asked).toEqual([]);
  });
});

describe('nothing of the data key stays', () => {
  const dataKey = bytes(32, 9);
  const lent: Uint8Array[] = [];
  const kms: KmsApi = {
    generateDataKey: never,
    encrypt: async ({ Plaintext }) => {
      lent.push(Plaintext);
      return { KeyId: ARN, CiphertextBlob: bytes(50) };
    },
    decrypt: never,
  };
  const kmsKeyring = awsKmsKeyring({ keyIds: [ARN], clientSupplier: () => kms });
  const keepsMaterials: Keyring = {
    ...malleableKeyring(),
    onEncrypt: async (materials, options) => {
      lent.push(materials.plaintextDataKey!);
      return malleableKeyring().onEncrypt(materials, options);
    },
  };
  const fails: Keyring = { ...malleableKeyring(), onEncrypt: () => Promise.reject(new Error('refused')) };
  const hears: Keyring = {
    ...malleableKeyring(),
    onEncrypt: (_, { signal }) =>
      new Promise((_, reject) => signal!.addEventListener('abort', () => reject(new Error('heard')))),
  };

  async function message(): Promise<Bytes> {
    const inner = defaultCmm({ keyring: first });
    const wraps = { algorithmSuite: 0x0578 };
    const cmm: CryptographicMaterialsManager = {
      ...inner,
      getEncryptionMaterials: async (request) => {
        const made = await inner.getEncryptionMaterials(request);
        const { encryptedDataKeys } = await first.onEncrypt(
          { ...made, plaintextDataKey: dataKey.slice(), encryptedDataKeys: [] },
          {},
        );
        return { ...made, plaintextDataKey: dataKey.slice(), encryptedDataKeys };
      },
    };
    return (await encrypt(bytes(100), { ...wraps, cmm })).ciphertext;
  }

  /** The keys of the message and of its sidecar, from the documentation. */
  function secretsOf(ciphertext: Uint8Array): Uint8Array[] {
    const { messageId, headerLength } = parseHeader(ciphertext);
    const commitKey = ciphertext.subarray(headerLength - 48, headerLength - 16);
    const id = Buffer.from([5, 0x78]);
    const info = Buffer.concat([id, Buffer.from([0, 32]), messageId, Buffer.from([0, 32]), commitKey]);
    const macKey = new Uint8Array(hkdfSync('sha512', dataKey, 'frameseal sidecar v1', info, 64));
    const derived = hkdfSync('sha512', dataKey, messageId, Buffer.concat([id, Buffer.from('DERIVEKEY')]), 32);
    const prk = createHmac('sha512', 'frameseal sidecar v1').update(dataKey).digest();
    return [dataKey, macKey, new Uint8Array(derived), prk];
  }

  /** Every byte array that is made from now on. */
  function watched(): Uint8Array[] {
    const made: Uint8Array[] = [];
    const plain = Uint8Array;
    const proxy = new Proxy(plain, {
      construct: (target, args, from) => {
        const array = Reflect.construct(target, args, from === proxy ? target : from) as Uint8Array;
        made.push(array);
        return array;
      },
    });
    vi.stubGlobal('Uint8Array', proxy);
    plain.prototype.constructor = proxy as unknown as Uint8ArrayConstructor; // for `slice`
    return made;
  }

  function expectNoneOf(secrets: readonly Uint8Array[], arrays: readonly Uint8Array[]): void {
    expect(arrays.length).toBeGreaterThan(10);
    for (const array of arrays) {
      const whole = Buffer.from(array.buffer as ArrayBuffer);
      for (const secret of secrets) expect(whole.indexOf(secret)).toBe(-1);
    }
  }

  it.each([
    ['added by KMS', kmsKeyring, undefined],
    ["added by a caller's keyring", keepsMaterials, undefined],
    ['not added', fails, 'Error'],
    ['aborted meanwhile', hears, 'ABORTED'],
  ])('%s', async (_, add, expected) => {
    const ciphertext = await message();
    const secrets = secretsOf(ciphertext);
    const controller = new AbortController();
    const arrays = watched();
    const work = addWrappingKeys(ciphertext, { keyring: first, add, signal: controller.signal });
    if (add === hears) setTimeout(() => controller.abort(), 20);
    const outcome = await work.catch((error) => error.code ?? error.name);
    await new Promise((resolve) => setTimeout(resolve, 5));
    unwatch();
    if (expected) expect(outcome).toBe(expected);
    else expect(outcome).toHaveProperty('sidecar');
    expectNoneOf(secrets, arrays);
    for (const key of lent.splice(0)) expect(key).toEqual(new Uint8Array(32));
  });

  it.each([
    ['by the header', first, undefined],
    ['by the sidecar', added, undefined],
    ['with a sidecar that was altered', first, 'SIDECAR_MISMATCH'],
  ])('opened %s', async (_, keyring, expected) => {
    const ciphertext = await message();
    const { sidecar } = await addWrappingKeys(ciphertext, { keyring: first, add: added });
    const given = expected ? flip(sidecar, sidecar.length - 1) : sidecar;
    const arrays = watched();
    const outcome = await decrypt(ciphertext, { keyring, sidecar: given }).catch((error) => error.code);
    unwatch();
    if (expected) expect(outcome).toBe(expected);
    else expect(outcome).toHaveProperty('plaintext');
    expectNoneOf(secretsOf(ciphertext), arrays);
  });
});
