/** S3 in memory, as far as the example uses it: whole objects, `IfMatch`, lengths that must be right, and errors as the SDK has them. */
import { createHash } from 'node:crypto';

class Command {
  constructor(input) {
    this.input = input;
  }
}
export class GetObjectCommand extends Command {}
export class PutObjectCommand extends Command {}

export class MemoryS3 {
  objects = new Map();
  /** Puts that have been done. */
  puts = 0;
  /** By key: what happens before a command is done, or when it is done. It may throw. */
  before = new Map();
  after = new Map();

  set(key, bytes, rest = {}) {
    const etag = `"${createHash('md5').update(bytes).digest('hex')}"`;
    this.objects.set(key, { bytes, etag, ...rest });
  }

  send = async (command) => {
    const { Key, IfMatch } = command.input;
    const isPut = command instanceof PutObjectCommand;
    const body = isPut ? await collected(command.input) : undefined;
    await this.before.get(Key)?.(isPut);
    const object = this.objects.get(Key);
    if (object === undefined) throw s3Error('NoSuchKey', 404);
    if (IfMatch !== undefined && IfMatch !== object.etag) throw s3Error('PreconditionFailed', 412);
    const answer = isPut ? this.#put(command.input, body) : answerOf(object);
    await this.after.get(Key)?.(isPut);
    return answer;
  };

  #put({ Key, Bucket, Metadata, ContentType }, bytes) {
    this.puts++;
    this.set(Key, bytes, { Bucket, Metadata, ContentType });
    return {};
  }
}

export function s3Error(name, httpStatusCode) {
  return Object.assign(new Error(name), { name, $metadata: { httpStatusCode } });
}

function answerOf({ bytes, etag, Metadata, ContentType }) {
  const Body = { transformToWebStream: () => new Blob([bytes]).stream() };
  return { Body, ETag: etag, ContentLength: bytes.length, Metadata, ContentType };
}

async function collected({ Body, ContentLength }) {
  const pieces = [];
  for await (const piece of Body instanceof Uint8Array ? [Body] : Body) pieces.push(piece);
  const bytes = Buffer.concat(pieces);
  if (bytes.length !== ContentLength) throw s3Error('IncompleteBody', 400);
  return bytes;
}
