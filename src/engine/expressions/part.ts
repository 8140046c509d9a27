import { UsageError } from '../../base/index.js';
import { resolveSelector, toSitePath, type SelectedValue, type SiteNode } from '../../language/index.js';
import { float64, sizeOf, take, type FloatTensor, type Tensor } from '../../tensor/index.js';
import type { Budget } from './budget.js';
import type { ExpressionTensor, ExpressionValues, SiteValue } from './values.js';

const selectedValue = (
  { site }: SiteNode,
  { tensor, axes }: SiteValue,
  { tokens, sourceTokens, offset = 0, length = 0 }: ExpressionValues,
): SelectedValue => {
  const here = { name: site, axes, shape: tensor.shape };
  if (toSitePath(site).stack === 'encoder') return { ...here, tokens: sourceTokens ?? tokens };
  return { ...here, tokens, offset, length, ...(sourceTokens ? { sourceTokens } : {}) };
};

const floating = (tensor: Tensor, budget: Budget): FloatTensor => {
  if (tensor.dtype === 'float32' || tensor.dtype === 'float64') return tensor;
  budget.make(tensor.data.length);
  return float64(tensor.shape, Float64Array.from(tensor.data, Number));
};

interface Choice {
  readonly axis: number;
  readonly indices: readonly number[];
  /** The part of the axis that is kept. */
  readonly kept: number;
}

/** The choices of a selector by axis, those that leave least first. */
const choices = (node: SiteNode, value: SiteValue, values: ExpressionValues): readonly Choice[] =>
  [...resolveSelector(node.where, selectedValue(node, value, values))]
    .map(([name, indices]) => {
      const axis = value.axes.indexOf(name);
      return { axis, indices, kept: indices.length / (value.tensor.shape[axis] ?? 1) };
    })
    .sort((a, b) => a.kept - b.kept);

/**
 * The part of a site's value that a selector chooses; its axes all stay. Without a selector the value itself, not a copy.
 * @throws UsageError SITE_NOT_CAPTURED, SELECTOR_INVALID, AMBIGUOUS_TOKEN, EXPRESSION_INVALID beyond the budget
 */
export const partOf = (node: SiteNode, values: ExpressionValues, budget: Budget): ExpressionTensor => {
  const value = values.site(node.site);
  if (!value)
    throw new UsageError(`${node.site} was not kept in this run`, {
      code: 'SITE_NOT_CAPTURED',
      hint: 'Select the site before the run; `cutaway list MODEL --sites` shows all.',
      details: { site: node.site },
    });
  const part = choices(node, value, values).reduce<Tensor>((tensor, { axis, indices }) => {
    budget.make((sizeOf(tensor.shape) / Math.max(1, tensor.shape[axis] ?? 1)) * indices.length);
    return take(tensor, axis, indices);
  }, value.tensor);
  return { ...floating(part, budget), axes: value.axes };
};
