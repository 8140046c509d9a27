import { UsageError } from '../base/index.js';
import { placedSites, type Variant } from '../engine/index.js';
import { gradientOfSite } from '../graph/index.js';
import type { GradientFault } from '../protocol/index.js';
import { statistics, type FloatTensor } from '../tensor/index.js';

/** What stops the way back, and from which length of a layer's gradient on. */
export interface GradientCatch {
  readonly kind: GradientFault['filter'];
  readonly bound: number;
}

/** Bounds where none is given: those of a live process's training. */
const bounds = { nan: 0, inf: 0, exploding: 1000, vanishing: 1e-8 } as const;

const isKind = (text: string): text is GradientCatch['kind'] => Object.hasOwn(bounds, text);

const wrong = (text: string): UsageError =>
  new UsageError(`${text} is nothing that stops the way back`, {
    code: 'OPTION_INVALID',
    hint: 'Give some of nan, inf, exploding [NORM], vanishing [NORM], separated by commas.',
  });

/** `exploding 1000`: one thing that is caught. @throws UsageError OPTION_INVALID */
export const gradientCatch = (text: string): GradientCatch => {
  const [kind = '', bound, ...rest] = text.trim().split(/\s+/);
  if (!isKind(kind) || rest.length > 0) throw wrong(text.trim());
  if (bound === undefined) return { kind, bound: bounds[kind] };
  if (bounds[kind] === 0 || !(Number(bound) > 0)) throw wrong(text.trim());
  return { kind, bound: Number(bound) };
};

/** `nan, exploding 1000`: what is caught. @throws UsageError OPTION_INVALID */
export const gradientCatches = (text: string): readonly GradientCatch[] => text.split(',').map(gradientCatch);

/** What runs from layer to layer, and what each part adds to it. */
const streams = /(^|\.)(embed|resid_\w+)$/;
const added = /\.(attn_out|cross_attn_out|mlp_out)$/;

/** The sites whose gradients are looked at besides those that are asked for. */
export const caughtSites = ({ order }: Variant): readonly string[] =>
  placedSites(order).flatMap(({ name, site }) =>
    !site.onRequest && (streams.test(name) || added.test(name)) ? [name] : [],
  );

/** How long a gradient is. */
export const normOf = ({ data }: FloatTensor): number => {
  let sum = 0;
  for (const x of data) sum += x * x;
  return Math.sqrt(sum);
};

const faultIn = (name: string, gradient: FloatTensor, { kind, bound }: GradientCatch): GradientFault | undefined => {
  const site = gradientOfSite(name);
  if (kind === 'nan' || kind === 'inf') {
    const count = statistics(gradient)[kind];
    const what = kind === 'nan' ? 'NaN' : 'infinite';
    return count === 0
      ? undefined
      : { filter: kind, site, norm: null, description: `${count} of ${gradient.data.length} numbers are ${what}` };
  }
  if (kind === 'vanishing' && !streams.test(name)) return undefined; // a part that adds nothing has none
  const norm = normOf(gradient);
  const isBeyond = kind === 'exploding' ? norm > bound : norm < bound;
  const told = `it is ${norm.toPrecision(4)} long, ${kind === 'exploding' ? 'more' : 'less'} than ${bound}`;
  return isBeyond ? { filter: kind, site, norm: Number.isFinite(norm) ? norm : null, description: told } : undefined;
};

/** What of that which is caught is wrong with a site's gradient; the first of them. */
export const gradientFault = (
  catches: readonly GradientCatch[],
  name: string,
  gradient: FloatTensor,
): GradientFault | undefined => {
  for (const one of catches) {
    const fault = faultIn(name, gradient, one);
    if (fault) return fault;
  }
  return undefined;
};

/** Is there anything of it? Before, the way back has not come to what the scalar reads. */
export const hasGradient = ({ data }: FloatTensor): boolean => data.some((x) => x !== 0);

/**
 * The first place on the way back at which something is caught. Places behind what the scalar reads have no gradient,
 * and count for nothing.
 * @param gradients by site, in any order
 */
export const firstFault = (
  catches: readonly GradientCatch[],
  gradients: ReadonlyMap<string, FloatTensor>,
  { order }: Variant,
): GradientFault | undefined => {
  let hasBegun = false;
  for (const { name } of placedSites(order).toReversed()) {
    const gradient = gradients.get(name);
    hasBegun ||= gradient !== undefined && hasGradient(gradient);
    const fault = gradient && hasBegun ? gradientFault(catches, name, gradient) : undefined;
    if (fault) return fault;
  }
  return undefined;
};
