import { createEffect, createSignal, on, onCleanup, type Accessor } from 'solid-js';
import { DebuggerError } from '../../../base/index.js';
import type { ViewAnswerOf } from '../../../protocol/index.js';
import { useApp } from '../../app.js';

export type TrainingSeen = ViewAnswerOf<'training'>;

/** How often the steps are asked for while the process goes on. */
const eachMs = 1000;

/** The last steps of a process that trains, also while it runs; undefined of one that does not. */
export const useTraining = (): Accessor<TrainingSeen | undefined> => {
  const { view, about, look } = useApp().debugging;
  const [seen, setSeen] = createSignal<TrainingSeen>();
  const ask = async (): Promise<void> => {
    try {
      const answer = await look({ ask: 'training' });
      if (answer.steps.length > 0) setSeen(answer);
    } catch (error) {
      if (!(error instanceof DebuggerError)) throw error; // the run ended meanwhile, which is told elsewhere
    }
  };
  createEffect(on([() => view().run], () => setSeen(undefined), { defer: true }));
  createEffect(
    on([() => view().phase, () => view().state?.revision, about], ([phase, , of]) => {
      if (of?.kind !== 'process' || (phase !== 'running' && phase !== 'stopped')) return;
      void ask();
      if (phase !== 'running') return;
      const timer = setInterval(() => void ask(), eachMs);
      onCleanup(() => clearInterval(timer));
    }),
  );
  return seen;
};
