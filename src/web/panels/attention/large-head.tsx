import { createSignal, For, Show, type JSX } from 'solid-js';
import { useApp, type App } from '../../app.js';
import { compact } from '../../look/numbers.js';
import { masked, type Ends } from '../../look/matrix-image.js';
import type { FetchTile } from '../../look/tiles.js';
import { MatrixView } from '../../shell/matrix-view.jsx';
import { ScaleStrip } from '../../shell/scale-strip.jsx';
import type { AttentionLayer } from '../../../protocol/index.js';
import { readTile, type CellAt, type Shown } from './data.js';
import { Formula } from './formula.jsx';
import { Lines, mostLines } from './lines.jsx';
import type { AttentionStore, HeldLarge, Settings } from './store.js';

const tokensOf = (app: App, { kind }: { readonly kind: Settings['kind'] }) => {
  const run = app.results.compare()?.after;
  const [source, own] = [run?.tokens ?? [], run?.target ?? run?.tokens ?? []];
  const [queries, keys] = [kind === 'encoder' ? source : own, kind === 'self' ? own : source];
  return { queries: queries.map((t) => t.text), keys: keys.map((t) => t.text) };
};

/** Where the colours begin and end: shares from 0 to 1, or to the greatest; scores from the least; differences about 0. */
export const endsOf = (
  { value, isStretched, isDifference }: Pick<Settings & Shown, 'value' | 'isStretched' | 'isDifference'>,
  layers: readonly Pick<AttentionLayer, 'least' | 'greatest'>[],
): Ends => {
  const most = layers.reduce((m, l) => Math.max(m, l.greatest), -Infinity);
  if (isDifference) {
    const far =
      value === 'pattern' && !isStretched
        ? 1
        : layers.reduce((m, l) => Math.max(m, l.greatest - Math.max(l.least, masked)), 0);
    return { from: -far, to: far };
  }
  if (value === 'scores') return { from: layers.reduce((m, l) => Math.min(m, l.least), Infinity), to: most };
  return { from: 0, to: value === 'weighted' || isStretched ? most : 1 };
};

const layerName = (block: string): string => block.replace('blocks.', '');

/** What is large, in words. */
const nameOf = (app: App, { large, shown }: HeldLarge): string => {
  const t = app.t().attention;
  const isCross = shown.kind === 'cross';
  if (large.show === 'rollout') return t.rollout(layerName(large.through));
  const names = large.heads.map((h) => `${layerName(h.block)}.${h.head}`);
  const all = names.length > 6 ? [...names.slice(0, 5), `… (${names.length})`] : names;
  const name = names.length === 1 ? t.head(names[0] ?? '') : t.mean(all.join(', '));
  return isCross ? `${name} (${t.kinds.cross})` : name;
};

const ValueLegend = (props: {
  readonly ends: Ends;
  readonly value: Settings['value'];
  readonly isRollout?: boolean;
  readonly isDifference: boolean;
}): JSX.Element => {
  const app = useApp();
  return (
    <div class="legend small">
      <span class="soft">
        {props.isDifference ? `${app.t().beside.difference}: ` : ''}
        {props.isRollout ? app.t().attention.rolloutFormula : app.t().attention.formulas[props.value]}
      </span>
      <span class="number">{compact(props.ends.from)}</span>
      <ScaleStrip kind={props.isDifference ? 'diverging' : 'sequential'} />
      <span class="number">{compact(props.ends.to)}</span>
    </div>
  );
};

interface Props {
  readonly store: AttentionStore;
  readonly held: HeldLarge;
}

const Forms = (props: { readonly store: AttentionStore; readonly canLines: boolean }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().attention;
  const set = (change: Partial<Settings>): void => props.store.set(change);
  return (
    <>
      <span role="group" aria-label={t().large}>
        <For each={['heads', 'layer', 'rollout'] as const}>
          {(of) => (
            <button
              class="plain small"
              aria-pressed={props.store.settings().of === of}
              disabled={of === 'rollout' && props.store.settings().kind === 'cross'}
              onClick={() => set({ of })}
            >
              {t().of[of]}
            </button>
          )}
        </For>
      </span>
      <span role="group" aria-label={t().form}>
        <For each={['map', 'lines'] as const}>
          {(form) => (
            <button
              class="plain small"
              aria-pressed={props.store.settings().as === form}
              disabled={form === 'lines' && !props.canLines}
              title={form === 'lines' && !props.canLines ? t().noLines(mostLines) : undefined}
              onClick={() => set({ as: form })}
            >
              {t().as[form]}
            </button>
          )}
        </For>
      </span>
    </>
  );
};

/** What is chosen, large: as a map that can be enlarged and moved, or as lines. */
export const LargeHead = (props: Props): JSX.Element => {
  const app = useApp();
  const [cell, setCell] = createSignal<CellAt>();
  const layer = () => props.held.result.layers[0];
  const tokens = () => tokensOf(app, props.held.shown);
  const isDifference = (): boolean => props.held.shown.isDifference;
  const canLines = (): boolean => !isDifference() && Math.max(layer()?.queries ?? 0, layer()?.keys ?? 0) <= mostLines;
  const isRollout = (): boolean => props.held.large.show === 'rollout';
  const ends = (): Ends =>
    endsOf(
      { ...props.store.settings(), ...props.held.shown, ...(isRollout() ? { value: 'pattern' as const } : {}) },
      props.held.result.layers,
    );
  const fetch = (): FetchTile => {
    const run = props.store.heldRun(props.held);
    const site = layer()?.site ?? '';
    return (tile, signal) => (run ? readTile({ ...run, signal }, site, tile) : Promise.reject(new Error('no host')));
  };
  const name = (): string => `${props.held.key} ${props.held.result.revision}`;
  const focus = (): number | undefined => (props.held.shown.kind === 'encoder' ? undefined : app.focus()?.position);
  return (
    <div class="head-view">
      <div class="head-title">
        <h3 class="head-name">{nameOf(app, props.held)}</h3>
        <span class="head-forms">
          <Forms store={props.store} canLines={canLines()} />
        </span>
      </div>
      <div class="head-space">
        <Show
          when={props.store.settings().as === 'lines' && canLines()}
          fallback={
            <MatrixView
              {...{ id: 'head-map', label: `${nameOf(app, props.held)}. ${app.t().attention.mapKeys}`, name: name() }}
              {...{ rows: layer()?.queries ?? 1, columns: layer()?.keys ?? 1, fetch: fetch() }}
              {...{ colors: app.palette()[isDifference() ? 'diverging' : 'sequential'], ends: ends() }}
              {...{ rowTexts: tokens().queries, columnTexts: tokens().keys, focusRow: focus() }}
              {...{ hiddenRows: props.held.result.hidden.queries, hiddenColumns: props.held.result.hidden.keys }}
              onPoint={(at) => setCell(at && { query: at.row, key: at.column })}
              onChoose={(at) => {
                if (props.held.shown.kind !== 'encoder') app.look({ position: at.row });
              }}
            />
          }
        >
          <Lines
            {...{ name: name(), label: nameOf(app, props.held), fetch: fetch(), ends: ends(), focus: focus() }}
            {...tokens()}
          />
        </Show>
      </div>
      <ValueLegend
        {...{ ends: ends(), value: props.held.shown.value, isRollout: isRollout(), isDifference: isDifference() }}
      />
      <Formula cell={cell()} held={props.held} store={props.store} {...tokens()} />
    </div>
  );
};
