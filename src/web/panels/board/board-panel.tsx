import { createMemo, createSignal, For, Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { Panel } from '../../shell/panel.jsx';
import { BoardCanvas, sameScroll, type Scroll } from './board-canvas.jsx';
import { EncoderBoard } from './encoder-board.jsx';
import { Invitation } from './invitation.jsx';
import { Legend } from './legend.jsx';
import { isMeasure, isWordless, measureIds, measures, type MeasureId } from './measures.js';
import { measureId, patchedOnBoard, shownMeasure } from './shown-measure.js';

/** Chooses what the board is coloured by. */
const MeasureChoice = (): JSX.Element => {
  const app = useApp();
  const isOffered = (id: MeasureId): boolean => {
    if (app.results.compare()?.after.labels && !isWordless(id) && !measures[id].needsTrial) return false;
    if (measures[id].needsTrial) return id === app.view.measure || patchedOnBoard(app) !== undefined;
    return !measures[id].needsEdits || (app.results.shown()?.edits.length ?? 0) > 0;
  };
  const offered = createMemo(() => measureIds.filter(isOffered));
  return (
    <label class="small soft">
      {app.t().board.measure}{' '}
      <select
        value={measureId(app)}
        onChange={(event) => {
          const { value } = event.currentTarget;
          if (isMeasure(value)) app.setView({ measure: value });
        }}
      >
        <For each={offered()}>{(id) => <option value={id}>{app.t().board.measures[id]}</option>}</For>
      </select>
    </label>
  );
};

const zooms = [0, 4, 10, 20, 36, 60, 110, 250];

const ZoomButtons = (): JSX.Element => {
  const app = useApp();
  const at = () =>
    Math.max(
      0,
      zooms.findIndex((z) => z >= app.view.zoom),
    );
  const to = (i: number) => app.setView({ zoom: zooms[i] ?? 0 });
  return (
    <span role="group" aria-label={app.t().board.zoom}>
      <button class="plain" onClick={() => to(Math.max(0, at() - 1))} disabled={at() === 0}>
        −
      </button>
      <button
        class="plain"
        onClick={() => to(Math.min(zooms.length - 1, at() + 1))}
        disabled={at() === zooms.length - 1}
      >
        +
      </button>
      <button class="plain small" onClick={() => to(0)} disabled={at() === 0}>
        {app.t().board.fit}
      </button>
    </span>
  );
};

/** The map of the run: what the model would say at each token after each layer. */
export const BoardPanel = (): JSX.Element => {
  const app = useApp();
  const [scroll, setScroll] = createSignal<Scroll>({ right: 0, down: 0 }, { equals: sameScroll });
  const shown = createMemo(() => shownMeasure(app));
  const tools = (
    <>
      <MeasureChoice />
      <ZoomButtons />
    </>
  );
  return (
    <Panel id="board" title={app.t().board.title} help={app.t().board.help} grows tools={tools}>
      <Show when={app.results.compare()?.after.labels}>
        <p class="soft small no-words">{app.t().board.noWords}</p>
      </Show>
      <Invitation />
      <BoardCanvas shown={shown()} scroll={scroll()} setScroll={setScroll} />
      <Legend {...shown()} />
      <EncoderBoard />
    </Panel>
  );
};
