import type { CacheSpec } from '../../graph/index.js';
import { float32, type Tensor } from '../../tensor/index.js';
import type { Rows as PassRows } from './rows.js';

/** Rows of one kind (keys, or values) of one block, position-major; grows by doubling. */
class Rows {
  #data = new Float32Array(0);
  constructor(readonly width: number) {}

  write(at: number, rows: Float32Array): void {
    const end = at * this.width + rows.length;
    if (end > this.#data.length) {
      const grown = new Float32Array(Math.max(end, 2 * this.#data.length));
      grown.set(this.#data);
      this.#data = grown;
    }
    this.#data.set(rows, at * this.width);
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

  #of(block: string, spec: CacheSpec): Rows {
    const key = `${block}/${spec.past}`;
    const known = this.#rows.get(key) ?? new Rows(spec.heads * spec.headDim);
    this.#rows.set(key, known);
    return known;
  }
}
