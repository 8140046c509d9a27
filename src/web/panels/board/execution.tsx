import { createMemo, For, Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { rowName } from '../../look/names.js';
import type { Layout } from './layout.js';
import { marksOf, playheadOf } from './margins.js';

/** Over the board: where execution stands, and marks of breakpoints. It moves as the run does. */
export const Execution = (props: { readonly layout: Layout | undefined }): JSX.Element => {
  const app = useApp();
  const rows = () => app.results.board()?.rows ?? [];
  const head = createMemo(() => {
    const { state, phase, outdated } = app.debugging.view();
    const isShown = phase !== 'off' && phase !== 'opening' && outdated === undefined;
    if (!state || !props.layout || !isShown) return undefined;
    const promptLength = app.debugging.about()?.prompt.length ?? 0;
    return playheadOf({ place: state.place, step: state.position.step, promptLength }, props.layout, rows());
  });
  const marks = createMemo(() => (props.layout ? marksOf(app.debugging.settings().points, props.layout, rows()) : []));
  const where = (): string => app.t().program.playhead(rowName(app.debugging.view().state?.place ?? ''));
  return (
    <div class="execution">
      <Show when={head()}>
        {(at) => (
          <div
            class="playhead"
            id="playhead"
            role="img"
            aria-label={where()}
            style={{
              transform: `translate(${at().x}px, ${at().y}px)`,
              width: `${at().width}px`,
              height: `${at().height}px`,
            }}
          >
            <span aria-hidden="true">▶</span>
          </div>
        )}
      </Show>
      <For each={marks()}>
        {({ x, y, point }) => (
          <span
            class="point-mark board-mark"
            classList={{ off: !point.on, log: point.log !== undefined }}
            style={{ left: `${x - 4}px`, top: `${y - 4}px` }}
          />
        )}
      </For>
    </div>
  );
};
