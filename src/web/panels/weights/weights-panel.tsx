import { createEffect, createMemo, createSignal, For, on, Show, type JSX } from 'solid-js';
import type { WeightEntry } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { makeLatest } from '../../link/latest.js';
import { errorText } from '../../i18n/told.js';
import { layerOf } from '../../look/names.js';
import { compact } from '../../look/numbers.js';
import { NumberList } from '../../shell/number-list.jsx';
import { Panel } from '../../shell/panel.jsx';
import { ScaleStrip } from '../../shell/scale-strip.jsx';
import { withPanel } from '../../state/panel-settings.js';
import { runB } from '../../state/two-runs.js';
import { Histogram } from '../../shell/histogram.jsx';
import { MatrixView, type MatrixCell } from '../../shell/matrix-view.jsx';
import type { FetchTile } from '../../look/tiles.js';
import { pictureSize, readWeight, readWeightCell, readWeightTile, weightsFound, type WeightLook } from './data.js';
import { SpectrumView } from './spectrum.jsx';

/** The model's weights, asked for once a model. */
const useEntries = () => {
  const app = useApp();
  const [entries, setEntries] = createSignal<readonly WeightEntry[]>([]);
  const model = createMemo(() => app.results.shown()?.input.model);
  createEffect(
    on(model, (name) => {
      const client = app.session.client();
      if (name === undefined || !client) return;
      client.request('list', { model: name, show: ['weights'] }).then(
        ({ weights = [] }) => setEntries(weights),
        () => setEntries([]), // the panel then has nothing to choose from
      );
    }),
  );
  return entries;
};

const useLook = (entry: () => WeightEntry | undefined) => {
  const app = useApp();
  const [look, setLook] = createSignal<WeightLook>();
  const [cause, setCause] = createSignal<unknown>();
  const why = (): string | undefined => (cause() === undefined ? undefined : errorText(app.t(), cause()));
  const reads = makeLatest(
    async (asked: Pick<WeightLook, 'request' | 'minus' | 'entry'>, signal: AbortSignal) => {
      const client = app.session.client();
      if (client) setLook(await readWeight(client, asked, signal));
      setCause(undefined);
    },
    (error) => {
      setLook(undefined);
      setCause(error);
    },
    { supersede: 'stop', quietMs: 60 },
  );
  createEffect(
    on([app.results.shown, entry, () => runB(app)], ([request, of, b]) => {
      if (request && of) reads.ask(b ? { request: b, minus: request, entry: of } : { request, entry: of });
    }),
  );
  return { look, why };
};

const greatest = ({ stats }: WeightLook): number => Math.max(Math.abs(stats.min ?? 0), Math.abs(stats.max ?? 0), 1e-12);

/** Of a difference: whether there is none. */
const isSame = ({ minus, stats }: WeightLook): boolean => minus !== undefined && stats.min === 0 && stats.max === 0;

/** The number of the cell that is pointed at. */
const useCell = (props: { readonly of: WeightLook }) => {
  const app = useApp();
  const [found, setFound] = createSignal<MatrixCell & { readonly value: number | undefined }>();
  const reads = makeLatest(
    async (cell: MatrixCell, signal: AbortSignal) => {
      const client = app.session.client();
      if (client) setFound({ ...cell, value: await readWeightCell(client, props.of, { ...cell, signal }) });
    },
    () => setFound(undefined),
    { supersede: 'wait' },
  );
  return { found, ask: reads.ask };
};

/** Pixels that the picture is high: a wide matrix needs no more than it is high where all of it is seen. */
const pictureHeight = (entry: WeightEntry): number => {
  const { rows, columns } = pictureSize(entry);
  const [texts, width, most] = [58, 420, 242];
  return texts + Math.max(40, Math.min(most, (rows * width) / columns));
};

