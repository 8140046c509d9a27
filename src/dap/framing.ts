/**
 * Messages as bytes: `Content-Length: N`, other headers, an empty line, N bytes of JSON.
 * @source Debug Adapter Protocol, overview, "Base Protocol"
 */
export const frame = (message: object): Buffer => {
  const body = Buffer.from(JSON.stringify(message));
  return Buffer.concat([Buffer.from(`Content-Length: ${body.length}\r\n\r\n`), body]);
};

/** What came in: a message, or what is wrong with the bytes. */
export type Received = { readonly message: unknown } | { readonly problem: string };

/** The longest header and message that are taken, in bytes. */
export const limits = { header: 8192, body: 16 * 1024 * 1024 } as const;

const endOfHeader = '\r\n\r\n';

const parse = (body: Buffer): Received => {
  try {
    return { message: JSON.parse(body.toString()) as unknown };
  } catch {
    return { problem: 'a message is not JSON' };
  }
};

/** Cuts a stream of bytes into messages, however it is split. What it cannot read it tells, and goes on. */
export class Deframer {
  #chunks: Buffer[] = [];
  #size = 0;
  /** Bytes of the next message, once its header was read. */
  #length: number | undefined;
  /** Bytes to leave out: of a message that is too long. */
  #skip = 0;

  push(chunk: Buffer): readonly Received[] {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    const received: Received[] = [];
    for (let next = this.#next(); next; next = this.#next()) if (next !== 'skipped') received.push(next);
    return received;
  }

  #next(): Received | 'skipped' | undefined {
    if (this.#skip > 0 && this.#size > 0) {
      this.#skip -= this.#take(Math.min(this.#skip, this.#size)).length;
      return 'skipped';
    }
    if (this.#length === undefined) return this.#header();
    if (this.#size < this.#length) return undefined;
    const body = this.#take(this.#length);
    this.#length = undefined;
    return parse(body);
  }

  #header(): Received | 'skipped' | undefined {
    const all = this.#joined();
    const end = all.indexOf(endOfHeader);
    if (end < 0 && all.length <= limits.header) return undefined;
    if (end < 0 || end > limits.header) return this.#lost(all, end);
    const header = this.#take(end + endOfHeader.length).toString('latin1');
    const length = /(?:^|\n)content-length:[ \t]*(\d{1,15})[ \t]*\r/i.exec(header)?.[1];
    if (length === undefined) return { problem: 'a header has no Content-Length' };
    if (Number(length) <= limits.body) {
      this.#length = Number(length);
      return 'skipped';
    }
    this.#skip = Number(length);
    return { problem: `a message of ${length} bytes is longer than ${limits.body}` };
  }

  /** No header where one should be: on to what looks like the next. */
  #lost(all: Buffer, end: number): Received {
    const next = all.indexOf('Content-Length:', 1);
    this.#take(next > 0 ? next : end >= 0 ? end + endOfHeader.length : all.length);
    return { problem: 'bytes that are no message' };
  }

  #joined(): Buffer {
    const all = this.#chunks.length === 1 ? this.#chunks[0] : Buffer.concat(this.#chunks);
    this.#chunks = all ? [all] : [];
    return all ?? Buffer.alloc(0);
  }

  #take(count: number): Buffer {
    const all = this.#joined();
    const rest = all.subarray(count);
    this.#chunks = rest.length > 0 ? [rest] : [];
    this.#size = rest.length;
    return all.subarray(0, count);
  }
}
