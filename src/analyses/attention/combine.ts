import type { Heads } from './weigh.js';

/** Sums heads as they come, of any layers that look from the same tokens at the same tokens. */
export class HeadMean {
  #sum: Float64Array | undefined;
  #count = 0;

  /** @returns false where this head has another shape than those before */
  add({ queries, keys, data }: Heads, head: number): boolean {
    const size = queries * keys;
    this.#sum ??= new Float64Array(size);
    const sum = this.#sum;
    if (sum.length !== size) return false;
    for (let i = 0; i < size; i++) sum[i] = (sum[i] ?? 0) + (data[head * size + i] ?? 0);
    this.#count++;
    return true;
  }

  /** [query, key] */
  get mean(): Float32Array {
    return Float32Array.from(this.#sum ?? [], (x) => x / this.#count);
  }
}

/** The mean of all heads. [query, key] */
export const meanOf = (heads: Heads): Float32Array => {
  const mean = new HeadMean();
  for (let h = 0; h < heads.heads; h++) mean.add(heads, h);
  return mean.mean;
};

/** How often the work is given a chance to stop: after so many multiplications. */
const pieceOfWork = 2 ** 23;

/**
 * Attention rollout: where the tokens of the first layer went, through all layers so far. Each layer is half its heads'
 * mean and half the token itself, Ã = ½A + ½I, for the sum around the layer; R = Ã · R before.
 * @source Abnar & Zuidema 2020, "Quantifying attention flow in transformers", §3
 */
export class Rollout {
  #through: Float32Array | undefined;

  constructor(
    readonly tokens: number,
    /** Called now and then; throws to stop. */
    readonly onPiece: () => void | Promise<void> = () => undefined,
  ) {}

  /** @param mean [token, token] of the next layer */
  async add(mean: Float32Array): Promise<void> {
    const n = this.tokens;
    const before = this.#through;
    const next = new Float32Array(n * n);
    const row = new Float64Array(n);
    let work = 0;
    for (let q = 0; q < n; q++) {
      row.fill(0);
      for (let k = 0; k < n; k++) {
        const share = 0.5 * (mean[q * n + k] ?? 0) + (q === k ? 0.5 : 0);
        if (share === 0) continue; // what lies ahead, of a causal model
        if (!before) {
          row[k] = share;
          continue;
        }
        for (let j = 0, at = k * n; j < n; j++, at++) row[j] = (row[j] ?? 0) + share * (before[at] ?? 0);
        work += n;
      }
      next.set(row, q * n);
      if (work < pieceOfWork) continue;
      work = 0;
      await this.onPiece();
    }
    this.#through = next;
  }

  /** [token after the last layer, token of the first] */
  get through(): Float32Array {
    return this.#through ?? new Float32Array();
  }
}