/** The matrix as a picture that can be enlarged and moved about. */
const Picture = (props: { readonly of: WeightLook }): JSX.Element => {
  const app = useApp();
  const { found, ask } = useCell(props);
  const fetch = (): FetchTile => {
    const [client, of] = [app.session.client(), props.of];
    return (tile, signal) =>
      client ? readWeightTile(client, of, { ...tile, signal }) : Promise.reject(new Error('no host'));
  };
  const name = (): string =>
    JSON.stringify([
      ...[props.of.entry.name, props.of.request.input.model, props.of.stats.norm, props.of.request.edits],
      props.of.minus?.edits,
    ]);
  const axes = (): string => props.of.axes.map((axis, i) => `${axis} ${props.of.entry.shape[i] ?? ''}`).join(' × ');
  const most = (): number => greatest(props.of);
  return (
    <>
      <div class="weight-picture" style={{ height: `${pictureHeight(props.of.entry)}px` }}>
        <MatrixView
          {...{ id: 'weight-picture', label: `${props.of.entry.name}. ${app.t().attention.mapKeys}`, name: name() }}
          {...{ ...pictureSize(props.of.entry), fetch: fetch(), colors: app.palette().diverging }}
          ends={{ from: -most(), to: most() }}
          onPoint={(cell) => cell && ask(cell)}
        />
      </div>
      <div class="legend small">
        <span class="soft">{axes()}</span>
        <span>{isSame(props.of) ? '0' : `−${compact(most())}`}</span>
        <ScaleStrip kind="diverging" />
        <span>{isSame(props.of) ? '0' : compact(most())}</span>
      </div>
      <p class="small formula" id="weight-cell" aria-live="polite">
        <Show when={found()} fallback={<span class="soft">{app.t().attention.pointAt}</span>}>
          {(at) => <>{app.t().weights.cell(at().row, at().column, compact(at().value))}</>}
        </Show>
      </p>
    </>
  );
};

const Numbers = (props: { readonly of: WeightLook }): JSX.Element => {
  const app = useApp();
  const rows = (): readonly (readonly [string, string])[] => {
    const { stats, entry } = props.of;
    const t = app.t().weights;
    return [
      [t.mean, compact(stats.mean)],
      [t.std, compact(stats.std)],
      [t.norm, compact(stats.norm)],
      [t.broken, String(stats.nan + stats.inf)],
      [t.stored, entry.dtype],
    ];
  };
  return <NumberList rows={rows()} />;
};

/** Any weight of the model: picture, distribution, numbers. */
export const WeightsPanel = (): JSX.Element => {
  const app = useApp();
  const entries = useEntries();
  const [text, setText] = createSignal('');
  const name = () => app.view.panels.weight;
  const setName = (weight: string): void => app.setView({ panels: withPanel(app.view.panels, { weight }) });
  const found = createMemo(() => weightsFound(entries(), text()));
  /** The one that was chosen, else the first matrix of the layer in focus. */
  const entry = createMemo(() => {
    const chosen = entries().find((e) => e.name === name());
    const layer = layerOf(app.focus()?.after ?? 'embed')?.replace(/^\w+\./, '');
    const near = entries().find((e) => e.shape.length === 2 && e.name.includes(`.${layer ?? ''}.`));
    return chosen ?? near ?? entries()[0];
  });
  const { look, why } = useLook(entry);
  return (
    <Panel id="weights" title={app.t().weights.title} help={app.t().weights.help} differs grows>
      <div class="weight-choice">
        <input
          value={text()}
          placeholder={app.t().weights.find}
          aria-label={app.t().weights.find}
          onInput={(event) => setText(event.currentTarget.value)}
        />
        <select
          class="mono"
          aria-label={app.t().weights.title}
          value={entry()?.name ?? ''}
          onChange={(event) => setName(event.currentTarget.value)}
        >
          <For each={found()}>{(e) => <option value={e.name}>{e.name}</option>}</For>
        </select>
      </div>
      <Show when={look()} fallback={<p class="mistake">{why()}</p>}>
        {(of) => (
          <div class="scrolls">
            <Show when={isSame(of())}>
              <p class="soft small">{app.t().beside.same}</p>
            </Show>
            <Picture of={of()} />
            <Histogram of={of().histogram} />
            <Numbers of={of()} />
            <Show when={!of().minus} fallback={<p class="soft small">{app.t().weights.oneSpectrum}</p>}>
              <SpectrumView entry={of().entry} />
            </Show>
          </div>
        )}
      </Show>
    </Panel>
  );
};
