import { bug } from '../base/index.js';
import { asFloat32, unknownWeight } from '../engine/index.js';
import { gradientOfWeight, type Param, type Program } from '../graph/index.js';
import { matches, parseGlobs, resolveSelector, type Where } from '../language/index.js';
import { take, type FloatTensor, type Tensor } from '../tensor/index.js';
import type { SiteValue } from './chosen-sites.js';

/** A weight, and which part of it. */
export interface WantedWeight {
  readonly name: string;
  readonly param: Param;
  readonly where: Where;
}

/**
 * The weights that globs choose, by their names in the file, in the order of the run.
 * @throws UsageError WEIGHT_UNKNOWN with the nearest names, SELECTOR_SYNTAX
 */
export const chosenWeights = (program: Program, globs: string | undefined): readonly WantedWeight[] => {
  const params = new Map(program.segments.flatMap((s) => s.graph.params.map((p) => [p.name, p] as const)));
  const wanted = new Map<string, Where>();
  for (const glob of globs === undefined ? [] : parseGlobs(globs)) {
    const names = [...params.keys()].filter((name) => matches(glob, name));
    if (names.length === 0) throw unknownWeight(program, glob.text);
    for (const name of names) wanted.set(name, glob.where);
  }
  return [...params.values()].flatMap((param) => {
    const where = wanted.get(param.name);
    return where ? [{ name: param.name, param, where }] : [];
  });
};

/**
 * The part of a weight's gradient that a selector chooses.
 * @throws UsageError SELECTOR_INVALID
 */
export const weightValue = ({ name, param, where }: WantedWeight, gradient: FloatTensor | undefined): SiteValue => {
  if (!gradient) throw bug(`no gradient of ${name}`);
  const { axes } = param.type;
  const { shape } = gradient;
  const chosen = resolveSelector(where, { name, axes, shape });
  const part = axes.reduce<Tensor>((t, axis, a) => {
    const indices = chosen.get(axis);
    return indices ? take(t, a, indices) : t;
  }, asFloat32(gradient));
  return { name: gradientOfWeight(name), axes, tensor: part, whole: shape, indices: Object.fromEntries(chosen) };
};
