import type { Tensor } from '../../tensor/index.js';
import { sizeOf } from '../../tensor/index.js';
import { difference, type Difference } from './difference.js';

/** Where values come from: a model that runs, a recording, a file, a live process. */
export interface Side {
  /** Names of the values that it has, in the order of the run. */
  readonly sites: readonly string[];
  readonly read: (sites: readonly string[]) => Promise<ReadonlyMap<string, Tensor>>;
}

export interface SiteDifference extends Difference {
  readonly site: string;
  /** Of the first side. */
  readonly shape: readonly number[];
}

/** A site whose values cannot be compared. */
export interface Unlike {
  readonly site: string;
  readonly shapes: readonly [readonly number[], readonly number[]];
}

export interface Walk {
  readonly differences: readonly SiteDifference[];
  readonly unlike: readonly Unlike[];
}

/** Compares what both sides have, in the order of the first. @param parts sites that are read at a time */
export const walk = async (
  [a, b]: readonly [Side, Side],
  parts: readonly (readonly string[])[],
  onPart?: (done: number) => void,
): Promise<Walk> => {
  const differences: SiteDifference[] = [];
  const unlike: Unlike[] = [];
  for (const [done, names] of parts.entries()) {
    const [ours, theirs] = [await a.read(names), await b.read(names)];
    for (const site of names) {
      const [x, y] = [ours.get(site), theirs.get(site)];
      if (!x || !y) continue;
      // the same numbers in the same order, as where heads are one axis or two
      if (sizeOf(x.shape) !== sizeOf(y.shape)) unlike.push({ site, shapes: [x.shape, y.shape] });
      else differences.push({ site, shape: x.shape, ...difference(x.data, y.data) });
    }
    onPart?.(done + 1);
  }
  return { differences, unlike };
};
