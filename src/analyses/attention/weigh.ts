import { sizeOf, toFloat32, type Tensor } from '../../tensor/index.js';

/** Several heads' attention: rows look, columns are looked at. `data`: [head, query, key] */
export interface Heads {
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
  readonly data: Float32Array;
}

/** @param tensor [1, head, query, key] */
export const headsOf = (tensor: Tensor): Heads => {
  const [heads = 0, queries = 0, keys = 0] = tensor.shape.slice(-3);
  return { heads, queries, keys, data: toFloat32(tensor) };
};

/**
 * The length of what each key hands over, ‖v‖.
 * @param v [1, key, kvHead, headDim]
 * @returns [kvHead, key]
 */
export const valueNorms = (v: Tensor): { readonly heads: number; readonly norms: Float32Array } => {
  const [keys = 0, heads = 0, width = 0] = v.shape.slice(-3);
  const data = toFloat32(v);
  const norms = new Float32Array(sizeOf([heads, keys]));
  for (let k = 0; k < keys; k++)
    for (let h = 0; h < heads; h++) {
      const at = (k * heads + h) * width;
      let sum = 0;
      for (let i = at; i < at + width; i++) sum += (data[i] ?? 0) ** 2;
      norms[h * keys + k] = Math.sqrt(sum);
    }
  return { heads, norms };
};

/**
 * Each share of attention times the length of what is taken: p·‖v‖. Heads that share keys share their values.
 * @source Kobayashi 2020, "Attention is not only a weight", without the output matrix
 */
export const weighted = (pattern: Heads, values: { readonly heads: number; readonly norms: Float32Array }): Heads => {
  const { heads, queries, keys } = pattern;
  const group = Math.max(1, Math.floor(heads / values.heads));
  const data = new Float32Array(pattern.data.length);
  for (let row = 0; row < heads * queries; row++) {
    const norms = Math.floor(Math.floor(row / queries) / group) * keys;
    for (let k = 0; k < keys; k++)
      data[row * keys + k] = (pattern.data[row * keys + k] ?? 0) * (values.norms[norms + k] ?? 0);
  }
  return { ...pattern, data };
};
