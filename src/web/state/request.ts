import { isTargetOnly, sessionPrompt, type ExperimentState, type HostParams } from '../../protocol/index.js';
import { besideOf } from './beside.js';
import type { SessionStore } from './session.js';

type Fields = 'model' | 'binding' | 'prompt' | 'ids' | 'messages' | 'target' | 'targetIds';

/** A run: model and prompt, and the edits that are switched on. */
export interface Run {
  readonly input: Pick<HostParams<'compare'>, Fields>;
  /** Those that change what the model computes. */
  readonly edits: readonly string[];
  /** Those that change which token is taken: `temperature 0.7`. */
  readonly sampling: readonly string[];
}

/** What the host is asked about: a run, the tracked word, and a run beside it. */
export interface Request extends Run {
  /** Two requests of one key are the same. */
  readonly key: string;
  readonly word: string | undefined;
  readonly other: Run | undefined;
}

/** Edits of how a token is taken. */
export const isSampling = (text: string): boolean =>
  /^(?:temperature|top-k|top-p|min-p|repetition-penalty|seed|force token) /.test(text);

/** What is run of a state; undefined while there is nothing to run. */
export const runOf = (state: ExperimentState): Run | undefined => {
  const prompt = isTargetOnly(state.model) ? undefined : sessionPrompt(state);
  if (!prompt) return undefined;
  const on = state.edits.filter((e) => e.on).map((e) => e.text);
  // Linears apart from what is between them: another edit then compiles in a millisecond.
  const input = { model: state.model, binding: 'apart' as const, ...prompt };
  return { input, edits: on.filter((e) => !isSampling(e)), sampling: on.filter(isSampling) };
};

/** The session as a request; undefined while there is nothing to run. */
export const requestOf = ({ state }: SessionStore): Request | undefined => {
  const run = state && runOf(state);
  if (!run) return undefined;
  const beside = besideOf(state);
  const other = beside && runOf(beside);
  return { ...run, key: JSON.stringify([run, state.word, other]), word: state.word, other };
};
