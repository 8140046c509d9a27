import { createEffect, createSignal, on, type Accessor } from 'solid-js';
import { useApp } from '../../app.js';
import { makeLatest } from '../../link/latest.js';
import type { Request } from '../../state/request.js';
import { skipEdit } from './layers.js';

/** What skipping each layer does to the answer: KL in nats, by the layer's name; measured while it is asked for. */
export const useEffects = (layers: Accessor<readonly string[]>, isOn: Accessor<boolean>) => {
  const app = useApp();
  const [effects, setEffects] = createSignal<ReadonlyMap<string, number | null>>(new Map());
  const [progress, setProgress] = createSignal<{ readonly done: number; readonly total: number }>();
  const asks = makeLatest(
    async (request: Request, signal: AbortSignal) => {
      const client = app.session.client();
      if (!client) return;
      const tries = layers().map(skipEdit);
      const edits = request.edits
        .filter((text) => !/^(?:skip|repeat|swap) layers? /.test(text))
        .map((text) => ({ text }));
      const { parts } = await client.request(
        'knockout',
        { ...request.input, edits, tries },
        {
          signal,
          onTold: (told) => told.type === 'progress' && setProgress({ done: told.done, total: told.total }),
        },
      );
      setEffects(new Map(layers().map((layer, i) => [layer, parts[i]?.kl ?? null])));
      setProgress(undefined);
    },
    () => {
      setEffects(new Map());
      setProgress(undefined);
    },
    { supersede: 'stop', quietMs: 120 },
  );
  createEffect(
    on([app.results.shown, isOn, () => layers().join()], ([request, wanted]) => {
      if (request && wanted) asks.ask(request);
    }),
  );
  return { effects, progress };
};
