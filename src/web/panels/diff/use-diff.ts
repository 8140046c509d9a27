import { createSignal, type Accessor } from 'solid-js';
import { isProcess } from '../../../protocol/index.js';
import type { App } from '../../app.js';
import { besideOf, ownAspects } from '../../state/beside.js';
import { runOf } from '../../state/request.js';
import { makeTrial, type Trial } from '../trials/trial.js';

/** What the run is compared with. */
export interface Other {
  readonly model: string;
  readonly edits: readonly string[];
}

export interface Diff {
  readonly trial: Trial<'diff'>;
  /** Undefined where nothing is named and there is no run beside that differs in model or experiment. */
  readonly other: Accessor<Other | undefined>;
  /** Of a live process: kept on this page alone. */
  readonly token: Accessor<string>;
  readonly setToken: (token: string) => void;
}

/** What was named; else the run beside, if it has another model or experiment. */
const otherOf = (app: App): Other | undefined => {
  const named = app.view.trials.other?.trim();
  if (named) return { model: named, edits: [] };
  const state = app.session.store.state;
  const beside = state && besideOf(state);
  if (!beside || !ownAspects(state.beside).some((aspect) => aspect !== 'prompt')) return undefined;
  // Sampling changes no value, and so nothing that is compared.
  return { model: beside.model, edits: runOf({ ...beside, prompt: 'x' })?.edits ?? [] };
};

const editsOf = (edits: readonly string[]): { text: string }[] => edits.map((text) => ({ text }));

/** The comparison of the session's run with another: made once, so that it outlives its panel. */
export const makeDiff = (app: App): Diff => {
  const [token, setToken] = createSignal('');
  const trial = makeTrial(app, 'diff', {
    settings: ({ other, floor }) => ({
      ...(other === undefined ? {} : { other }),
      ...(floor === undefined ? {} : { floor }),
    }),
    asked: (_, { floor }) => {
      const [other, state] = [otherOf(app), app.session.store.state];
      const run = state && runOf(state); // A, also where B is looked at
      if (!other || !run) return Promise.reject(new Error('there is nothing to compare with'));
      return Promise.resolve({
        ...{ ...run.input, edits: editsOf(run.edits), other: other.model, otherEdits: editsOf(other.edits) },
        ...(floor === undefined ? {} : { floor }),
        ...(isProcess(other.model) ? { token: token() } : {}),
      });
    },
  });
  return { trial, token, setToken, other: () => otherOf(app) };
};
