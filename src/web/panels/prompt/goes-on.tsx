import { createEffect, createSignal, on, Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import type { Client } from '../../../client/index.js';
import { makeLatest } from '../../link/latest.js';
import { visible } from '../../look/token-text.js';
import type { Request, Run } from '../../state/request.js';

/** How many tokens are made. */
const length = 24;

interface Said {
  readonly before: string;
  readonly after: string;
}

const generated = async (client: Client, { input, edits, sampling }: Run, signal: AbortSignal): Promise<string> => {
  const all = [...edits, ...sampling].map((text) => ({ text }));
  const result = await client.request('run', { ...input, edits: all, maxNewTokens: length, top: 0 }, { signal });
  if (Array.isArray(result)) return '';
  const { text, ids } = result.generated;
  return text === '' ? ids.map((id) => `[${id}]`).join(' ') : text; // a model without a tokenizer says ids
};

/** What a request is compared with: the run beside, or itself without edits of the model. */
const comparedWith = (request: Request): Run => request.other ?? { ...request, edits: [] };

/** The word that the model says next, before and after the edits, and more of it when asked. */
export const GoesOn = (): JSX.Element => {
  const app = useApp();
  const [said, setSaid] = createSignal<Said>();
  const [isOn, setOn] = createSignal(false);
  const makes = makeLatest(
    async (request: Request, signal: AbortSignal) => {
      const client = app.session.client();
      if (!client) return;
      const after = await generated(client, request, signal);
      const isSame = request.edits.length === 0 && !request.other;
      const before = isSame ? after : await generated(client, comparedWith(request), signal);
      setSaid({ before, after });
    },
    () => setSaid(undefined),
    { supersede: 'stop' },
  );
  createEffect(
    on([app.results.shown, isOn], ([request, wanted]) => {
      if (request && wanted) makes.ask(request);
      else setSaid(undefined);
    }),
  );
  const [before, after] = [() => app.results.compare()?.before.next[0], () => app.results.compare()?.after.next[0]];
  const isNew = (): boolean => said()?.before !== said()?.after || before()?.id !== after()?.id;
  const wrong = (text: string | undefined): boolean => text !== undefined && text === app.session.store.tour?.wrong;
  const right = (text: string | undefined): boolean => text !== undefined && text === app.session.store.tour?.expected;
  const words = (kind: 'before' | 'after', text: string | undefined): JSX.Element => (
    <span
      class="said"
      id={`said-${kind}`}
      classList={{ 'wrong-word': wrong(text), 'right-word': right(text), new: kind === 'after' && isNew() }}
    >
      {said()?.[kind] ?? visible(text ?? '')}
    </span>
  );
  return (
    <Show when={after()}>
      <div class="goes-on">
        <span class="soft small">{app.t().prompt.output}</span>
        {words('before', before()?.text)}
        <Show when={isNew()}>
          <span class="soft" aria-hidden="true">
            →
          </span>
          {words('after', after()?.text)}
        </Show>
        <button class="plain small" aria-pressed={isOn()} onClick={() => setOn(!isOn())}>
          {app.t().prompt.goOn} …
        </button>
      </div>
    </Show>
  );
};
