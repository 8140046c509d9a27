import { createEffect, createMemo, createSignal, For, on, onCleanup, onMount, Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { makeLatest } from '../../link/latest.js';
import { watchSize } from '../../look/canvas.js';
import { categories } from '../../look/color.js';
import { rowName } from '../../look/names.js';
import { compact, percent } from '../../look/numbers.js';
import { visible } from '../../look/token-text.js';
import { Panel } from '../../shell/panel.jsx';
import {
  curvesOf,
  followedWords,
  leadersOf,
  pathOf,
  readResidual,
  type Leader,
  type Residual,
  type ResidualRequest,
} from './data.js';

const useResidual = () => {
  const app = useApp();
  const [residual, setResidual] = createSignal<Residual>();
  const reads = makeLatest(
    async (request: ResidualRequest, signal: AbortSignal) => {
      const client = app.session.client();
      if (client) setResidual(await readResidual(client, request, signal));
    },
    () => setResidual(undefined),
    { supersede: 'stop', quietMs: 60 },
  );
  createEffect(
    on([app.results.shown, () => app.focus()?.position, () => app.results.word()?.id], ([request, position, word]) => {
      const result = app.results.compare();
      if (!request || !result || position === undefined || result.after.labels) return;
      reads.ask({ request, result, position, words: followedWords(result, word, position) });
    }),
  );
  return residual;
};

const margin = { left: 40, right: 10, top: 8, bottom: 22 };
const chartHeight = 190;
const colorOf = (word: number): string => categories[word % categories.length] ?? '';

/** Probabilities over layers, a line a word: solid with the edits, dashed without. */
const Chart = (props: { readonly of: Residual }): JSX.Element => {
  const app = useApp();
  const [width, setWidth] = createSignal(0);
  let space: HTMLDivElement | undefined;
  onMount(() => space && onCleanup(watchSize(space, (size) => setWidth(size.width))));
  const rows = () => props.of.after.rows;
  const x = (i: number): number =>
    margin.left + (i * (width() - margin.left - margin.right)) / Math.max(1, rows().length - 1);
  const y = (p: number): number => margin.top + (1 - p) * (chartHeight - margin.top - margin.bottom);
  const every = () => Math.max(1, Math.ceil((28 * rows().length) / Math.max(1, width())));
  return (
    <div ref={space}>
      <svg class="chart" width={width()} height={chartHeight} role="img" aria-label={app.t().residual.chart}>
        <For each={[0, 0.25, 0.5, 0.75, 1]}>
          {(p) => (
            <>
              <line class="grid-line" x1={margin.left} x2={width() - margin.right} y1={y(p)} y2={y(p)} />
              <text class="tick" x={margin.left - 5} y={y(p) + 4} text-anchor="end">
                {100 * p} %
              </text>
            </>
          )}
        </For>
        <For each={rows()}>
          {(row, i) => (
            <Show when={i() % every() === 0}>
              <text class="tick" x={x(i())} y={chartHeight - 6} text-anchor="middle">
                {rowName(row.after)}
              </text>
            </Show>
          )}
        </For>
        <For each={curvesOf(props.of)}>
          {(curve) => (
            <path
              class="curve"
              classList={{ before: curve.isBefore }}
              stroke={colorOf(curve.word)}
              d={pathOf(curve.points, (i, p) => [x(i), y(p)])}
            />
          )}
        </For>
      </svg>
    </div>
  );
};

/** Which colour is which word, and how the lines differ. */
const Key = (props: { readonly of: Residual }): JSX.Element => {
  const app = useApp();
  const lines = (): string => {
    if (!app.results.shown()?.other) return app.t().residual.lines;
    return app.side() === 'b' ? app.t().beside.linesTurned : app.t().beside.lines;
  };
  return (
    <div class="chart-key">
      <For each={props.of.after.words}>
        {(word, i) => (
          <span class="mono">
            <svg width="18" height="8" aria-hidden="true">
              <line x1="0" x2="18" y1="4" y2="4" stroke={colorOf(i())} stroke-width="3" />
            </svg>{' '}
            {visible(word.text)}
          </span>
        )}
      </For>
      <Show when={props.of.before}>
        <span class="soft small">{lines()}</span>
      </Show>
    </div>
  );
};

/** The latest leaders; of more than these the first are not named. */
const mostLeaders = 6;

/** Which word leads where, in one line: where the answer appears, and where it is lost. */
const Leaders = (props: { readonly of: Residual }): JSX.Element => {
  const app = useApp();
  const all = createMemo(() => leadersOf(props.of.after));
  const layers = ({ from, to }: Leader): string => (from === to ? rowName(from) : `${rowName(from)}–${rowName(to)}`);
  return (
    <p class="leaders" id="leaders">
      <span class="soft small">{app.t().residual.leads}</span> {all().length > mostLeaders ? '… → ' : ''}
      <For each={all().slice(-mostLeaders)}>
        {(leader, i) => (
          <>
            {i() > 0 ? ' → ' : ''}
            <button class="plain leader" onClick={() => app.look({ after: leader.from, head: undefined })}>
              <span class="mono">{visible(leader.text)}</span> <span class="soft small">{layers(leader)}</span>
            </button>
          </>
        )}
      </For>
    </p>
  );
};

/** A layer of the other run, where how two differ is looked at. */
const useOther = (props: { readonly of: Residual }) => {
  const app = useApp();
  return (after: string) =>
    app.side() === 'difference' ? props.of.before?.rows.find((row) => row.after === after)?.cells[0] : undefined;
};

const less = (b: number | null | undefined, a: number | null | undefined): number | undefined =>
  b === null || b === undefined || a === null || a === undefined ? undefined : b - a;

/** What the model would say after each layer, the last on top, with the size of the stream. */
const Rows = (props: { readonly of: Residual }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().residual;
  const other = useOther(props);
  /** A's likeliest words, or the likeliest of A and of B. */
  const words = ({ after, cells }: Residual['after']['rows'][number]) => {
    const [own, theirs] = [cells[0]?.top ?? [], other(after)?.top[0]];
    return theirs ? [...own.slice(0, 1), theirs] : own.slice(0, 2);
  };
  const number = (after: string, own: number | null | undefined, theirs: number | null | undefined): string =>
    compact(other(after) ? less(theirs, own) : own);
  return (
    <table class="parts residual-rows">
      <thead>
        <tr>
          <th>{t().after}</th>
          <th>{t().says}</th>
          <th class="number">‖x‖</th>
          <th class="number">{t().change}</th>
        </tr>
      </thead>
      <tbody>
        <For each={[...props.of.after.rows].reverse()}>
          {(row) => (
            <tr aria-selected={row.after === app.focus()?.after}>
              <td>
                <button class="plain" onClick={() => app.look({ after: row.after, head: undefined })}>
                  {rowName(row.after)}
                </button>
              </td>
              <td class="mono words">
                <For each={words(row)}>
                  {(token, i) => (
                    <span>
                      {i() > 0 && other(row.after) ? '→ ' : ''}
                      {visible(token.text)} <span class="soft small">{percent(token.probability)}</span>{' '}
                    </span>
                  )}
                </For>
              </td>
              <td class="number">{number(row.after, row.cells[0]?.norm, other(row.after)?.norm)}</td>
              <td class="number">{number(row.after, row.cells[0]?.change, other(row.after)?.change)}</td>
            </tr>
          )}
        </For>
      </tbody>
    </table>
  );
};

/** How the answer comes about at the token in focus, layer by layer. */
export const ResidualPanel = (): JSX.Element => {
  const app = useApp();
  const residual = useResidual();
  const heading = (): string => {
    const position = app.focus()?.position ?? 0;
    return app.t().residual.heading(position, visible(app.results.board()?.tokens[position]?.text ?? ''));
  };
  return (
    <Panel id="residual" title={heading()} help={app.t().residual.help} differs grows>
      <Show when={app.results.compare()?.after.labels}>
        <p class="soft">{app.t().board.noWords}</p>
      </Show>
      <Show when={app.results.compare()?.after.labels ? undefined : residual()}>
        {(of) => (
          <div class="scrolls">
            <Chart of={of()} />
            <Key of={of()} />
            <Leaders of={of()} />
            <Rows of={of()} />
          </div>
        )}
      </Show>
    </Panel>
  );
};
