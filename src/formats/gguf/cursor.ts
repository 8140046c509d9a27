import { invalidGguf } from './invalid.js';

/** More bytes of the file must be given before the header can be read further. */
export class MoreNeeded extends Error {}

/**
 * A place in the first bytes of a file. Reading past the end of the file is an error; past what was given of it,
 * `MoreNeeded`. Numbers are little-endian.
 */
export class Cursor {
  readonly #view: DataView;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  #at = 0;

  constructor(
    readonly bytes: Uint8Array,
    readonly file: { readonly name: string; readonly size: number },
  ) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Bytes from the start of the file. */
  get at(): number {
    return this.#at;
  }

  /** Bytes from here to the end of the file. */
  get left(): number {
    return this.file.size - this.#at;
  }

  /** Steps over so many bytes. @returns where they begin @throws ModelError GGUF_INVALID */
  take(length: number, what: string): number {
    const start = this.#at;
    if (length > this.left)
      throw invalidGguf(this.file.name, `it ends inside ${what}, which needs ${length} bytes at byte ${start}`);
    if (start + length > this.bytes.length) throw new MoreNeeded();
    this.#at += length;
    return start;
  }

  uint8 = (what: string): number => this.#view.getUint8(this.take(1, what));
  int8 = (what: string): number => this.#view.getInt8(this.take(1, what));
  uint16 = (what: string): number => this.#view.getUint16(this.take(2, what), true);
  int16 = (what: string): number => this.#view.getInt16(this.take(2, what), true);
  uint32 = (what: string): number => this.#view.getUint32(this.take(4, what), true);
  int32 = (what: string): number => this.#view.getInt32(this.take(4, what), true);
  float32 = (what: string): number => this.#view.getFloat32(this.take(4, what), true);
  float64 = (what: string): number => this.#view.getFloat64(this.take(8, what), true);
  uint64 = (what: string): bigint => this.#view.getBigUint64(this.take(8, what), true);
  int64 = (what: string): bigint => this.#view.getBigInt64(this.take(8, what), true);

  /**
   * A number of things that follow, each of at least `leastBytes`: never more than the file has room for.
   * @throws ModelError GGUF_INVALID
   */
  count(what: string, leastBytes: number): number {
    const count = Number(this.uint64(`the number of ${what}`));
    if (count * leastBytes > this.left)
      throw invalidGguf(
        this.file.name,
        `it announces ${count} ${what}, more than its ${this.file.size} bytes can hold`,
      );
    return count;
  }

  /** A text, with its length before it. @throws ModelError GGUF_INVALID */
  text(what: string): string {
    const length = this.count(`bytes of ${what}`, 1);
    if (length === 0) return '';
    const start = this.take(length, what);
    try {
      return this.#decoder.decode(this.bytes.subarray(start, start + length));
    } catch {
      throw invalidGguf(this.file.name, `${what} is no text in UTF-8, at byte ${start}`);
    }
  }
}
