/** Two tokens and the number between them. */
export interface Pair {
  readonly row: number;
  readonly column: number;
  readonly value: number;
}

/** Collects the largest numbers of a matrix that is never there as a whole, a few rows of it at a time. */
export class PairCollector {
  #kept: Pair[] = [];
  #least = -Infinity;
  constructor(readonly most: number) {}

  /** @param block some rows [row, column], the first of them `from` */
  add(block: Float32Array, columns: number, from: number): void {
    const rows = block.length / columns;
    for (let r = 0; r < rows; r++) {
      const row = block.subarray(r * columns, (r + 1) * columns);
      for (let c = 0; c < columns; c++) {
        const value = row[c] ?? NaN;
        if (value > this.#least) this.#put({ row: from + r, column: c, value });
      }
    }
  }

  /** Largest first. */
  get pairs(): readonly Pair[] {
    return this.#sorted().slice(0, this.most);
  }

  #sorted(): Pair[] {
    return [...this.#kept].sort((a, b) => b.value - a.value || a.row - b.row || a.column - b.column);
  }

  #put(pair: Pair): void {
    this.#kept.push(pair);
    if (this.#kept.length < 4 * this.most) return;
    this.#kept = this.#sorted().slice(0, this.most);
    this.#least = this.#kept.at(-1)?.value ?? -Infinity;
  }
}
