import { bug, UsageError } from '../../base/index.js';
import { scoreRowsAt, type Compilations, type Variant } from '../../engine/index.js';
import type { OpName, Program, Segment } from '../../graph/index.js';
import { concat, float32, toFloat32, type Tensor } from '../../tensor/index.js';

type Model = { readonly program: Program; readonly compilations: Compilations };

/** Operations that bend: behind one of them, what is added to the stream is not added to the scores. */
const bending: ReadonlySet<OpName> = new Set(['Tanh', 'Erf', 'Gelu', 'Relu', 'Sigmoid', 'Exp', 'Softmax']);

/** @throws UsageError OPTION_INVALID where scores are no sum of what was added to the stream, apart from the norm */
const headOf = ({ program }: Model): Segment => {
  const head = program.segments.find((s) => s.kind === 'head');
  if (!head) throw bug(`${program.family} has no head`);
  const bend = head.graph.nodes.find(({ op }) => bending.has(op));
  if (!bend && program.facts.output !== 'labels') return head;
  throw new UsageError(
    bend
      ? `the head of this model has a ${bend.op} in it: what a part adds to the stream cannot be read as words`
      : 'this model scores labels: what a part adds to the stream is read as no word',
    { code: 'OPTION_INVALID', hint: 'What a part does to the answer can still be tried: leave it out (knockout).' },
  );
};

const rms = (row: Float32Array): number => Math.sqrt(row.reduce((sum, x) => sum + x * x, 0) / row.length);

/** Rows of one size, so that the norm's ε does not count. */
const sized = (rows: readonly Float32Array[]): readonly Float32Array[] =>
  rows.map((row) => {
    const by = rms(row);
    return by > 0 ? row.map((x) => x / by) : row;
  });

const stacked = (rows: readonly Float32Array[]): Tensor =>
  concat(
    rows.map((row) => float32([1, 1, row.length], row)),
    1,
  );

/**
 * What directions add to the scores by themselves when they are added to the stream at a place: through the final norm's
 * gain, the norm's divisor held as it is there, and the unembedding. Exact but for what later layers make of them and for
 * how they change the divisor.
 * @param stream [model] behind the last layer, at the position
 * @param rows [model] each
 * @returns [vocab] for each row, logits
 * @throws UsageError OPTION_INVALID where the head bends or scores labels
 * @source Elhage et al. 2021, "A mathematical framework for transformer circuits" (direct path); nostalgebraist 2020
 */
export const directEffects = async (
  model: Model,
  variant: Pick<Variant, 'weights'>,
  { stream, rows }: { readonly stream: Float32Array; readonly rows: readonly Float32Array[] },
): Promise<readonly Float32Array[]> => {
  const head = headOf(model);
  const scaleSite = head.graph.sites.find(({ name }) => name.endsWith('ln_final.scale'))?.name;
  const zero = new Float32Array(stream.length);
  const asked = stacked([stream, zero, ...sized(rows)]);
  const { logits, sites } = await scoreRowsAt(model, variant, { rows: asked, sites: scaleSite ? [scaleSite] : [] });
  const scale = scaleSite === undefined ? undefined : sites.get(scaleSite);
  const scales = scale ? toFloat32(scale) : undefined;
  const vocab = logits.shape.at(-1) ?? 1;
  const at = (row: number): Float32Array => logits.data.subarray(row * vocab, (row + 1) * vocab);
  const nothing = at(1);
  return rows.map((row, i) => {
    const ratio = scales ? (scales[i + 2] ?? 1) / (scales[0] ?? 1) : 1;
    const by = rms(row) * ratio;
    return at(i + 2).map((x, id) => (x - (nothing[id] ?? 0)) * by);
  });
};
