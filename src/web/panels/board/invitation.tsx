import { Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { layerOf } from '../../look/names.js';
import { visible } from '../../look/token-text.js';
import { isTour, markOf } from './mark.js';

/** One line that says where to click, and then what happened. */
export const Invitation = (): JSX.Element => {
  const app = useApp();
  const isDone = (): boolean => app.results.compare()?.after.next[0]?.text === app.session.store.tour?.expected;
  const text = (): string | undefined => {
    const { tour, state } = app.session.store;
    const [board, says] = [app.results.board(), app.results.compare()?.after.next[0]?.text];
    if (!board || !tour || state?.prompt !== tour.prompt || state.ids || state.chat || state.beside) return undefined;
    const words = app.t().board;
    if (says === tour.expected) return words.mended(visible(tour.expected));
    const mark = markOf(app);
    if (mark) return words.invite(visible(tour.expected), layerOf(board.rows[mark.row] ?? '') ?? '');
    return isTour(app) ? words.inviteNext(app.t().block.head(`${tour.layer}.${tour.head}`)) : undefined;
  };
  return (
    <Show when={text()}>
      <p class="invitation" classList={{ done: isDone() }} role="status">
        {text()}
      </p>
    </Show>
  );
};
