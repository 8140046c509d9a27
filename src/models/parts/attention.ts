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
} from '../../graph/index.js';
import { capped, linear, matrix, type LinearSpec } from './layers.js';

const perHead = ['batch', 'position', 'head', 'headDim'];
const perKvHead = ['batch', 'position', 'kvHead', 'headDim'];

/** [batch, position, head·headDim] -> [batch, position, head, headDim] */
export const splitHeads = (
  x: Value,
  { heads, headDim, grouped = false }: { readonly heads: number; readonly headDim: number; readonly grouped?: boolean },
): Value =>
  reshape(
    x,
    [0, 0, heads, headDim],
    [x.type.axes[0] ?? '', x.type.axes[1] ?? '', ...(grouped ? perKvHead : perHead).slice(2)],
  );

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
export const withPast = (s: Scope, name: 'past_k' | 'past_v', fresh: Value): Value => {
  const [batch, , heads, headDim] = fresh.type.shape;
  const shape = [batch ?? 1, 'past', heads ?? 1, headDim ?? 1];
  const past = input(s, name, { dtype: 'float32', shape, axes: fresh.type.axes });
  return concatAs([past, fresh], 1, 'key');
};

export interface AttentionInputs {
  /** [batch, position, head, headDim] */
  readonly q: Value;
  /** [batch, key or source, kvHead, headDim], with positions already in them where the family rotates */
  readonly k: Value;
  readonly v: Value;
  /** Multiplies q·k; left out: nothing does, as in T5. */
  readonly scale?: number;
  /** Scores are kept inside ±cap: cap · tanh(score / cap). Gemma 2 §2. */
  readonly cap?: number;
  /** Added before the mask. [head, query, key] */
  readonly bias?: Value;
  /** Added: 0 or the float32 minimum. [batch, 1, query or 1, key or source] */
  readonly mask: Value;
}

/**
 * softmax(QKᵀ·scale + M)V. Vaswani 2017 eq. 1; grouped keys: Ainslie 2023 §2.2. The heads of a group are rows of one
 * product, so keys are never repeated. The last axis of scores and pattern is `source` where k's second is, else `key`.
 * @returns z [batch, position, head, headDim]
 */
export const attend = (s: Scope, { q, k, v, scale, cap, bias, mask }: AttentionInputs): Value => {
  const heads = Number(q.type.shape[2]);
  const kvHeads = Number(k.type.shape[2]);
  const group = (x: Value): Value =>
    kvHeads === heads ? x : reshape(x, [0, kvHeads, -1, 0], ['batch', 'kvHead', 'query', x.type.axes[3] ?? '']);
  const ungroup = (x: Value): Value =>
    kvHeads === heads ? x : reshape(x, [0, heads, -1, 0], ['batch', 'head', 'query', x.type.axes[3] ?? '']);
  const head = kvHeads === heads ? 'head' : 'kvHead';
  const keyAxis = k.type.axes[1] === 'source' ? 'source' : 'key';
  const queries = group(transpose(q, [0, 2, 1, 3], ['batch', 'head', 'query', 'headDim']));
  const keys = transpose(k, [0, 2, 3, 1], ['batch', head, 'headDim', keyAxis]);
  const values = transpose(v, [0, 2, 1, 3], ['batch', head, keyAxis, 'headDim']);
  const products = ungroup(matMul(scale === undefined ? queries : mul(queries, scale), keys));
  const biased = bias ? add(capped(products, cap), bias) : capped(products, cap);
  const scores = site(s, 'scores', add(biased, mask)); // [batch, head, query, key]
  const pattern = site(s, 'pattern', softmax(scores)); // [batch, head, query, key]
  const mixed = ungroup(matMul(group(pattern), values)); // [batch, head, query, headDim]
  return site(s, 'z', transpose(mixed, [0, 2, 1, 3], perHead));
};

/** `attend` over the keys and values of earlier steps too. `k`, `v`: the new rows. */
export const attendCached = (s: Scope, inputs: AttentionInputs): Value =>
  attend(s, { ...inputs, k: withPast(s, 'past_k', inputs.k), v: withPast(s, 'past_v', inputs.v) });

/** The output matrix, one piece a head: [head, headDim, model], from either layout. */
const perHeadOutput = (w: Value, z: Value, layout: LinearSpec['layout']): Value => {
  const [heads, headDim] = [Number(z.type.shape[2]), Number(z.type.shape[3])];
  const pieces = ['head', 'headDim', 'model'];
  if (layout === 'in,out') return reshape(w, [heads, headDim, -1], pieces);
  return transpose(reshape(w, [0, heads, headDim], ['model', 'head', 'headDim']), [1, 2, 0], pieces);
};

/** Names what each head adds to the stream: z_h · W_O,h. [batch, position, head, model], on request. Elhage 2021. */
const headResults = (
  s: Scope,
  { z, out, spec }: { readonly z: Value; readonly out: Value; readonly spec: LinearSpec },
): void => {
  const [heads, headDim] = [Number(z.type.shape[2]), Number(z.type.shape[3])];
  const w = weight(s, `${spec.name}.weight`, matrix(spec, heads * headDim));
  const rows = transpose(z, [0, 2, 1, 3], ['batch', 'head', 'position', 'headDim']);
  const products = matMul(rows, perHeadOutput(w, z, spec.layout)); // [batch, head, position, model]
  const results = transpose(products, [0, 2, 1, 3], ['batch', 'position', 'head', 'model']);
  summands(s, 'result', { value: results, whole: out, axis: 2 });
};

/** z·W_O (+ b): the heads side by side through the output matrix; each head's part is the site `result`. */
export const attentionOutput = (s: Scope, z: Value, spec: LinearSpec): Value => {
  const out = linear(s, mergeHeads(z), spec); // [batch, position, model]
  headResults(s, { z, out, spec });
  return out;
};

export interface Rotation {
  /** Which tables: `rope` reads the inputs `rope.cos` and `rope.sin`. */
  readonly table?: string;
  /** How many of a head's numbers are turned, the first ones; left out: all. */
  readonly dim?: number;
}

/** Rotary position embedding, halves of the head paired (not neighbours). Su 2021 eq. 34. */
export const rotate = (s: Scope, x: Value, { table = 'rope', dim }: Rotation = {}): Value => {
  const width = Number(x.type.shape.at(-1));
  const turnedDim = dim ?? width;
  // cos and sin of position times frequency, given at each run. [1, position, 1, headDim]
  const part = (name: 'cos' | 'sin'): Value =>
    input(s, `${table}.${name}`, { dtype: 'float32', shape: [1, 'position', 1, turnedDim], axes: perHead });
  const first = turnedDim === width ? x : slice(x, 0, turnedDim);
  const turned = concatLast(neg(slice(first, turnedDim / 2, turnedDim)), slice(first, 0, turnedDim / 2));
  const rotated = add(mul(first, part('cos')), mul(turned, part('sin')));
  return turnedDim === width ? rotated : concatLast(rotated, slice(x, turnedDim, width));
};
