import { createEffect, createMemo, createSignal, on, onCleanup, type Accessor } from 'solid-js';
import { DebuggerError } from '../../../base/index.js';
import { useApp } from '../../app.js';

/** What a look gave, or why it gave nothing. */
export interface Looked<T> {
  readonly value?: T;
  readonly mistake?: string;
}

/** Looks anew wherever the run stands anew, and where `what` changes. What was seen stays until the next is there. */
export const useLook = <T>(look: (signal: AbortSignal) => Promise<T>, what: Accessor<unknown> = () => 0) => {
  const app = useApp();
  const { view, moves } = app.debugging;
  const [looked, setLooked] = createSignal<Looked<T>>({});
  const place = createMemo(() => [view().phase, view().run, view().state?.revision ?? -1].join());
  createEffect(
    on([place, what], () => {
      if (view().phase === 'off') setLooked({});
      if (view().phase !== 'stopped') return;
      const controller = new AbortController();
      onCleanup(() => controller.abort());
      createEffect(on(moves, () => controller.abort(), { defer: true }));
      look(controller.signal).then(
        (value) => controller.signal.aborted || setLooked(() => ({ value })),
        (error: unknown) => {
          if (controller.signal.aborted) return;
          if (!(error instanceof DebuggerError)) throw error;
          setLooked({ mistake: app.t().told.error({ ...error.info, message: error.message }).message });
        },
      );
    }),
  );
  return looked;
};
