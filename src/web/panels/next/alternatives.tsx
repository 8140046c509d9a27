import { createEffect, createSignal, For, on, Show, type JSX } from 'solid-js';
import type { ScoredToken } from '../../../protocol/index.js';
import { useApp, type App } from '../../app.js';
import { makeLatest } from '../../link/latest.js';
import { percent } from '../../look/numbers.js';
import { visible } from '../../look/token-text.js';
import type { Request } from '../../state/request.js';
import { forkAt } from './fork.js';

/** How many are listed. */
const most = 7;

/** Are the alternatives to a token of the text listed, in place of what comes next? */
export const isElsewhere = (app: App): boolean => {
  const [position, board] = [app.forking(), app.results.board()];
  const isNext = (app.results.compare()?.after.next.length ?? 0) > 0;
  return position !== undefined && board !== undefined && isNext && position < board.tokens.length - 1;
};

interface Asked {
  readonly request: Request;
  readonly position: number;
  readonly after: string;
}

/** What the model says at the position in focus, in the end. */
const useAlternatives = () => {
  const app = useApp();
  const [found, setFound] = createSignal<readonly ScoredToken[]>([]);
  const reads = makeLatest(
    async ({ request, position, after }: Asked, signal: AbortSignal) => {
      const client = app.session.client();
      if (!client) return;
      const edits = request.edits.map((text) => ({ text }));
      const given = { ...request.input, edits, positions: [position], after: [after], top: most };
      setFound((await client.request('lens', given, { signal })).rows[0]?.cells[0]?.top ?? []);
    },
    () => setFound([]),
    { supersede: 'stop' },
  );
  createEffect(
    on(
      [app.results.board, () => app.session.store.focus?.position, () => isElsewhere(app)],
      ([board, position, is]) => {
        const after = board?.rows.at(-1);
        if (is && board && position !== undefined && after) reads.ask({ request: board.request, position, after });
      },
    ),
  );
  return found;
};

/** Instead of the end: what the model says behind the token in focus. Choosing one forks the text there. */
export const Alternatives = (): JSX.Element => {
  const app = useApp();
  const found = useAlternatives();
  const position = (): number => app.forking() ?? 0;
  const token = (i: number): string => visible(app.results.board()?.tokens[i]?.text ?? '');
  return (
    <Show when={isElsewhere(app)}>
      <p class="small soft alternatives-title">
        {app.t().next.behind(position(), token(position()))}{' '}
        <button class="plain small" onClick={() => app.fork(undefined)}>
          {app.t().next.toEnd}
        </button>
      </p>
      <table class="next-table" id="alternatives">
        <tbody>
          <For each={found()}>
            {(word) => (
              <tr aria-selected={visible(word.text) === token(position() + 1)}>
                <td class="word">
                  <button
                    class="plain"
                    aria-label={app.t().next.fork(visible(word.text))}
                    title={app.t().next.fork(visible(word.text))}
                    onClick={() => void forkAt(app, position(), word)}
                  >
                    {visible(word.text)}
                  </button>
                </td>
                <td>
                  <div class="bar-cell">
                    <div class="bar" style={{ width: `${(100 * word.probability).toFixed(2)}%` }} />
                    <span class="number">{percent(word.probability)}</span>
                  </div>
                </td>
              </tr>
            )}
          </For>
        </tbody>
      </table>
    </Show>
  );
};
