/**
 * A store of messages in memory that can be killed at any step, with a journal that is part of what survives.
 */
import {
  type Bytes,
  decrypt,
  encrypt,
  type JournalEntry,
  type Keyring,
  type RotateOptions,
  type RotationJournal,
  type RotationReport,
  type RotationResult,
  rotateMessages,
  type StoredMessage,
} from '../../src/index.ts';
import { aesKeyring } from './messages.ts';
import { collect } from './streams.ts';

/** An object. Its version counts how often it has been replaced. */
export interface StoredObject {
  body: Bytes;
  version: number;
}

/** What a process has left: steps until it is killed. */
export interface Life {
  steps: number;
}

/** What survives a crash. */
export class World {
  readonly objects: Map<string, StoredObject> = new Map();
  readonly entries: JournalEntry[] = [];

  /** `count` messages of different lengths and plaintexts, some of them signed. */
  static async of(count: number, keyring: Keyring, length = (i: number): number => i % 40): Promise<World> {
    const world = new World();
    for (let i = 0; i < count; i++) {
      const algorithmSuite = i % 50 === 1 ? 0x0578 : 0x0478; // signing takes its time
      const options = { keyring, frameLength: length(i) > 2 ** 16 ? 4096 : 16, algorithmSuite };
      const { ciphertext } = await encrypt(plaintextOf(i, length(i)), options);
      world.objects.set(nameOf(i), { body: ciphertext, version: 0 });
    }
    return world;
  }

  /** A run's view of it. A step after the last one of its life fails, and so do all that follow. */
  process(life: Life = { steps: Number.POSITIVE_INFINITY }): Process {
    return new Process(this, life);
  }

  /** Fails unless each object opens by this keyring to what it was. */
  async check(keyring: Keyring, length = (i: number): number => i % 40): Promise<void> {
    let i = 0;
    for (const [name, { body }] of this.objects) {
      const { plaintext } = await decrypt(body, { keyring });
      const expected = plaintextOf(i, length(i++));
      if (Buffer.compare(plaintext, expected) !== 0) throw new Error(`${name} has another plaintext`);
    }
  }
}

/** What happened, in order: `read NAME`, `replace NAME`, `begun NAME`, … */
export class Process {
  readonly events: string[] = [];
  readonly journal: RotationJournal;
  /** Called at each step, and waited for. */
  onStep: (event: string, signal?: AbortSignal) => void | Promise<void> = () => {};
  readonly #world: World;
  readonly #life: Life;

  constructor(world: World, life: Life) {
    this.#world = world;
    this.#life = life;
    this.journal = { entries: () => [...world.entries], append: (entry) => this.#append(entry) };
  }

  /** All objects, in order. */
  *messages(): Generator<StoredMessage> {
    for (const name of this.#world.objects.keys()) yield this.message(name);
  }

  message(name: string): StoredMessage {
    const object = this.#world.objects.get(name)!;
    let version: number | undefined;
    return {
      name,
      size: object.body.length,
      read: async ({ signal }) => {
        await this.#step(`read ${name}`, signal);
        version = object.version;
        return pieces(object.body, Math.max(100, object.body.length >> 6));
      },
      replace: async (body, { signal }) => {
        await this.#step(`replace ${name}`, signal);
        const whole = await collect(body);
        await this.#step(`complete ${name}`, signal);
        if (object.version !== version) throw new Error(`${name} has changed meanwhile`);
        object.body = whole;
        object.version++;
        await this.#step(`replaced ${name}`, signal);
      },
    };
  }

  async #append(entry: JournalEntry): Promise<void> {
    await this.#step(`append ${entry.state} ${entry.name}`);
    this.#world.entries.push(entry);
    await this.#step(`${entry.state} ${entry.name}`);
  }

  async #step(event: string, signal?: AbortSignal): Promise<void> {
    if (--this.#life.steps < 0) throw new Error('crash');
    this.events.push(event);
    await this.onStep(event, signal);
    if (this.#life.steps < 0) throw new Error('crash'); // meanwhile
  }
}

/** The name of the object number `i`. */
export function nameOf(i: number): string {
  return `object-${String(i).padStart(5, '0')}`;
}

function plaintextOf(i: number, length: number): Uint8Array {
  return Buffer.alloc(length, `plaintext of object ${i}, `);
}

/** The bytes as a stream of pieces, which are made when they are asked for. */
function pieces(body: Uint8Array, length: number): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        if (at >= body.length) return controller.close();
        controller.enqueue(body.slice(at, at + length));
        at += length;
      },
    },
    { highWaterMark: 0 },
  );
}

/** Rotates all of it, from the keyring `aesKeyring(1)` to `aesKeyring(2)` unless told. */
export async function rotated(
  world: World,
  options: Partial<RotateOptions> = {},
): Promise<{ report: RotationReport; results: RotationResult[]; process: Process }> {
  const process = world.process();
  const results: RotationResult[] = [];
  const report = await rotateMessages(process.messages(), {
    keyring: aesKeyring(1),
    to: aesKeyring(2),
    onResult: (result) => results.push(result),
    ...options,
  });
  return { report, results, process };
}

/** An object that cannot be read. */
export function broken(name: string): StoredMessage {
  return {
    name,
    read: () => Promise.reject(new Error(`no ${name}`)),
    replace: () => Promise.reject(new Error('not asked')),
  };
}
