import { bug } from '../../base/index.js';
import type { Graph, Site } from '../graph.js';
import type { Dim, ValueId, ValueType } from '../value.js';
import { verify } from '../verify.js';
import { Additions } from './additions.js';
import { inOrder, substitute } from './rewrite.js';

/**
 * How a site's value is changed where the mask holds. All numbers are graph inputs named `TAG.…`:
 * `TAG.mask` bool, `TAG.source` / `TAG.factor` / `TAG.amount` float32.
 */
export interface ValueEdit {
  readonly site: string;
  /** Prefix of the inputs. */
  readonly tag: string;
  /** `replace`: by the source; `scale`: times the factor; `add`: plus the amount. */
  readonly form: 'replace' | 'scale' | 'add';
  /** Axes along which the mask varies; along the others it has extent 1. */
  readonly maskAxes: readonly string[];
  /** Axes along which the source, factor or amount varies; none: one number. */
  readonly operandAxes: readonly string[];
}

const operandName = { replace: 'source', scale: 'factor', add: 'amount' } as const;

/** The name of the input that holds an edit's numbers. */
export const operandInput = (edit: Pick<ValueEdit, 'tag' | 'form'>): string => `${edit.tag}.${operandName[edit.form]}`;
/** The name of the input that holds where an edit applies. */
export const maskInput = (edit: Pick<ValueEdit, 'tag'>): string => `${edit.tag}.mask`;

/** The type of a tensor that varies along some axes of another and has extent 1 along the rest. */
const along = (type: ValueType, axes: readonly string[]): Pick<ValueType, 'shape' | 'axes'> => ({
  shape: type.shape.map((dim, i): Dim => (axes.includes(type.axes[i] ?? '') ? dim : 1)),
  axes: type.axes,
});

/** old -> new: `Where(mask, changed, old)`, so that where the mask does not hold the bits stay. */
export const changed = (a: Additions, old: ValueId, edit: ValueEdit): ValueId => {
  const type = a.typeOf(old);
  const mask = a.input(maskInput(edit), { dtype: 'bool', ...along(type, edit.maskAxes) });
  const operand = a.input(operandInput(edit), { dtype: type.dtype, ...along(type, edit.operandAxes) });
  if (edit.form === 'replace') return a.op('Where', {}, [mask, operand, old]);
  return a.op('Where', {}, [mask, a.op(edit.form === 'scale' ? 'Mul' : 'Add', {}, [old, operand]), old]);
};

/** whole + Σ_axis (new − old), for a site that is a summand of a value computed otherwise. */
const carriedOver = (a: Additions, site: Site, next: ValueId): { whole: ValueId; sum: ValueId } | undefined => {
  if (!site.partOf) return undefined;
  const { value: whole, axis } = site.partOf;
  const summed = a.op('ReduceSum', { axis }, [a.op('Sub', {}, [next, site.value])]);
  const axes = a.typeOf(whole).axes;
  const shape = axes.map((_, i) => (i < axis ? 0 : i === axes.length - 1 ? -1 : Number(a.typeOf(whole).shape[i])));
  return { whole, sum: a.op('Add', {}, [whole, a.op('Reshape', { shape, axes }, [summed])]) };
};

/**
 * Changes a site: everything that read its value reads the changed one, and so does who reads the site.
 * @throws BugError INTERNAL where the graph has no such site
 */
export const editSite = (graph: Graph, edit: ValueEdit): Graph => {
  const site = graph.sites.find((s) => s.name === edit.site);
  if (!site) throw bug(`graph ${graph.name} has no site ${edit.site}`);
  const a = new Additions(graph, edit.tag);
  const next = changed(a, site.value, edit);
  const over = carriedOver(a, site, next);
  const keep = new Set(a.nodes.map((n) => n.id));
  let rewired = substitute(a.applied(), { from: site.value, to: next, keep });
  if (over) rewired = substitute(rewired, { from: over.whole, to: over.sum, keep });
  return verify({ ...rewired, nodes: inOrder(rewired) });
};
