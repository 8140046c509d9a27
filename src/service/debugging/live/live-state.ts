import type { AgentStanding, TargetFrame, TargetPosition, TargetState, TargetStop } from '../../../protocol/index.js';
import { stepName } from '../frames.js';
import { moduleName, type LiveModel } from './live-model.js';
import type { LivePoints } from './live-points.js';

/** A moment of a module as a place in the order of a pass: 0 before it, 1 after it. */
const momentNumber = (when: AgentStanding['when']): number => (when === 'before' ? 0 : 1);

/** The modules in the order in which a pass calls them, as far as one was seen; others where they are defined. */
export const orderOf = (model: LiveModel, { order }: AgentStanding): readonly string[] => {
  const called = new Set(order);
  return [...order, ...[...model.modules.keys()].filter((path) => !called.has(path))];
};

const moments: Readonly<Record<NonNullable<AgentStanding['when']>, string>> = {
  before: 'before',
  after: 'after',
  backward: 'backward of',
  op: 'in',
  optimiser: 'before the step of the optimiser of',
  error: 'an error leaves',
};

/** Where it stands, in words: `after transformer.h.3.mlp`. */
const placeOf = ({ when, path = '', op, nth = 0 }: AgentStanding): string => {
  if (when === undefined) return '';
  const again = nth > 0 && when !== 'optimiser' ? `, call ${nth + 1}` : '';
  return `${moments[when]} ${moduleName(path)}${op === undefined ? '' : `, ${op}`}${again}`;
};

const frames = (model: LiveModel, standing: AgentStanding, order: readonly string[]): TargetFrame[] => {
  const { stack, step, tokens, pass } = standing;
  const inside = stack.toReversed().map(({ path, type }): TargetFrame => {
    const begins = { step, at: Math.max(0, order.indexOf(path)), op: 0 };
    const kind = model.layers.has(path) ? 'layer' : 'module';
    const name = `${moduleName(path)} (${type})`;
    return { kind, name, line: model.listing.lineOf.get(path) ?? 1, begins };
  });
  const line = Math.max(1, tokens.length);
  const start: TargetPosition = { step, at: 0, op: 0 };
  const named =
    standing.training || tokens.length === 0
      ? `${standing.training ? `step ${step} of the optimiser, ` : ''}pass ${pass}`
      : stepName(step, tokens);
  return [
    ...inside,
    { kind: 'step', name: named, line, begins: start },
    {
      kind: 'generation',
      name: standing.training ? 'training' : 'generation',
      line,
      begins: { step: 0, at: 0, op: 0 },
    },
  ];
};

/** A standing process as all faces see it. */
export const stateOf = (
  model: LiveModel,
  standing: AgentStanding,
  { revision, edits }: { readonly revision: number; readonly edits: readonly string[] },
): TargetState => {
  const order = orderOf(model, standing);
  const { running, when, path = '', step, tokens } = standing;
  const position = { step, at: Math.max(0, order.indexOf(path)), op: momentNumber(when) };
  const common = { revision, tokens: [...tokens], edits: [...edits] };
  if (running) return { ...common, position, frames: frames(model, { ...standing, stack: [] }, order) };
  const layer = model.layerOf(path);
  const line = model.listing.lineOf.get(path);
  return {
    ...common,
    ...{ position, place: placeOf(standing), frames: frames(model, standing, order) },
    ...(layer === undefined ? {} : { layer }),
    ...(line === undefined ? {} : { line }),
  };
};

/** Why a process stands, as all faces are told. */
export const stopOf = ({ why }: AgentStanding, points: LivePoints): TargetStop => {
  if (!why) return { reason: 'pause' };
  const { reason, point, filter, description, before, after } = why;
  if (reason === 'exception') return { reason, ...(filter ? { filter } : {}), ...(description ? { description } : {}) };
  if (reason === 'follow') return { reason: 'pause' };
  if (reason !== 'point' || point === undefined) return { reason: reason === 'point' ? 'breakpoint' : reason };
  const label = points.label(Math.floor(point / 8));
  const id = points.hit(point);
  const named = { point: id, ...(label === undefined ? {} : { label }) };
  if (before === undefined || after === undefined) return { reason: 'breakpoint', ...named };
  return { reason: 'data', ...named, before, after };
};
