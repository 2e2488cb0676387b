/**
 * The members of a request, parsed into values that are what they claim to be.
 *
 * A wrong JSON type is a SerializationException, a value outside its model a ValidationException, as AWS KMS
 * answers them. A member that is `null` counts as absent.
 */
import type { EncryptionContext } from './encryption-context.ts';
import { constraint, malformed, unsupported } from './errors.ts';

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

export class Input {
  readonly #members: ReadonlyMap<string, unknown>;

  private constructor(members: ReadonlyMap<string, unknown>) {
    this.#members = members;
  }

  /** Parses a request body, which must be one JSON object. */
  static parse(body: Uint8Array): Input {
    let value: unknown;
    try {
      value = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
    } catch {
      throw malformed('The body is not valid JSON.');
    }
    if (!isObject(value)) throw malformed('The body is not a JSON object.');
    return new Input(presentMembers(value));
  }

  has(name: string): boolean {
    return this.#members.has(name);
  }

  text(name: string): string | undefined {
    const value = this.#members.get(name);
    if (value === undefined || typeof value === 'string') return value;
    throw malformed(`${name} is not a string.`);
  }

  /** A text of 1 to `limit` characters that must be there; key ids have at most 2048. */
  requiredText(name: string, limit = 2048): string {
    const value = this.text(name);
    if (value === undefined) throw constraint(name, null, 'not be null');
    this.#checkLength(name, value, value.length, limit);
    return value;
  }

  /** A key id, key ARN, alias name or alias ARN that may be missing but not empty. */
  optionalText(name: string): string | undefined {
    return this.has(name) ? this.requiredText(name) : undefined;
  }

  /** Bytes in base64, 1 to `limit` of them, that must be there. */
  blob(name: string, limit: number): Buffer {
    const text = this.text(name);
    if (text === undefined) throw constraint(name, null, 'not be null');
    if (!BASE64.test(text)) throw malformed(`${name} is not valid base64.`);
    const bytes = Buffer.from(text, 'base64');
    this.#checkLength(name, undefined, bytes.length, limit);
    return bytes;
  }

  integer(name: string, min: number, max: number): number | undefined {
    const value = this.#members.get(name);
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isInteger(value)) throw malformed(`${name} is not an integer.`);
    if (value < min) throw constraint(name, String(value), `have value greater than or equal to ${min}`);
    if (value > max) throw constraint(name, String(value), `have value less than or equal to ${max}`);
    return value;
  }

  flag(name: string): boolean {
    const value = this.#members.get(name) ?? false;
    if (typeof value !== 'boolean') throw malformed(`${name} is not a boolean.`);
    return value;
  }

  /** One of a set of names. */
  oneOf(name: string, values: readonly string[]): string | undefined {
    const value = this.text(name);
    if (value === undefined || values.includes(value)) return value;
    throw constraint(name, value, `satisfy enum value set: [${values.join(', ')}]`);
  }

  /** A map of strings to strings, such as an encryption context. */
  pairs(name: string): EncryptionContext | undefined {
    const value = this.#members.get(name);
    if (value === undefined) return undefined;
    if (!isObject(value)) throw malformed(`${name} is not a map.`);
    const entries = Object.entries(value).map(([key, text]): [string, string] => {
      if (typeof text !== 'string') throw malformed(`${name} has a value that is not a string.`);
      return [key, text];
    });
    return Object.fromEntries(entries);
  }

  /** A structure: its members. */
  object(name: string): Input | undefined {
    const value = this.#members.get(name);
    if (value === undefined) return undefined;
    if (!isObject(value)) throw malformed(`${name} is not a structure.`);
    return new Input(presentMembers(value));
  }

  /** A list of at most `limit` strings. */
  texts(name: string, limit: number): readonly string[] {
    const value = this.#members.get(name) ?? [];
    if (!Array.isArray(value) || !value.every((item): item is string => typeof item === 'string')) {
      throw malformed(`${name} is not a list of strings.`);
    }
    if (value.length > limit) {
      throw constraint(name, `[${value.join(', ')}]`, `have length less than or equal to ${limit}`);
    }
    return value;
  }

  /** Refuses members that change what an operation does and are not implemented here. */
  refuse(...names: readonly string[]): void {
    const name = names.find((member) => this.has(member));
    if (name !== undefined) throw unsupported(`${name} is not supported by the local KMS.`);
  }

  #checkLength(name: string, shown: string | undefined, length: number, limit: number): void {
    if (length < 1) throw constraint(name, shown, 'have length greater than or equal to 1');
    if (length > limit) throw constraint(name, shown, `have length less than or equal to ${limit}`);
  }
}

function presentMembers(value: Readonly<Record<string, unknown>>): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(value).filter(([, member]) => member !== null));
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
