import type { Pattern } from './rollout.js';

/** A layer's attention and the scalar's gradient by it, [head, query, key] each. */
export interface LayerAttention {
  readonly pattern: ArrayLike<number>;
  readonly gradient: ArrayLike<number>;
  readonly heads: number;
  readonly queries: number;
  readonly keys: number;
}

/** mean_h max(0, A ⊙ ∂f/∂A): what of a layer's attention speaks for the scalar. [query][key] */
const helpful = ({ pattern, gradient, heads, queries, keys }: LayerAttention): Pattern =>
  Array.from({ length: queries }, (_, q) =>
    Array.from({ length: keys }, (_k, k) => {
      let sum = 0;
      for (let h = 0; h < heads; h++) {
        const at = (h * queries + q) * keys + k;
        sum += Math.max(0, (pattern[at] ?? 0) * (gradient[at] ?? 0));
      }
      return sum / heads;
    }),
  );

const identity = (n: number): number[][] =>
  Array.from({ length: n }, (_, i) => Array.from({ length: n }, (_k, k) => (i === k ? 1 : 0)));

const plusProduct = (r: readonly (readonly number[])[], a: Pattern, by: Pattern): number[][] =>
  r.map((row, q) => row.map((x, k) => x + (a[q] ?? []).reduce((sum, w, j) => sum + w * (by[j]?.[k] ?? 0), 0)));

/** R ← R + Ā·R over the layers, from R = I. [place][input] @source Chefer 2021 eq. 5, 6 */
export const selfRelevance = (layers: readonly LayerAttention[]): Pattern =>
  layers.reduce<number[][]>((r, layer) => plusProduct(r, helpful(layer), r), identity(layers[0]?.queries ?? 0));

/** Rows of R − I made to add up to 1, and I again. Chefer 2021 eq. 8, 9 */
const normalized = (r: Pattern): Pattern =>
  r.map((row, q) => {
    const rest = row.map((x, k) => (k === q ? x - 1 : x));
    const whole = rest.reduce((a, b) => a + b, 0);
    return rest.map((x, k) => (whole === 0 ? 0 : x / whole) + (k === q ? 1 : 0));
  });

/** One layer of a decoder: it looks at itself, then at the encoder's text. */
export interface DecoderLayer {
  readonly own: LayerAttention;
  readonly cross: LayerAttention;
}

/**
 * An encoder-decoder's: what each place of the decoder has of the source, and of its own text.
 * @source Chefer 2021, "Generic attention-model explainability for interpreting bi-modal and encoder-decoder transformers" eq. 6, 10
 */
export const crossRelevance = (
  encoder: readonly LayerAttention[],
  decoder: readonly DecoderLayer[],
): { readonly own: Pattern; readonly source: Pattern } => {
  const read = normalized(selfRelevance(encoder));
  const length = decoder[0]?.own.queries ?? 0;
  const sourceLength = decoder[0]?.cross.keys ?? 0;
  let own: Pattern = identity(length);
  let source: Pattern = identity(length).map(() => new Array<number>(sourceLength).fill(0));
  for (const layer of decoder) {
    const self = helpful(layer.own);
    source = plusProduct(
      source.map((row) => [...row]),
      self,
      source,
    );
    own = plusProduct(
      own.map((row) => [...row]),
      self,
      own,
    );
    const seen = plusProduct(
      identity(length).map(() => new Array<number>(sourceLength).fill(0)),
      helpful(layer.cross),
      read,
    );
    source = plusProduct(
      source.map((row) => [...row]),
      transposed(normalized(own)),
      seen,
    );
  }
  return { own, source };
};

const transposed = (m: Pattern): Pattern => (m[0] ?? []).map((_, k) => m.map((row) => row[k] ?? 0));
