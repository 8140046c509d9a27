import { createMemo, For, Show, type JSX } from 'solid-js';
import type { TimesResult } from '../../../protocol/index.js';
import { useApp, type App } from '../../app.js';
import { compact } from '../../look/numbers.js';
import { Panel } from '../../shell/panel.jsx';
import { ScaleStrip } from '../../shell/scale-strip.jsx';
import { withPanel } from '../../state/panel-settings.js';
import { onScale } from '../board/measures.js';
import { measureId, shownMeasure } from '../board/shown-measure.js';
import { columnsOf, layerName } from './layers.js';
import { Stack, type Shading } from './stacks.jsx';
import { useEffects } from './use-effects.js';
import { useTimes } from './use-times.js';

/** By what the board shows at the token in focus, on the board's scale. */
const boardShading = (app: App): Shading => {
  const [board, at] = [app.results.board(), app.focus()];
  const { measure, ends, scale } = shownMeasure(app);
  return {
    of: ({ id }) => {
      const cell = board?.cells[board.rows.indexOf(id)]?.[at?.position ?? 0];
      const value = cell && measure.of(cell);
      if (value === null || value === undefined) return undefined;
      return { share: onScale(value, ends, measure.isLog), text: measure.show(value) };
    },
    scale,
    low: measure.show(ends[0]),
    high: measure.show(ends[1]),
  };
};

const effectShading = (effects: ReadonlyMap<string, number | null>): Shading => {
  const most = Math.max(1e-9, ...[...effects.values()].map((x) => x ?? 0));
  return {
    of: (block) => {
      const kl = effects.get(layerName(block) ?? '');
      return kl === null || kl === undefined ? undefined : { share: kl / most, text: compact(kl) };
    },
    scale: 'sequential',
    low: '0',
    high: compact(most),
  };
};

/** Milliseconds of each part of the model; of a layer that runs twice both times. */
const timeShading = (times: TimesResult | undefined): Shading => {
  const ms = new Map<string, number>();
  for (const segment of times?.segments ?? []) {
    const name = segment.name.replace(/#\d+$/, '');
    ms.set(name, (ms.get(name) ?? 0) + segment.ms);
  }
  const most = Math.max(1e-9, ...ms.values());
  return {
    of: ({ id }) => {
      const own = ms.get(id);
      return own === undefined ? undefined : { share: own / most, text: `${compact(own)} ms` };
    },
    scale: 'sequential',
    low: '0',
    high: times ? `${compact(most)} ms` : '',
  };
};

/** The architecture as the model's graph has it; a click goes there, a layer is skipped or repeated by one. */
export const PicturePanel = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().picture;
  const colour = () => app.view.panels.picture ?? 'board';
  const setColour = (by: string): void => {
    const picture = by === 'skip' || by === 'time' ? by : undefined;
    app.setView({ panels: withPanel(app.view.panels, { picture }) });
  };
  const columns = createMemo(() => {
    const picture = app.model()?.picture;
    return picture ? columnsOf(picture) : [];
  });
  const layers = createMemo(() =>
    columns().flatMap((c) => [...c.blocks].reverse().flatMap((block) => layerName(block) ?? [])),
  );
  const { effects, progress } = useEffects(layers, () => colour() === 'skip');
  const times = useTimes(() => colour() === 'time');
  const shading = createMemo(() => {
    switch (colour()) {
      case 'skip':
        return effectShading(effects());
      case 'time':
        return timeShading(times());
      case 'board':
        return boardShading(app);
    }
  });
  const tools = (
    <label class="small soft">
      {t().colour}{' '}
      <select id="picture-colour" value={colour()} onChange={(e) => setColour(e.currentTarget.value)}>
        <option value="board">{t().byBoard(app.t().board.measures[measureId(app)])}</option>
        <option value="skip">{t().bySkip}</option>
        <option value="time">{t().byTime}</option>
      </select>
    </label>
  );
  return (
    <Panel id="picture" title={t().title} help={t().help} differs={colour() === 'board'} grows tools={tools}>
      <div class="scrolls">
        <div class="stacks">
          <For each={columns()}>{(column) => <Stack column={column} shading={shading()} />}</For>
        </div>
      </div>
      <div class="legend small">
        <Show when={progress()}>{(at) => <span class="soft">{t().measuring(at().done, at().total)}</span>}</Show>
        <Show when={colour() === 'time' && times()}>
          {(found) => <span class="soft">{t().timed(compact(found().ms), found().repeats)}</span>}
        </Show>
        <span class="number">{shading().low}</span>
        <ScaleStrip kind={shading().scale} />
        <span class="number">{shading().high}</span>
      </div>
    </Panel>
  );
};
