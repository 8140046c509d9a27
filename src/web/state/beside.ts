import type { BesideState, ExperimentState } from '../../protocol/index.js';
import type { Change } from './session.js';

/** Which of two runs is looked at and changed, or how they differ: B less A. */
export type Side = 'a' | 'b' | 'difference';
export const isSide = (text: string): text is Side => ['a', 'b', 'difference'].includes(text);

const promptFields = ['prompt', 'ids', 'chat', 'target', 'targetIds'] as const;
const experimentFields = ['name', 'edits'] as const;
/** What a run beside can have of its own: each of these as a whole. */
export type Aspect = 'model' | 'prompt' | 'experiment';
const fieldsOf: Readonly<Record<Aspect, readonly (keyof BesideState)[]>> = {
  ...{ model: ['model'], prompt: promptFields, experiment: experimentFields },
};
export const aspects: readonly Aspect[] = ['model', 'prompt', 'experiment'];

type Fields = { readonly [K in keyof BesideState]?: BesideState[K] | undefined };

const picked = (state: Fields, names: readonly (keyof BesideState)[]): BesideState =>
  Object.fromEntries(
    names.map((name) => [name, state[name]]).filter(([, value]) => value !== undefined),
  ) as BesideState;

/** What the run beside has of its own. */
export const ownAspects = (beside: BesideState | undefined): readonly Aspect[] =>
  aspects.filter((aspect) => beside !== undefined && fieldsOf[aspect].some((name) => beside[name] !== undefined));

/** The run beside as if it were the session's. */
export const besideOf = (state: ExperimentState): ExperimentState | undefined => {
  const { beside, ...own } = state;
  if (!beside) return undefined;
  const names = ownAspects(beside).flatMap((aspect) => fieldsOf[aspect]);
  const shared = Object.entries(own).filter(([name]) => !names.includes(name as keyof BesideState));
  const all = { prompt: '', name: '', edits: [], model: own.model, ...Object.fromEntries(shared) };
  return { ...all, ...picked(beside, names) } as ExperimentState;
};

/** The state that one looks at and changes. */
export const stateOf = (state: ExperimentState, side: Side): ExperimentState =>
  (side === 'b' ? besideOf(state) : undefined) ?? state;

/** A change of what one looks at, as a change of the session: what B has of its own is changed there. */
export const changeOn = (state: ExperimentState, side: Side, change: Change): Change => {
  const { beside } = state;
  if (side !== 'b' || !beside) return change;
  const own = ownAspects(beside).flatMap((aspect) => fieldsOf[aspect]) as readonly string[];
  const entries = Object.entries(change);
  const theirs = entries.filter(([name]) => own.includes(name));
  const kept = Object.entries<unknown>({ ...beside, ...Object.fromEntries(theirs) }).filter(([, x]) => x !== null);
  return {
    ...Object.fromEntries(entries.filter(([name]) => !own.includes(name))),
    ...(theirs.length > 0 ? { beside: Object.fromEntries(kept) } : {}),
  };
};

/** A second run that has these of its own, as they are now. */
export const besideFrom = (state: ExperimentState, own: readonly Aspect[]): BesideState =>
  picked(
    state,
    own.flatMap((aspect) => fieldsOf[aspect]),
  );

const cleared = (names: readonly (keyof BesideState)[]): Change =>
  Object.fromEntries(
    names.filter((name) => !['prompt', 'name', 'edits', 'model'].includes(name)).map((name) => [name, null]),
  );

/** A in B's place and B in A's. */
export const swapped = (state: ExperimentState): Change => {
  const other = besideOf(state);
  if (!other) return {};
  const own = ownAspects(state.beside);
  const names = own.flatMap((aspect) => fieldsOf[aspect]);
  return { ...cleared(names), ...picked(other, names), beside: besideFrom(state, own) };
};
