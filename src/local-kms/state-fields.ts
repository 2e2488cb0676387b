/** Typed access to one JSON object of the state file. */
export class Fields {
  readonly #fields: ReadonlyMap<string, unknown>;

  constructor(value: unknown) {
    if (typeof value !== 'object' || value === null) throw new TypeError('not an object');
    this.#fields = new Map(Object.entries(value));
  }

  has(name: string): boolean {
    return this.#fields.has(name);
  }

  /** What `read` makes of a member; `undefined` if it is not there. */
  optional<T>(name: string, read: (name: string) => T): T | undefined {
    return this.has(name) ? read(name) : undefined;
  }

  readonly text = (name: string): string => {
    const value = this.#fields.get(name);
    return typeof value === 'string' ? value : this.fail(name);
  };

  readonly number = (name: string): number => {
    const value = this.#fields.get(name);
    return typeof value === 'number' ? value : this.fail(name);
  };

  /** Base64. */
  readonly bytes = (name: string): Buffer => Buffer.from(this.text(name), 'base64');

  readonly object = (name: string): Fields => new Fields(this.#fields.get(name));

  readonly list = (name: string): Fields[] => {
    const value = this.#fields.get(name);
    return Array.isArray(value) ? value.map((item) => new Fields(item)) : this.fail(name);
  };

  readonly texts = (name: string): string[] => {
    const value = this.#fields.get(name);
    return Array.isArray(value) && value.every((item) => typeof item === 'string') ? value : this.fail(name);
  };

  /** A map of texts. */
  readonly pairs = (name: string): Record<string, string> => {
    const { text } = this.object(name);
    const names = Object.keys(this.#fields.get(name) as object);
    return Object.fromEntries(names.map((member) => [member, text(member)]));
  };

  /** One of a set of names. */
  oneOf<T extends string>(name: string, values: readonly T[]): T {
    return values.find((value) => value === this.text(name)) ?? this.fail(name);
  }

  expect(name: string, holds: boolean): void {
    if (!holds) this.fail(name);
  }

  fail(name: string): never {
    throw new TypeError(`"${name}" is missing or wrong`);
  }
}
