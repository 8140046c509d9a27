import { nearest, UsageError } from '../../base/index.js';
import type { Param, Program } from '../../graph/index.js';
import { resolveSelector, type ReplaceWeightEdit, type Where, type WeightEdit } from '../../language/index.js';
import type { Tensor } from '../../tensor/index.js';
import type { ExperimentContext } from './context.js';
import { addOuter, assignRegion, type Region } from './weights.js';

const paramsOf = (program: Program): readonly Param[] => program.segments.flatMap((s) => s.graph.params);

/** The error for a name that is no weight, with the nearest ones. */
export const unknownWeight = (program: Program, name: string): UsageError => {
  const near = nearest(name, new Set(paramsOf(program).map((p) => p.name)));
  return new UsageError(`no weight named ${name}`, {
    code: 'WEIGHT_UNKNOWN',
    hint: `Did you mean ${near.join(', ')}? \`cutaway list MODEL --weights\` shows all.`,
    details: { name, nearest: near },
  });
};

const findParam = ({ program }: ExperimentContext, name: string): Param => {
  const found = paramsOf(program).find((p) => p.name === name);
  if (found) return found;
  throw unknownWeight(program, name);
};

/** Names of a weight's axes for selectors: the one axis of a bias or gain is also called `out`. */
const axesOf = (param: Param, where: Where): readonly string[] =>
  param.type.axes.length === 1 && Object.hasOwn(where, 'out') ? ['out'] : param.type.axes;

const regionOf = (param: Param, where: Where): Region => {
  const shape = param.type.shape.map(Number);
  const axes = axesOf(param, where);
  const chosen = resolveSelector(where, { name: param.name, axes, shape });
  const [first, last] = [chosen.get(axes[0] ?? ''), chosen.get(axes.at(-1) ?? '')];
  if (axes.length === 1) return last ? { columns: last } : {};
  return { ...(first ? { rows: first } : {}), ...(last ? { columns: last } : {}) };
};

const sameLength = (param: Param, vector: Tensor<'float32'>, axis: 'out' | 'in'): Float32Array => {
  const at = param.type.axes.findIndex((a) => a === axis || a === (axis === 'out' ? 'token' : 'model'));
  const wanted = Number(param.type.shape[at]);
  if (param.type.axes.length === 2 && vector.data.length === wanted) return vector.data;
  throw new UsageError(`a vector of ${vector.data.length} numbers does not fit axis ${axis} of ${param.name}`, {
    code: 'EDIT_INVALID',
    hint: `${param.name} has shape [${param.type.shape.join(', ')}], axes ${param.type.axes.join(', ')}.`,
  });
};

const assigned = async (
  context: ExperimentContext,
  { param, edit, current }: { param: Param; edit: WeightEdit; current: Tensor<'float32'> },
): Promise<Tensor<'float32'>> => {
  const { value, op, where = {} } = edit;
  if (typeof value === 'number') return assignRegion(current, regionOf(param, where), { op, value });
  const out = sameLength(param, await context.readVector(value.out), 'out');
  const into = sameLength(param, await context.readVector(value.in), 'in');
  const [row, column] = param.type.axes[0] === 'in' ? [into, out] : [out, into];
  return addOuter(current, { by: value.by, row, column });
};

const replacement = async (
  context: ExperimentContext,
  param: Param,
  edit: ReplaceWeightEdit,
): Promise<Tensor<'float32'>> => {
  const tensor = await context.readVector(edit.from);
  if (tensor.shape.join() === param.type.shape.join()) return tensor;
  throw new UsageError(
    `${edit.from.name} has shape [${tensor.shape.join(', ')}], but ${param.name} has [${param.type.shape.join(', ')}]`,
    {
      code: 'EDIT_INVALID',
      hint: 'A weight is replaced by one of the same shape, in the layout of the file.',
    },
  );
};

/**
 * The weights as the edits leave them, by name; only those that are edited. Computed in float32, in order.
 * @throws UsageError WEIGHT_UNKNOWN, EDIT_INVALID, SELECTOR_INVALID
 */
export const editedWeights = async (
  context: ExperimentContext,
  edits: readonly (WeightEdit | ReplaceWeightEdit)[],
): Promise<ReadonlyMap<string, Tensor<'float32'>>> => {
  const weights = new Map<string, Tensor<'float32'>>();
  for (const edit of edits) {
    const param = findParam(context, edit.name);
    if (edit.edit === 'replace weight') weights.set(edit.name, await replacement(context, param, edit));
    else {
      const current = weights.get(edit.name) ?? (await context.weights.read(edit.name));
      weights.set(edit.name, await assigned(context, { param, edit, current }));
    }
  }
  return weights;
};
