import { createEffect, createMemo, createSignal, on, type Accessor } from 'solid-js';
import { keptMethod, type HostOutput, type HostParams, type Notification } from '../../../protocol/index.js';
import type { App } from '../../app.js';
import { makeLatest, type Latest } from '../../link/latest.js';
import { errorText } from '../../i18n/told.js';
import { runOf, type Run } from '../../state/request.js';
import type { Progress } from '../../state/results.js';
import { withoutUnset, type TrialSettings } from '../../state/trials.js';

type Method = 'patch' | 'attack' | 'circuit' | 'diff';

/** Something that is run when it is asked for, because it takes long. What came stays while the panel is closed. */
export interface Trial<M extends Method> {
  readonly result: Accessor<HostOutput<M> | undefined>;
  readonly failure: Accessor<string | undefined>;
  readonly progress: Accessor<Progress | undefined>;
  readonly busy: Accessor<boolean>;
  /** Whether the run or what is asked of it has changed since. */
  readonly isOld: Accessor<boolean>;
  /** Whether the result is of the run that is looked at, whatever is asked by now. */
  readonly isOfRun: Accessor<boolean>;
  readonly run: () => void;
  readonly cancel: () => void;
}

/** The run that is looked at: not the answer that is shown, which may be waiting for its turn. */
const currentRun = (app: App): Run | undefined => {
  const state = app.state();
  return state && runOf(state);
};

/**
 * Why nothing can be tried: there is no prompt, or its answer is not here yet, by which words are found (no text then).
 */
export const notYet = (app: App): string | undefined => {
  const [run, shown] = [currentRun(app), app.results.shown()];
  if (!run) return app.t().trials.empty;
  return JSON.stringify(shown?.input) === JSON.stringify(run.input) ? undefined : '';
};

/** What a trial asks: which settings it depends on, and what they make besides the run. What goes wrong there is told. */
interface Asking {
  readonly settings: (all: TrialSettings) => TrialSettings;
  readonly asked: (run: Run, settings: TrialSettings, signal: AbortSignal) => Promise<object>;
}

interface Asked {
  readonly run: Run;
  readonly runKey: string;
  readonly key: string;
}

/** What is known of a trial so far, as signals. */
const makeSignals = <M extends Method>() => {
  const [found, setFound] = createSignal<{ readonly result: HostOutput<M> } & Omit<Asked, 'run'>>();
  const [failure, setFailure] = createSignal<unknown>();
  const [progress, setProgress] = createSignal<Progress>();
  const [busy, setBusy] = createSignal(false);
  return { found, setFound, failure, setFailure, progress, setProgress, busy, setBusy };
};

/** All that the host is asked for, besides what the settings make of it. */
const paramsOf = <M extends Method>(run: Run, own: object): HostParams<M> =>
  ({ ...run.input, edits: run.edits.map((text) => ({ text })), ...own }) as HostParams<M>;

const makeRuns = <M extends Method>(
  app: App,
  { method, settings, asked }: Asking & { readonly method: M },
  s: ReturnType<typeof makeSignals<M>>,
): Latest<Asked> =>
  makeLatest(
    async ({ run, runKey, key }: Asked, signal) => {
      const client = app.session.client();
      if (!client) return;
      s.setFailure(undefined);
      const params = paramsOf<M>(run, await asked(run, settings(app.view.trials), signal));
      const onTold = (told: Notification): void => {
        if (told.type === 'progress') s.setProgress(told);
      };
      const asking = client.request(method, params, { signal, onTold });
      const result = await asking.finally(() => s.setProgress(undefined));
      if (!signal.aborted) s.setFound({ result, runKey, key });
    },
    (error) => {
      s.setFound(undefined);
      s.setFailure(error);
    },
    { supersede: 'stop', busy: s.setBusy },
  );

/** How long settings have to rest until the server is asked what it has of them: not at each key of a text. */
const quietMs = 120;

/** Takes what the server still has of what would be asked: of this page before it was loaded again, or of another tab. */
const makeLookups = <M extends Method>(
  app: App,
  { method, settings, asked }: Asking & { readonly method: M },
  s: ReturnType<typeof makeSignals<M>>,
): Latest<Asked> =>
  makeLatest(
    async ({ run, runKey, key }: Asked, signal) => {
      const kept = keptMethod.safeParse(method).data;
      if (!kept) return; // of a comparison: a file of values, or a process, may be another by now
      const own = await asked(run, settings(app.view.trials), signal);
      const result = await app.session.kept(kept, paramsOf<M>(run, own));
      if (result === undefined || signal.aborted || s.busy()) return;
      s.setFailure(undefined);
      s.setFound({ result: result as HostOutput<M>, runKey, key });
    },
    () => undefined, // what is wrong with the settings is told when they are run
    { supersede: 'stop', quietMs },
  );

/** Something to run on what is looked at, made once: it goes on while its panel is closed. */
export const makeTrial = <M extends Method>(app: App, method: M, given: Asking): Trial<M> => {
  const s = makeSignals<M>();
  const runs = makeRuns(app, { method, ...given }, s);
  const lookups = makeLookups(app, { method, ...given }, s);
  const runKey = createMemo(() => JSON.stringify(currentRun(app)));
  const key = createMemo(() => runKey() + JSON.stringify(withoutUnset(given.settings(app.view.trials))));
  const asking = (): Asked | undefined => {
    const run = currentRun(app);
    return run && { run, runKey: runKey(), key: key() };
  };
  // The model works on one thing at a time: what nobody waits for any more would be in the way of what is shown.
  createEffect(on(runKey, () => runs.cancel(), { defer: true }));
  createEffect(
    on([key, () => notYet(app)], ([wanted, missing]) => {
      const next = asking();
      if (next && missing === undefined && s.found()?.key !== wanted) lookups.ask(next);
    }),
  );
  return {
    ...{ progress: s.progress, busy: s.busy },
    failure: () => (s.failure() === undefined ? undefined : errorText(app.t(), s.failure())),
    result: () => s.found()?.result,
    isOld: () => s.found() !== undefined && s.found()?.key !== key(),
    isOfRun: () => s.found()?.runKey === runKey(),
    run: () => {
      const next = asking();
      lookups.cancel();
      if (next) runs.ask(next);
    },
    cancel: () => runs.cancel(),
  };
};
