import { createEffect, createMemo, createSignal, on, onCleanup, onMount, Show, type JSX } from 'solid-js';
import { useApp, type App } from '../../app.js';
import { inks, watchSize } from '../../look/canvas.js';
import { compact } from '../../look/numbers.js';
import { visible } from '../../look/token-text.js';
import { ScaleStrip } from '../../shell/scale-strip.jsx';
import { levelFor, readCell, readHead, type AttentionRun, type LayerAttention, type Matrix } from './data.js';
import { drawLines, drawMap, mapCell, mapLayout, type HeadScene } from './draw.js';
import { makeLatest } from '../../link/latest.js';

interface Props {
  readonly layer: LayerAttention;
  readonly head: number;
  readonly as: 'map' | 'lines';
  readonly hidden: number;
  /** The run that the host holds the layer's values under. */
  readonly run: Omit<AttentionRun, 'signal'>;
  readonly scores: Omit<AttentionRun, 'signal'>;
  /** Whether the host holds the layer's pattern. */
  readonly isReady: boolean;
  /** Whether it holds the layer's scores. */
  readonly hasScores: boolean;
}

interface Cell {
  readonly query: number;
  readonly key: number;
}

const tokensOf = (app: App, layer: LayerAttention) => {
  const run = app.results.compare()?.after;
  const [source, own] = [run?.tokens ?? [], run?.target ?? run?.tokens ?? []];
  const isEncoder = layer.block.startsWith('encoder.');
  const [queries, keys] = [isEncoder ? source : own, isEncoder || layer.kind === 'cross' ? source : own];
  return { queries: queries.map((t) => t.text), keys: keys.map((t) => t.text) };
};

/** The picture of the head; a larger one than the grid has, where that was made small. */
const useMatrix = (props: Props) => {
  const [matrix, setMatrix] = createSignal<Matrix>();
  const reads = makeLatest(
    async ({ layer, head, run }: Pick<Props, 'layer' | 'head' | 'run'>, signal: AbortSignal) => {
      const level = levelFor(layer.queries, layer.keys);
      setMatrix(await readHead({ ...run, signal }, layer.site, { head, level }));
    },
    () => undefined, // the small picture stays
    { supersede: 'stop' },
  );
  createEffect(
    on([() => props.layer, () => props.head, () => props.isReady], ([layer, head, isReady]) => {
      setMatrix(layer.heads[head]);
      if (layer.level > 0 && isReady) reads.ask({ layer, head, run: props.run });
    }),
  );
  return matrix;
};

/** The exact numbers of the cell that is pointed at. */
const useNumbers = (props: Props) => {
  const [numbers, setNumbers] = createSignal<{ readonly score: number | undefined; readonly p: number | undefined }>();
  const reads = makeLatest(
    async ({ query, key }: Cell, signal: AbortSignal) => {
      const where = { head: props.head, query, [props.layer.kind === 'cross' ? 'source' : 'key']: key };
      const p = await readCell({ ...props.run, signal }, props.layer.site, where);
      setNumbers({ score: undefined, p });
      const score = await readCell({ ...props.scores, signal }, props.layer.site.replace(/pattern$/, 'scores'), where);
      setNumbers({ score, p });
    },
    () => undefined, // the scores may not be captured yet
    { supersede: 'wait' },
  );
  return { numbers, ask: reads.ask };
};

interface FormulaProps {
  readonly layer: LayerAttention;
  readonly cell: Cell | undefined;
  readonly numbers: { readonly score: number | undefined; readonly p: number | undefined } | undefined;
}

/** The formula with the numbers of the cell that is pointed at. */
const Formula = (props: FormulaProps): JSX.Element => {
  const app = useApp();
  const text = (cell: Cell): string => {
    const { queries, keys } = tokensOf(app, props.layer);
    const t = app.t().attention;
    const where = `${t.from(visible(queries[cell.query] ?? ''))} ${t.to(visible(keys[cell.key] ?? ''))}`;
    const { score, p } = props.numbers ?? {};
    if (score !== undefined && score < masked) return `${where}: ${t.masked}`;
    return `${where}: ${t.formula(score === undefined ? '…' : compact(score), p === undefined ? '…' : compact(p))}`;
  };
  return (
    <>
      <div class="legend small">
        <span class="soft">softmax(q·k/√d)</span>
        <span>0</span>
        <ScaleStrip kind="sequential" />
        <span>1</span>
      </div>
      <p class="small formula" id="formula" aria-live="polite">
        <Show when={props.cell} fallback={<span class="soft">{app.t().attention.pointAt}</span>}>
          {(cell) => <>{text(cell())}</>}
        </Show>
      </p>
    </>
  );
};

/** What stands for a masked score: the least number of float32. */
const masked = -3e38;

/** One head large: as a heatmap or as lines, with the numbers of the cell under the pointer. */
export const HeadView = (props: Props): JSX.Element => {
  const app = useApp();
  let canvas: HTMLCanvasElement | undefined;
  const [size, setSize] = createSignal({ width: 0, height: 0 });
  const [pointed, setPointed] = createSignal<Cell>();
  const matrix = useMatrix(props);
  const { numbers, ask } = useNumbers(props);
  // The numbers of the cell under the pointer come when the scores do.
  createEffect(
    on(
      () => props.hasScores,
      () => {
        const cell = pointed();
        if (cell) ask(cell);
      },
    ),
  );
  const layout = createMemo(() => mapLayout(size(), props.layer));
  onMount(() => canvas?.parentElement && onCleanup(watchSize(canvas.parentElement, setSize)));
  createEffect(() => {
    const picture = matrix();
    if (!canvas || !picture || size().width === 0) return;
    const scene: HeadScene = {
      ...{ size: size(), layout: layout(), matrix: picture, hidden: props.hidden, palette: app.palette() },
      ...tokensOf(app, props.layer),
      ...{ focus: app.focus()?.position, pointed: pointed(), ...inks() },
    };
    if (props.as === 'map') drawMap(canvas, scene);
    else drawLines(canvas, scene);
  });
  const point = (event: MouseEvent): void => {
    const cell = props.as === 'map' ? mapCell(layout(), event.offsetX, event.offsetY) : undefined;
    if (cell?.query === pointed()?.query && cell?.key === pointed()?.key) return;
    setPointed(cell);
    if (cell) ask(cell);
  };
  return (
    <div class="head-view">
      <div class="head-space">
        <canvas
          ref={canvas}
          id="head-map"
          role="img"
          aria-label={app.t().attention.head(`${props.layer.block} ${props.head}`)}
          onPointerMove={point}
          onPointerLeave={() => setPointed(undefined)}
          onClick={() => {
            const cell = pointed();
            if (cell && props.layer.block === app.focus()?.after) app.look({ position: cell.query });
          }}
        />
      </div>
      <Formula layer={props.layer} cell={pointed()} numbers={numbers()} />
    </div>
  );
};
