import { For, type JSX } from 'solid-js';
import type { ExperimentState } from '../../../protocol/index.js';
import { useApp, type App } from '../../app.js';

/** How a prompt is given. */
export type Way = 'text' | 'ids' | 'chat';
const ways: readonly Way[] = ['text', 'ids', 'chat'];

/** The way of a state: what reads no text is given ids. */
export const wayOf = (app: App): Way => {
  const state = app.state();
  if (state?.ids) return 'ids';
  if (state?.chat) return 'chat';
  return app.model()?.reads.tokenizer === false ? 'ids' : 'text';
};

/** What a change to another way keeps: the tokens that were read become the ids, the text the first message. */
const changeTo = (app: App, way: Way): Partial<Record<keyof ExperimentState, unknown>> => {
  const [state, run] = [app.state(), app.results.compare()?.after];
  const ids = (run?.tokens ?? []).map((t) => t.id);
  const { prompt = '' } = state ?? {};
  switch (way) {
    case 'text':
      return { ids: null, chat: null };
    case 'ids':
      return { ids, chat: null };
    case 'chat':
      return { ids: null, chat: [{ role: 'user', content: prompt }] };
  }
};

/** Why a way is closed to a model; empty where it is not. */
const closed = (app: App, way: Way): string => {
  const reads = app.model()?.reads;
  if (way === 'text' && reads?.tokenizer === false) return reads.tokenizerError ?? app.t().ways.noTokenizer;
  return way === 'chat' && reads?.chat === false ? app.t().ways.noChat : '';
};

/** Chooses how the prompt is given. */
export const Ways = (): JSX.Element => {
  const app = useApp();
  return (
    <span role="group" class="ways" aria-label={app.t().ways.label}>
      <For each={ways}>
        {(way) => (
          <button
            class="plain small"
            aria-pressed={wayOf(app) === way}
            disabled={closed(app, way) !== ''}
            title={closed(app, way)}
            onClick={() => app.change(changeTo(app, way) as Parameters<App['change']>[0])}
          >
            {app.t().ways[way]}
          </button>
        )}
      </For>
    </span>
  );
};
