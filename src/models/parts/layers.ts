import {
  add,
  building,
  constant,
  div,
  linear as product,
  mean,
  mul,
  site,
  sqrt,
  sub,
  tanh,
  weight,
  type Scope,
  type Value,
  type WeightShape,
} from '../../graph/index.js';

/** Where a linear layer is in the file, and what it makes. */
export interface LinearSpec {
  /** Name of the module, relative to the scope: `q_proj`. */
  readonly name: string;
  /** Numbers out. */
  readonly out: number;
  /** Name of the axis that comes out. */
  readonly axis: string;
  readonly bias: boolean;
  /** `[out, in]` as torch's Linear stores it, `[in, out]` as GPT-2's Conv1D does. */
  readonly layout: 'out,in' | 'in,out';
}

const lastExtent = (x: Value): number => Number(x.type.shape.at(-1));

/** The form of a matrix in the file. */
export const matrix = ({ layout, out }: Pick<LinearSpec, 'layout' | 'out'>, inDim: number): WeightShape =>
  layout === 'out,in' ? { shape: [out, inDim], axes: ['out', 'in'] } : { shape: [inDim, out], axes: ['in', 'out'] };

/** x·Wᵀ + b. x [..., in] -> [..., out] */
export const linear = (s: Scope, x: Value, spec: LinearSpec): Value => {
  const inDim = lastExtent(x);
  const w = weight(s, `${spec.name}.weight`, matrix(spec, inDim));
  const y = product(x, w, { layout: spec.layout, axis: spec.axis });
  return spec.bias ? add(y, weight(s, `${spec.name}.bias`, { shape: [spec.out], axes: [spec.axis] })) : y;
};

/** x / √(mean(x²) + ε) · gain over the last axis, without sites: for the norms of queries and keys. */
export const rmsNormalized = (
  s: Scope,
  x: Value,
  { name, eps, gain = (w) => w }: { readonly name: string; readonly eps: number; readonly gain?: (w: Value) => Value },
): Value => {
  const scale = sqrt(add(mean(mul(x, x)), constant(x, eps)));
  const w = weight(s, `${name}.weight`, { shape: [lastExtent(x)], axes: [x.type.axes.at(-1) ?? ''] });
  return mul(div(x, scale), gain(w));
};

/** (x − mean) / √(variance + ε) · gain + bias over the last axis, without sites: for the norms of queries and keys. */
export const layerNormalized = (
  s: Scope,
  x: Value,
  { name, eps }: { readonly name: string; readonly eps: number },
): Value => {
  const centred = sub(x, mean(x));
  const raw = div(centred, sqrt(add(mean(mul(centred, centred)), constant(x, eps))));
  const form = { shape: [lastExtent(x)], axes: [x.type.axes.at(-1) ?? ''] };
  return add(mul(raw, weight(s, `${name}.weight`, form)), weight(s, `${name}.bias`, form));
};

export interface LayerNormSpec {
  readonly eps: number;
  /** Whether it has gain and bias. */
  readonly affine?: boolean;
  /** How the file names them, where not `weight` and `bias`. */
  readonly names?: { readonly gain: string; readonly bias: string };
}

/** Layer normalisation: (x − mean) / √(variance + ε) · gain + bias. Ba 2016 eq. 4. x [..., model] */
export const layerNorm = (s: Scope, x: Value, { eps, affine = true, names }: LayerNormSpec): Value =>
  building(s, () => {
    const centred = sub(x, mean(x));
    const scale = site(s, 'scale', sqrt(add(mean(mul(centred, centred)), constant(x, eps)))); // [..., 1]
    const raw = site(s, 'normalized_raw', div(centred, scale));
    if (!affine) return site(s, 'normalized', raw);
    const gain = weight(s, names?.gain ?? 'weight', { shape: [lastExtent(x)], axes: ['model'] });
    const bias = weight(s, names?.bias ?? 'bias', { shape: [lastExtent(x)], axes: ['model'] });
    return site(s, 'normalized', add(mul(raw, gain), bias));
  });

const rmsNormWith = (s: Scope, x: Value, { eps, gain }: { eps: number; gain: (w: Value) => Value }): Value =>
  building(s, () => {
    const scale = site(s, 'scale', sqrt(add(mean(mul(x, x)), constant(x, eps)))); // [..., 1]
    const raw = site(s, 'normalized_raw', div(x, scale));
    return site(s, 'normalized', mul(raw, gain(weight(s, 'weight', { shape: [lastExtent(x)], axes: ['model'] }))));
  });

/** Root-mean-square normalisation: x / √(mean(x²) + ε) · gain. Zhang & Sennrich 2019 eq. 4. x [..., model] */
export const rmsNorm = (s: Scope, x: Value, eps: number): Value => rmsNormWith(s, x, { eps, gain: (w) => w });

/** `rmsNorm` whose gain is stored as what it differs from 1 by, as Gemma's are. */
export const offsetNorm = (s: Scope, x: Value, eps: number): Value =>
  rmsNormWith(s, x, { eps, gain: (w) => add(w, 1) });

/** A linear layer as torch stores it. */
export const torchLinear = (
  name: string,
  out: number,
  rest: { readonly axis: string; readonly bias: boolean },
): LinearSpec => ({ name, out, layout: 'out,in', ...rest });

/** A table with a row for each token, by its full name in the file. [token, model] */
export const tokenTable = (
  s: Scope,
  name: string,
  form: { readonly vocab: number; readonly modelDim: number },
): Value => weight({ ...s, weights: '' }, name, { shape: [form.vocab, form.modelDim], axes: ['token', 'model'] });

/** Every token's score: x · Uᵀ. [batch, position, model] -> [batch, position, vocab] */
export const unembed = (x: Value, table: Value): Value => product(x, table, { layout: 'out,in', axis: 'vocab' });

/** Values kept inside ±cap: cap · tanh(x / cap); left as they are without one. Gemma 2 §2. */
export const capped = (x: Value, cap: number | undefined): Value =>
  cap === undefined ? x : mul(tanh(div(x, cap)), cap);
