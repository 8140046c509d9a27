import { difference } from '../../analyses/diff/index.js';
import { checkpoints } from '../cancel.js';
import type { OperationContext } from '../operation.js';
import type { OpenSide } from './side.js';

/** Numbers that are read to compare weights: beyond, it would take longer than the runs. */
const mostNumbers = 2e9;

/** A weight that holds other numbers in the other model. */
export interface WeightDifference {
  readonly name: string;
  readonly relative: number;
}

/** Weights that both models have under one name, and that differ, the most different first; undefined where that cannot be told. */
export const comparedWeights = async (
  [a, b]: readonly [OpenSide, OpenSide],
  context: OperationContext,
): Promise<readonly WeightDifference[] | undefined> => {
  const [ours, theirs] = [a.opened?.model.weights, b.weight];
  if (!ours || !theirs || (a.told.model?.parameters ?? 0) > mostNumbers) return undefined;
  const breathe = checkpoints(context);
  const found: WeightDifference[] = [];
  const names = [...new Set(a.opened?.model.program.segments.flatMap((s) => s.graph.params.map((p) => p.name)))];
  for (const name of names) {
    await breathe();
    const other = await theirs(name);
    const own = other && (await ours.read(name));
    if (!own || own.data.length !== other.data.length) continue;
    const { relative } = difference(own.data, other.data);
    if (relative > 0) found.push({ name, relative });
  }
  return found.sort((x, y) => y.relative - x.relative);
};
