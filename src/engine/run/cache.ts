import type { CacheSpec } from '../../graph/index.js';
import { float32, type Tensor } from '../../tensor/index.js';
import type { Rows as PassRows } from './rows.js';

/** Rows of one kind (keys, or values) of one block, position-major; grows by doubling. */
class Rows {
  #data = new Float32Array(0);
  /** By token: was its row written by the run itself? */
  readonly #own: boolean[] = [];
  constructor(readonly width: number) {}

  /** Are there rows of the first so many tokens? */
  has(length: number): boolean {
    for (let i = 0; i < length; i++) if (!this.#own[i]) return false;
    return true;
  }

  /** Rows from this one on are of another run. */
  forget(from: number): void {
    this.#own.length = Math.min(this.#own.length, from);
  }

  /** Puts back which rows are the run's own, and those of the first so many tokens that are not. */
  mark(length: number): () => void {
    const own = [...this.#own];
    const filled = this.has(length) ? undefined : this.read(length).slice();
    return () => {
      this.#own.splice(0, this.#own.length, ...own);
      if (filled) this.#data.set(filled);
    };
  }

  /** Takes the rows that are missing of the first so many tokens; they are missing all the same. */
  fill(rows: Float32Array, length: number): void {
    this.#reserve(length);
    for (let i = 0; i < length; i++) {
      const [from, to] = [i * this.width, (i + 1) * this.width];
      if (!this.#own[i]) this.#data.set(rows.subarray(from, to), from);
    }
  }

  write(at: number, rows: Float32Array): void {
    const count = rows.length / this.width;
    this.#reserve(at + count);
    this.#data.set(rows, at * this.width);
    for (let i = at; i < at + count; i++) this.#own[i] = true;
  }

  #reserve(length: number): void {
    const end = length * this.width;
    if (end <= this.#data.length) return;
    const grown = new Float32Array(Math.max(end, 2 * this.#data.length));
    grown.set(this.#data);
    this.#data = grown;
  }

  read(length: number): Float32Array {
    return this.#data.subarray(0, length * this.width);
  }
}

/** What an encoder gave for a sequence, and the rows it was given for. */
export interface Encoded {
  readonly rows: PassRows;
  /** By the names under which segments hand them on. */
  readonly values: ReadonlyMap<string, Tensor>;
}

/**
 * Keys and values of one sequence, for every block of the run order, by the block's name there; of an
 * encoder-decoder also what the encoder gave. Going back in time is a shorter length: rows beyond it are overwritten.
 */
export class KvCache {
  /** @param encoded set in the prefill, where it is not known before */
  constructor(public encoded?: Encoded) {}

  readonly #rows = new Map<string, Rows>();
  #length = 0;

  /** Tokens whose keys and values are here. */
  get length(): number {
    return this.#length;
  }

  /** Forgets what came after the first `length` tokens, or says that rows up to `length` were written. */
  setLength(length: number): void {
    this.#length = length;
  }

  /** What a block's input `spec.past` gets: [1, past, heads, headDim]. */
  past(block: string, spec: CacheSpec): Tensor {
    const shape = [1, this.#length, spec.heads, spec.headDim];
    return float32(shape, this.#of(block, spec).read(this.#length));
  }

  /** Writes new rows, [1, position, heads, headDim], after the present length (which `setLength` then moves). */
  append(block: string, spec: CacheSpec, rows: Float32Array): void {
    this.#of(block, spec).write(this.#length, rows);
  }

  /** Has a block rows of all tokens, written by the run itself? */
  isWhole(block: string, spec: CacheSpec): boolean {
    return this.#of(block, spec).has(this.#length);
  }

  /** What was written of later tokens is of a run that is given up, but for some blocks. */
  forget(from: number, { but }: { readonly but: ReadonlySet<string> }): void {
    for (const [key, rows] of this.#rows) if (!but.has(key.slice(0, key.lastIndexOf('/')))) rows.forget(from);
  }

  /**
   * What makes the cache as it is now again, as long as nothing was written since: how many tokens it counts, which rows
   * are the run's own, what an encoder gave.
   */
  mark(): () => void {
    const { length, encoded } = this;
    const marks = [...this.#rows.values()].map((rows) => rows.mark(length));
    return () => {
      this.#length = length;
      this.encoded = encoded;
      for (const restore of marks) restore();
    };
  }

  /** Takes the rows that a block lacks from another cache of the same tokens. */
  fill(block: string, spec: CacheSpec, from: KvCache): void {
    this.#of(block, spec).fill(from.#of(block, spec).read(this.#length), this.#length);
  }

  #of(block: string, spec: CacheSpec): Rows {
    const key = `${block}/${spec.past}`;
    const known = this.#rows.get(key) ?? new Rows(spec.heads * spec.headDim);
    this.#rows.set(key, known);
    return known;
  }
}
