import { Show, type JSX } from 'solid-js';
import { useApp } from '../app.js';
import { cellText } from './cell-text.js';

/** What the pointer is on, or else the focus, in words and numbers; and what is being computed. */
export const StatusLine = (): JSX.Element => {
  const app = useApp();
  const focused = (): string | undefined => {
    const [board, at] = [app.results.board(), app.focus()];
    const row = at ? (board?.rows.indexOf(at.after) ?? -1) : -1;
    return board && at && row >= 0 ? cellText(app, board, { row, position: at.position }) : undefined;
  };
  const work = (): string => {
    const { busy, latency } = app.results;
    if (app.runOnly()) return '';
    if (busy()) return app.t().status.computing;
    const ms = latency();
    return ms === undefined ? app.t().status.ready : app.t().status.milliseconds(ms);
  };
  return (
    <footer class="status">
      <span class="what" id="what" aria-live="polite">
        {app.pointed() ?? focused() ?? app.t().status.nothing}
      </span>
      <Show when={app.results.busy()}>
        <button class="plain small" onClick={() => app.results.cancel()}>
          {app.t().status.cancel}
        </button>
      </Show>
      <span class="soft number" id="work">
        {work()}
      </span>
    </footer>
  );
};
