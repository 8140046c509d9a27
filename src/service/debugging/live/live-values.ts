import { UsageError } from '../../../base/index.js';
import type { AgentSlot, AgentStanding } from '../../../protocol/index.js';
import type { AgentTrees } from './live-expressions.js';
import { moduleName, slotName, type AgentRef, type LiveModel } from './live-model.js';
import type { Opened } from './live-items.js';

/** A value by reference: what the agent finds it by, and what it is called here. */
export interface Resolved {
  readonly opened: Opened;
  readonly ref: AgentRef;
}

const unknownRef = (ref: string): UsageError =>
  new UsageError(`there is no value ${ref}`, { code: 'SITE_UNKNOWN', hint: 'Ask for the scopes again.' });

/** Names of a value of the event where a process stands: in its module's words. */
export const slotValue = ({ path = '', when }: AgentStanding, { name, axes = [] }: AgentSlot): Resolved => {
  const isGradient = when === 'backward';
  const site = slotName({ path, slot: name });
  const shown = isGradient ? `grad(${moduleName(path)})` : site;
  const place = isGradient ? {} : { place: site, expression: site };
  const isOp = when === 'op';
  return {
    ref: isGradient || isOp ? { slot: name } : { path, slot: name },
    opened: {
      name: isOp ? name : shown,
      ref: isGradient || isOp ? `slot:${name}` : site,
      axes,
      ...(isOp ? {} : place),
    },
  };
};

/**
 * What a reference of the target's protocol means: a site, a module's value, `weight:NAME`, `grad:NAME` (of a weight,
 * or of what a module gives), `slot:NAME`, `=EXPRESSION`.
 * @throws UsageError SITE_*, WEIGHT_UNKNOWN, EXPRESSION_*
 */
export const resolveRef = async (ref: string, model: LiveModel, trees: AgentTrees): Promise<Resolved> => {
  if (ref.startsWith('=')) {
    const { tree } = await trees.parse(ref.slice(1));
    return { ref: { tree }, opened: { name: ref.slice(1), ref, axes: [] } };
  }
  const [, kind, name = ''] = /^(weight|grad|slot):(.*)$/s.exec(ref) ?? [];
  if (kind === 'slot') return { ref: { slot: name }, opened: { name, ref, axes: [] } };
  if (kind === 'weight') {
    const { axes, place = '' } = model.weight(name);
    return { ref: { param: name }, opened: { name, ref, axes, place } };
  }
  if (kind === 'grad') return gradientOf(name, ref, model);
  if (ref === '') throw unknownRef(ref);
  const site = model.site(ref);
  const named = { name: site.name, ref: site.name, axes: site.axes, place: site.name, expression: site.name };
  return { ref: { ...site.at }, opened: named };
};

const gradientOf = (name: string, ref: string, model: LiveModel): Resolved => {
  if (model.weights.has(name))
    return { ref: { grad: name }, opened: { name: `grad(${name})`, ref, axes: model.weight(name).axes } };
  const { at, axes } = model.site(name);
  const view = at.view ? { view: at.view } : {};
  return { ref: { grad: at.path, slot: at.slot, ...view }, opened: { name: `grad(${name})`, ref, axes } };
};
