import { alignTokens } from '../../base/index.js';
import { gradients, type GradientsRequest, type SweptRun } from '../../engine/index.js';
import type { FloatTensor } from '../../tensor/index.js';
import { alignedValue, rowsOf, type Cell } from '../sweep/index.js';
import type { Prompt, SweepModel } from '../../engine/index.js';
import { stridesOf } from '../../tensor/index.js';

export interface AttributionRequest extends Pick<GradientsRequest, 'expression' | 'encode'> {
  /** Whose run would be changed. */
  readonly prompt: Prompt;
  /** Where values would come from, and its run. */
  readonly other: { readonly prompt: Prompt; readonly run: SweptRun };
  readonly cells: readonly Cell[];
}

/** Σ over the cell of gradient · (other − own). */
const product = (
  cell: Cell,
  { gradient, own, other }: { gradient: FloatTensor; own: FloatTensor; other: FloatTensor },
): number => {
  const { shape } = gradient;
  const strides = stridesOf(shape);
  const visit = (a: number, offset: number): number => {
    if (a === shape.length) return (gradient.data[offset] ?? 0) * ((other.data[offset] ?? 0) - (own.data[offset] ?? 0));
    const list = cell.indices[a] ?? Array.from({ length: shape[a] ?? 0 }, (_, i) => i);
    return list.reduce((sum, i) => sum + visit(a + 1, offset + i * (strides[a] ?? 1)), 0);
  };
  return visit(0, 0);
};

const isFloat = (tensor: { readonly dtype: string } | undefined): tensor is FloatTensor =>
  tensor?.dtype === 'float32' || tensor?.dtype === 'float64';

/**
 * A guess of what patching each cell would change the metric by, from one pass forward and one back: the metric's slope
 * at the cell times the difference of the two runs there. Exact only where the model is linear between them.
 * @returns the guessed change of the metric; NaN where a cell stands for nothing in the other prompt
 * @throws UsageError GRADIENT_UNDEFINED, and what `gradients` throws
 * @source Nanda 2023, "Attribution patching"; Syed, Rager & Conmy 2023, "Attribution patching outperforms automated circuit discovery"
 */
export const attributionPatching = async (
  model: SweepModel,
  { prompt, other, cells, expression, encode }: AttributionRequest,
): Promise<readonly number[]> => {
  const sites = [...new Set(cells.map((c) => c.place.name))];
  const found = await (model.elsewhere?.gradients({ expression, prompt, sites }) ??
    gradients(model, {
      ...{ variant: model.variant, expression, prompt, sites, capture: sites },
      ...(encode ? { encode } : {}),
      ...(model.onSegment ? { onSegment: model.onSegment } : {}),
    }));
  const alignment = {
    positions: alignTokens(prompt.ids, other.prompt.ids),
    source: alignTokens(prompt.source?.ids ?? [], other.prompt.source?.ids ?? []),
  };
  const others = new Map<string, FloatTensor>();
  return cells.map((cell) => {
    const { name, type } = cell.place;
    const rows = rowsOf(cell.place);
    const value = others.get(name) ?? alignedValue(other.run.site(name), { name, type, rows }, alignment);
    others.set(name, value);
    const map = rows.isSource ? alignment.source : alignment.positions;
    if (cell.position !== undefined && map[cell.position] === undefined) return NaN;
    const [gradient, own] = [found.sites.get(name), found.values.get(name)];
    return isFloat(gradient) && isFloat(own) ? product(cell, { gradient, own, other: value }) : NaN;
  });
};
