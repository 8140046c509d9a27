import { carried } from '../../graph/index.js';
import { float32, type Tensor } from '../../tensor/index.js';
import { difference } from './difference.js';
import { eachSegment, type Trial } from './try.js';
import type { Side } from './walk.js';

/** The sites that hold the stream which a segment reads: its own, or that of the segment before. */
const streamSites = ({ program }: Trial, id: string): readonly string[] => {
  const at = program.segments.findIndex((s) => s.id === id);
  const [own, before] = [program.segments[at]?.graph, program.segments[at - 1]?.graph];
  const input = own?.inputs.find((i) => i.name === carried)?.id;
  const output = before?.outputs.find((o) => o.name === carried)?.value;
  const isIn = own && input !== undefined ? own.sites.filter((s) => s.value === input) : [];
  const isOut = before && input !== undefined ? before.sites.filter((s) => s.value === output) : [];
  return [...isIn, ...isOut].map((s) => s.name);
};

/** The other side's stream in the shape of ours; undefined where it is of another size. */
const inShape = (theirs: Tensor | undefined, ours: Tensor | undefined): Tensor | undefined =>
  theirs && ours && theirs.data.length === ours.data.length
    ? float32(
        ours.shape,
        Float32Array.from({ length: theirs.data.length }, (_, i) => Number(theirs.data[i])),
      )
    : undefined;

/** What a segment adds to the difference by itself. */
export interface LocalDifference {
  readonly name: string;
  readonly relative: number;
}

/**
 * Each segment of our model run on what the other side's segments before it gave: what then differs is the segment's
 * own, however far the two runs are apart by then. Of segments whose input the other side does not have, nothing is told.
 * @param sites those that both sides have
 */
export const localDifferences = async (
  trial: Trial,
  other: Side,
  sites: ReadonlySet<string>,
): Promise<readonly LocalDifference[]> => {
  const found: LocalDifference[] = [];
  const has = new Set(other.sites);
  await eachSegment(trial, sites, async ({ id, captured, state, run }) => {
    const stream = streamSites(trial, id).find((site) => has.has(site));
    if (stream === undefined) return;
    const theirs = await other.read([stream, ...captured]);
    const fed = inShape(theirs.get(stream), state.handed.get(carried));
    if (!fed) return;
    const ours = await run(new Map([...state.handed, [carried, fed]]));
    for (const name of captured.filter((site) => site !== stream)) {
      const [x, y] = [ours.get(name), theirs.get(name)];
      if (x && y && x.data.length === y.data.length)
        found.push({ name, relative: difference(x.data, y.data).relative });
    }
  });
  return found;
};
