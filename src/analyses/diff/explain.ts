import type { Program, Segment } from '../../graph/index.js';
import type { Tensor } from '../../tensor/index.js';
import { difference } from './difference.js';
import { mistakes, type Mistake, type OtherSide, type Scene, type Try } from './mistakes/index.js';
import { suspectsOf } from './suspects.js';
import { remadeIn, stateBefore, tryValue, type Trial } from './try.js';

/** A mistake that, made in our model, gives the other side's value. */
export interface Explanation {
  readonly mistake: Mistake;
  readonly try: Try;
  /** Of the site that differed: how far the tried value is from the other side's. */
  readonly relative: number;
}

export interface ExplainRequest {
  readonly trial: Trial;
  /** The first site that differs, by its name in the run order. */
  readonly site: string;
  /** Sites that agree. */
  readonly agrees: ReadonlySet<string>;
  /** The other side's value of the site. */
  readonly value: Tensor;
  /** Relative differences up to here are noise. */
  readonly floor: number;
  readonly other: OtherSide;
  readonly onTry?: (done: number, total: number) => void | Promise<void>;
}

/** The segment that a site is in. */
export const segmentOfSite = ({ segments }: Program, site: string): Segment | undefined =>
  segments.find((s) => s.graph.sites.some(({ name }) => name === site));

const sceneOf = ({ trial, site, agrees, other }: ExplainRequest): Scene | undefined => {
  const segment = segmentOfSite(trial.program, site);
  if (!segment) return undefined;
  const { variant, weights, program } = trial;
  return {
    ...{ program, segment, site, other, remake: (fields) => remadeIn(trial, fields) },
    suspects: suspectsOf(segment.graph, site, agrees),
    read: async (name) => {
      const edited = variant.weights.get(name);
      return edited?.dtype === 'float32' ? edited : weights.read(name);
    },
  };
};

/** Residuals this close are as good as each other: the earlier mistake is told. */
const asGood = 3;

/** How far the value may be that one is as good as the best: rounding alone makes 1e-6. */
export const asGoodAs = (best: number): number => Math.max(best * asGood, 1e-6);

/** The best first; of equally good ones in the order of the table. */
const ranked = (found: readonly Explanation[]): readonly Explanation[] => {
  const near = asGoodAs(Math.min(...found.map((e) => e.relative)));
  return [...found.filter((e) => e.relative <= near), ...found.filter((e) => e.relative > near)];
};

/**
 * Tries every mistake that can be made between a value that differs and what it is computed from, and tells those that
 * give the other side's numbers.
 */
export const explain = async (
  request: ExplainRequest,
): Promise<{ readonly scene: Scene; readonly found: readonly Explanation[]; readonly tried: number } | undefined> => {
  const { trial, value, floor, onTry } = request;
  const scene = sceneOf(request);
  if (!scene) return undefined;
  const state = await stateBefore(trial, scene);
  if (!state) return undefined;
  const all = mistakes.flatMap((mistake) => mistake.tries(scene).map((one) => ({ mistake, one })));
  const found: Explanation[] = [];
  for (const [done, { mistake, one }] of all.entries()) {
    await onTry?.(done, all.length);
    const made = await tryValue(trial, { scene, one }, state);
    if (made?.data.length !== value.data.length) continue;
    const { relative } = difference(made.data, value.data);
    if (relative <= floor) found.push({ mistake, try: one, relative });
  }
  return { scene, found: ranked(found), tried: all.length };
};
