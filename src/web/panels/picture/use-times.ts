import { createEffect, createSignal, on, type Accessor } from 'solid-js';
import type { TimesResult } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { makeLatest } from '../../link/latest.js';
import type { Request } from '../../state/request.js';

/** How long each part of the model takes for the run that is shown; measured while it is asked for. */
export const useTimes = (isOn: Accessor<boolean>): Accessor<TimesResult | undefined> => {
  const app = useApp();
  const [times, setTimes] = createSignal<TimesResult>();
  const asks = makeLatest(
    async ({ input, edits }: Request, signal: AbortSignal) => {
      const client = app.session.client();
      if (!client) return;
      const asked = { ...input, edits: edits.map((text) => ({ text })) };
      setTimes(await client.request('times', asked, { signal }));
    },
    () => setTimes(undefined),
    { supersede: 'stop', quietMs: 200 },
  );
  createEffect(
    on([app.results.shown, isOn], ([request, wanted]) => {
      if (request && wanted) asks.ask(request);
      else asks.cancel();
    }),
  );
  return times;
};
