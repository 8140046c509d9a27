import {
  add,
  concatAs,
  concatLast,
  input,
  matMul,
  mul,
  neg,
  reshape,
  site,
  slice,
  softmax,
  summands,
  transpose,
  weight,
  type CacheSpec,
  type Scope,
  type Value,
} from '../graph/index.js';
import { matrix, type LinearSpec } from './layers.js';

const perHead = ['batch', 'position', 'head', 'headDim'];
const perKvHead = ['batch', 'position', 'kvHead', 'headDim'];

/** [batch, position, head·headDim] -> [batch, position, head, headDim] */
export const splitHeads = (
  x: Value,
  { heads, headDim, grouped = false }: { readonly heads: number; readonly headDim: number; readonly grouped?: boolean },
): Value => reshape(x, [0, 0, heads, headDim], grouped ? perKvHead : perHead);

/** [batch, position, head, headDim] -> [batch, position, model] */
export const mergeHeads = (z: Value): Value => {
  const [, , heads, headDim] = z.type.shape;
  return reshape(z, [0, 0, Number(heads) * Number(headDim)], ['batch', 'position', 'model']);
};

/** What a cached attention layer keeps from step to step. */
export const attentionCache = (heads: number, headDim: number): readonly CacheSpec[] => [
  { past: 'past_k', fresh: 'fresh_k', heads, headDim },
  { past: 'past_v', fresh: 'fresh_v', heads, headDim },
];

/** The rows of earlier steps followed by the new ones. [batch, position, kvHead, headDim] -> [batch, key, kvHead, headDim] */
const withPast = (s: Scope, name: string, fresh: Value): Value => {
  const [batch, , heads, headDim] = fresh.type.shape;
  const shape = [batch ?? 1, 'past', heads ?? 1, headDim ?? 1];
  const past = input(s, name, { dtype: 'float32', shape, axes: fresh.type.axes });
  return concatAs([past, fresh], 1, 'key');
};

/** Additive mask: 0 where a key may be seen, the float32 minimum where not. [batch, 1, query, key] */
const causalMask = (s: Scope): Value =>
  input(s, 'mask.causal', {
    dtype: 'float32',
    shape: ['batch', 1, 'position', 'key'],
    axes: ['batch', 'head', 'query', 'key'],
  });

export interface AttentionInputs {
  /** [batch, position, head, headDim] */
  readonly q: Value;
  /** [batch, position, kvHead, headDim], with positions already in them where the family rotates */
  readonly k: Value;
  readonly v: Value;
  /** Multiplies q·k. */
  readonly scale: number;
}

/**
 * softmax(QKᵀ·scale + M)V, causal, over the keys of earlier steps too. Vaswani 2017 eq. 1; grouped keys:
 * Ainslie 2023 §2.2. The heads of a group are rows of one product, so keys are never repeated.
 * @returns z [batch, position, head, headDim]
 */
export const attend = (s: Scope, { q, k, v, scale }: AttentionInputs): Value => {
  const heads = Number(q.type.shape[2]);
  const kvHeads = Number(k.type.shape[2]);
  const group = (x: Value): Value =>
    kvHeads === heads ? x : reshape(x, [0, kvHeads, -1, 0], ['batch', 'kvHead', 'query', x.type.axes[3] ?? '']);
  const ungroup = (x: Value): Value =>
    kvHeads === heads ? x : reshape(x, [0, heads, -1, 0], ['batch', 'head', 'query', x.type.axes[3] ?? '']);
  const head = kvHeads === heads ? 'head' : 'kvHead';
  const queries = group(transpose(q, [0, 2, 1, 3], ['batch', 'head', 'query', 'headDim']));
  const keys = transpose(withPast(s, 'past_k', k), [0, 2, 3, 1], ['batch', head, 'headDim', 'key']);
  const values = transpose(withPast(s, 'past_v', v), [0, 2, 1, 3], ['batch', head, 'key', 'headDim']);
  const products = ungroup(matMul(mul(queries, scale), keys));
  const scores = site(s, 'scores', add(products, causalMask(s))); // [batch, head, query, key]
  const pattern = site(s, 'pattern', softmax(scores)); // [batch, head, query, key]
  const mixed = ungroup(matMul(group(pattern), values)); // [batch, head, query, headDim]
  return site(s, 'z', transpose(mixed, [0, 2, 1, 3], perHead));
};

/** The output matrix, one piece a head: [head, headDim, model], from either layout. */
const perHeadOutput = (w: Value, z: Value, layout: LinearSpec['layout']): Value => {
  const [heads, headDim] = [Number(z.type.shape[2]), Number(z.type.shape[3])];
  const pieces = ['head', 'headDim', 'model'];
  if (layout === 'in,out') return reshape(w, [heads, headDim, -1], pieces);
  return transpose(reshape(w, [0, heads, headDim], ['model', 'head', 'headDim']), [1, 2, 0], pieces);
};

export interface HeadResults {
  readonly z: Value;
  /** The layer's output, which the results sum to, up to the bias. */
  readonly out: Value;
  /** The output matrix. */
  readonly name: string;
  readonly layout: LinearSpec['layout'];
}

/** Names what each head adds to the stream: z_h · W_O,h. [batch, position, head, model], on request. Elhage 2021. */
export const headResults = (s: Scope, { z, out, name, layout }: HeadResults): void => {
  const [heads, headDim] = [Number(z.type.shape[2]), Number(z.type.shape[3])];
  const w = weight(s, name, matrix({ layout, out: Number(out.type.shape.at(-1)) }, heads * headDim));
  const rows = transpose(z, [0, 2, 1, 3], ['batch', 'head', 'position', 'headDim']);
  const products = matMul(rows, perHeadOutput(w, z, layout)); // [batch, head, position, model]
  const results = transpose(products, [0, 2, 1, 3], ['batch', 'position', 'head', 'model']);
  summands(s, 'result', { value: results, whole: out, axis: 2 });
};

/** cos and sin of position times frequency, given at each run. [1, position, 1, headDim] */
const rotaryTable = (s: Scope, part: 'cos' | 'sin', dim: number): Value =>
  input(s, `rope.${part}`, { dtype: 'float32', shape: [1, 'position', 1, dim], axes: perHead });

/** Rotary position embedding, halves of the head paired (not neighbours). Su 2021 eq. 34. */
export const rotate = (s: Scope, x: Value): Value => {
  const dim = Number(x.type.shape.at(-1));
  const turned = concatLast(neg(slice(x, dim / 2, dim)), slice(x, 0, dim / 2));
  return add(mul(x, rotaryTable(s, 'cos', dim)), mul(turned, rotaryTable(s, 'sin', dim)));
};
