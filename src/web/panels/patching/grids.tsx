import { createMemo, For, Show, type JSX } from 'solid-js';
import type { PatchGrid, PatchResult } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { localTiles } from '../../look/local-tiles.js';
import type { Ends } from '../../look/matrix-image.js';
import { compact } from '../../look/numbers.js';
import { MatrixView, type MatrixCell } from '../../shell/matrix-view.jsx';
import { ScaleStrip } from '../../shell/scale-strip.jsx';
import { columnName, endsOf, gridId, layerName, matrixOf, neutralOf, offeredName, type Place } from './data.js';
import type { Looked } from './looked.js';

/** Room for the texts along the picture, and how wide it is at the least. */
const [texts, usualWidth] = [58, 400];

/** Pixels that a grid is high: as many as its rows need where all of its columns are seen. */
const heightOf = ({ layers, columns }: PatchGrid): number =>
  texts +
  Math.max(44, Math.min(420, layers.length * Math.min(26, Math.max(10, (usualWidth - texts) / columns.length))));

interface GridProps {
  readonly grid: PatchGrid;
  readonly result: PatchResult;
  readonly ends: Ends;
  readonly looked: Looked;
}

/** One kind of site: a row a layer, the last on top, a column a position, head or neuron. */
const Grid = (props: GridProps): JSX.Element => {
  const app = useApp();
  const t = () => app.t().patching;
  const matrix = createMemo(() => matrixOf(props.grid));
  const placeOf = ({ row, column }: MatrixCell): Place => ({
    ...{ grid: props.grid, layer: props.grid.layers.length - 1 - row, column },
  });
  const focusRow = (): number | undefined => {
    const layer = props.grid.layers.indexOf(app.focus()?.after ?? '');
    return layer < 0 ? undefined : props.grid.layers.length - 1 - layer;
  };
  const focusColumn = (): number | undefined => {
    const column = props.grid.columns.findIndex((c) => props.looked.isAt(props.grid, c));
    return column < 0 ? undefined : column;
  };
  const name = (): string => t().siteNames[offeredName(props.grid.site)] ?? props.grid.site;
  return (
    <section class="patch-grid">
      <h3>
        {name()} <span class="soft mono small">{props.grid.site}</span>
      </h3>
      <div
        class="patch-picture"
        style={{ height: `${heightOf(props.grid)}px` }}
        onFocusOut={() => app.point(undefined)}
      >
        <MatrixView
          {...{ id: gridId(props.grid), label: `${t().grid(name())}. ${t().keys}` }}
          name={JSON.stringify([props.grid.site, props.grid.effect])}
          {...{ rows: props.grid.layers.length, columns: props.grid.columns.length, fetch: localTiles(matrix()) }}
          {...{ colors: app.palette().diverging, ends: props.ends }}
          rowTexts={[...props.grid.layers].reverse().map(layerName)}
          columnTexts={props.grid.columns.map(columnName)}
          {...{ focusRow: focusRow(), focusColumn: focusColumn() }}
          onPoint={(cell) => props.looked.point(cell && placeOf(cell))}
          onChoose={(cell) => props.looked.go(placeOf(cell))}
        />
      </div>
    </section>
  );
};

/** All grids on one scale, and what is told of the cell that is pointed at. */
export const Grids = (props: { readonly result: PatchResult; readonly looked: Looked }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().patching;
  const ends = createMemo(() => endsOf(props.result));
  return (
    <>
      <div class="patch-told">
        <div class="legend small">
          <span class="soft">{props.result.effect === 'share' ? t().share : t().change}</span>
          <span class="number">{compact(ends().from)}</span>
          <ScaleStrip kind="diverging" />
          <span class="number">{compact(ends().to)}</span>
          <Show when={neutralOf(props.result) !== 0}>
            <span class="soft">{t().middle(compact(neutralOf(props.result)))}</span>
          </Show>
          <Show when={props.result.method === 'attribution'}>
            <strong class="guess" id="patch-guess">
              {t().guess}
            </strong>
          </Show>
        </div>
        <output class="small" id="patch-told">
          {props.looked.told() ?? <span class="soft">{t().point}</span>}
        </output>
      </div>
      <For each={props.result.grids}>
        {(grid) => <Grid grid={grid} result={props.result} ends={ends()} looked={props.looked} />}
      </For>
    </>
  );
};
