import { UsageError } from '../../base/index.js';
import { formatHead, type Edit, type EditOf, type Steps } from '../../language/index.js';
import type { LiveEdit, Variant } from '../run/request.js';
import type { Program, Stack } from '../../graph/index.js';
import { checkStack, runOrder, siteIn, type Instance, type OrderEdit } from '../run/order.js';
import type { ExperimentContext } from './context.js';
import { isGradientEdit, plannedGradient } from './gradient-edits.js';
import { addOperand, setOperand } from './operands.js';
import { canonicalName, placedSites, unknownSite, type PlacedSite } from './sites.js';
import { liveEdit, sequenceAt, type PlannedEdit, type StepRange } from './value-edits.js';
import { editedWeights } from './weight-edits.js';

type ValueKind = 'set' | 'scale' | 'add' | 'drop head';
const valueKinds: ReadonlySet<string> = new Set<ValueKind>(['set', 'scale', 'add', 'drop head']);
const isValueEdit = (edit: Edit): edit is EditOf<ValueKind> => valueKinds.has(edit.edit);

const orderEdit = (edit: Edit): OrderEdit | undefined => {
  const inStack = ({ stack }: { readonly stack?: Stack }) => (stack === undefined ? {} : { stack });
  switch (edit.edit) {
    case 'skip layer':
    case 'repeat layer':
      return { kind: edit.edit === 'skip layer' ? 'skip' : 'repeat', layer: edit.layer, ...inStack(edit) };
    case 'swap layers':
      return { kind: 'swap', layers: edit.layers, ...inStack(edit) };
    default:
      return undefined;
  }
};

const stepRange = (steps: Steps | undefined): StepRange => ({ from: steps?.from ?? 0, to: steps?.to ?? Infinity });

/** Where an edit applies: nowhere, with a note, where its layer is skipped. */
const placesOf = (
  context: ExperimentContext,
  name: string,
  order: readonly Instance[],
): { place?: PlacedSite; note?: string } => {
  const canonical = canonicalName(context.program, name);
  const place = placedSites(order).find((p) => p.name === canonical);
  if (place) return { place };
  const all = placedSites(runOrder(context.program, []));
  if (all.some((p) => p.name === canonical))
    return { note: `${name} is in a layer that is skipped: the edit has no effect` };
  throw unknownSite(name, [...placedSites(order).map((p) => p.name), ...context.program.facts.aliases.keys()]);
};

const planned = async (
  context: ExperimentContext,
  place: PlacedSite,
  edit: EditOf<'set' | 'scale' | 'add'>,
): Promise<PlannedEdit> => {
  const form = edit.edit === 'set' ? 'replace' : edit.edit;
  const operand =
    edit.edit === 'set'
      ? await setOperand(context, place, edit)
      : edit.edit === 'add'
        ? await addOperand(context, edit)
        : ({ kind: 'number', value: edit.by } as const);
  const { type } = place;
  return {
    site: place.site.name,
    shown: edit.site,
    type,
    where: edit.where ?? {},
    form,
    operand,
    steps: stepRange(edit.steps),
  };
};

/** `drop head L.H` as setting the head's z to zero, wherever the layer runs. */
const droppedHead = (
  context: ExperimentContext,
  edit: EditOf<'drop head'>,
  order: readonly Instance[],
): EditOf<'set'>[] => {
  const { stack, layer, head } = edit;
  checkStack(context.program.segments, { layer, ...(stack === undefined ? {} : { stack }) });
  const id = `${stack === undefined ? '' : `${stack}.`}blocks.${layer}`;
  const z = `${id}.${edit.attention === 'cross' ? 'cross_attn' : 'attn'}.z`;
  const place = placedSites(runOrder(context.program, [])).find((p) => p.name === z);
  const heads = place?.type.shape[place.type.axes.indexOf('head')];
  if (heads === undefined || head >= Number(heads))
    throw new UsageError(`there is no head ${formatHead(edit)}`, {
      code: 'EDIT_INVALID',
      hint: headRange(context.program, edit, heads),
    });
  const instances = order.filter((i) => i.segment.id === id);
  const names = instances.length > 0 ? instances.map((i) => siteIn(i, z)) : [z];
  return names.map((site) => ({ edit: 'set', site: site as EditOf<'set'>['site'], where: { head }, to: 'zero' }));
};

/** Which layers and heads there are. */
const headRange = (program: Program, { stack }: EditOf<'drop head'>, heads: number | string | undefined): string => {
  const layers = program.segments.filter((s) => s.kind === 'block' && s.stack === stack).length;
  return `Layers go from 0 to ${layers - 1}, heads from 0 to ${Number(heads ?? program.facts.heads) - 1}.`;
};

/** An experiment, ready to run. */
export interface PreparedExperiment {
  readonly variant: Variant;
  /** What the user should know, such as an edit without effect. */
  readonly notes: readonly string[];
}

/**
 * Turns edits into what the engine runs: the run order, the changed values, the replaced weights. Edits of the config,
 * of sampling and of the prompt are the caller's.
 * @throws UsageError SITE_UNKNOWN, WEIGHT_UNKNOWN, EDIT_INVALID, SELECTOR_INVALID, AMBIGUOUS_TOKEN
 */
export const prepareExperiment = async (
  context: ExperimentContext,
  edits: readonly Edit[],
): Promise<PreparedExperiment> => {
  const order = runOrder(
    context.program,
    edits.flatMap((e) => orderEdit(e) ?? []),
  );
  const live = new Map<string, LiveEdit[]>();
  const gradients = new Map<string, LiveEdit[]>();
  const notes: string[] = [];
  const place = (edit: { readonly site: string }): PlacedSite | undefined => {
    const { place: found, note } = placesOf(context, edit.site, order);
    if (note !== undefined) notes.push(note);
    return found;
  };
  const push = (lists: Map<string, LiveEdit[]>, { instance }: PlacedSite, made: PlannedEdit): void => {
    const list = lists.get(instance.name) ?? [];
    lists.set(instance.name, list);
    const tag = `${lists === live ? 'edit' : 'gradient edit '}${list.length}`;
    list.push(liveEdit(made, tag, sequenceAt(context.sequence, instance.segment.stack)));
  };
  for (const edit of edits.filter(isValueEdit))
    for (const one of edit.edit === 'drop head' ? droppedHead(context, edit, order) : [edit]) {
      const found = place(one);
      if (!found) continue;
      push(live, found, await planned(context, found, one));
      if (found.instance.segment.once && (one.steps?.from ?? 0) > 0)
        notes.push(`${one.site} is computed in the prefill only, step 0: the edit has no effect`);
    }
  for (const edit of edits.filter(isGradientEdit)) {
    const found = place(edit);
    if (found) push(gradients, found, plannedGradient(found, edit));
  }
  const weights = await editedWeights(
    context,
    edits.filter((e) => e.edit === 'weight' || e.edit === 'replace weight'),
  );
  return { variant: { order, edits: live, weights, gradients }, notes };
};
