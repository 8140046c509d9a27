import { createEffect, createMemo, createSignal, For, Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { clearedContext } from '../../look/canvas.js';
import { localTiles } from '../../look/local-tiles.js';
import { bitmapOf, imageOf, paint, type Ends } from '../../look/matrix-image.js';
import { shrunk, type Matrix } from '../../look/matrix.js';
import { compact } from '../../look/numbers.js';
import { visible } from '../../look/token-text.js';
import { MatrixView, type MatrixCell } from '../../shell/matrix-view.jsx';
import { Panel } from '../../shell/panel.jsx';
import { ScaleStrip } from '../../shell/scale-strip.jsx';
import { useLook } from '../program/use-look.js';
import { patternNear, patternSites, readPattern, type Pattern } from './patterns.js';

const side = 54;
const ends: Ends = { from: 0, to: 1 };

/** A head at a glance. */
const Small = (props: {
  readonly head: number;
  readonly matrix: Matrix;
  readonly isChosen: boolean;
  readonly choose: () => void;
}): JSX.Element => {
  const app = useApp();
  let canvas: HTMLCanvasElement | undefined;
  createEffect(() => {
    const c = canvas && clearedContext(canvas, { width: side, height: side });
    if (!c) return;
    const small = shrunk(props.matrix, Math.ceil(side * devicePixelRatio));
    paint(c, bitmapOf(imageOf(small, app.palette().sequential, ends)), [0, 0, side, side]);
  });
  return (
    <button
      class="plain pattern-head"
      aria-pressed={props.isChosen}
      aria-label={app.t().live.head(props.head)}
      onClick={() => props.choose()}
    >
      <canvas ref={canvas} />
      <span class="small">{props.head}</span>
    </button>
  );
};

/** Texts along the axes: the last tokens of the sequence; of cross-attention the source's are not known. */
const useTexts = (pattern: () => Pattern, matrix: () => Matrix) => {
  const app = useApp();
  const own = (count: number): readonly string[] | undefined => {
    const tokens = app.debugging.view().state?.tokens ?? [];
    return tokens.length < count ? undefined : tokens.slice(tokens.length - count).map(({ text }) => visible(text));
  };
  return {
    rows: () => own(matrix().rows),
    columns: () => (pattern().site.includes('cross_attn') ? undefined : own(matrix().columns)),
  };
};

/** One head large: what each token takes from which. */
const Large = (props: { readonly pattern: Pattern; readonly head: number; readonly matrix: Matrix }): JSX.Element => {
  const app = useApp();
  const [cell, setCell] = createSignal<MatrixCell>();
  const texts = useTexts(
    () => props.pattern,
    () => props.matrix,
  );
  const name = (all: readonly string[] | undefined, i: number): string => (all ? `${i} ${all[i] ?? ''}` : String(i));
  const told = (): string | undefined => {
    const at = cell();
    if (!at) return undefined;
    const x = props.matrix.data[at.row * props.matrix.columns + at.column];
    return `${name(texts.rows(), at.row)} → ${name(texts.columns(), at.column)}: ${compact(x)}`;
  };
  return (
    <>
      <h3 class="head-name">{app.t().live.head(props.head)}</h3>
      <div class="value-picture" style={{ height: `${58 + Math.min(322, 34 * props.matrix.rows)}px` }}>
        <MatrixView
          {...{ id: 'pattern-map', label: `${props.pattern.site}. ${app.t().attention.mapKeys}` }}
          name={JSON.stringify([props.pattern.site, props.head, app.debugging.view().state?.revision])}
          {...{ rows: props.matrix.rows, columns: props.matrix.columns, fetch: localTiles(props.matrix) }}
          {...{ colors: app.palette().sequential, ends, rowTexts: texts.rows(), columnTexts: texts.columns() }}
          onPoint={setCell}
        />
      </div>
      <div class="legend small">
        <span class="soft">{app.t().live.takes}</span>
        <span>0</span>
        <ScaleStrip kind="sequential" />
        <span>1</span>
      </div>
      <p class="small formula" aria-live="polite">
        {told() ?? <span class="soft">{app.t().attention.pointAt}</span>}
      </p>
    </>
  );
};

/** A layer's pattern, the heads that are seen of it, and the one that is large. */
const usePattern = () => {
  const app = useApp();
  const names = createMemo(() => patternSites(app.program.sites()));
  const [chosen, choose] = createSignal<string>();
  const [head, setHead] = createSignal(0);
  const [isAlone, setAlone] = createSignal(false);
  const site = () => chosen() ?? patternNear(names(), app.debugging.view().state?.layer);
  const seen = useLook(
    async (signal) => {
      const of = site();
      if (of === undefined) return undefined;
      const pattern = await readPattern(app.debugging, { site: of, head: head() }, signal);
      setAlone(pattern.heads.length < pattern.count);
      return pattern;
    },
    () => JSON.stringify([site(), isAlone() ? head() : 0]),
  );
  const pattern = () => seen().value;
  const shown = (): number => Math.min(head(), (pattern()?.count ?? 1) - 1);
  const matrix = () => pattern()?.heads[shown() - (pattern()?.from ?? 0)];
  return { names, chosen, choose, site, seen, pattern, shown, matrix, isAlone, setHead };
};
type Shown = ReturnType<typeof usePattern>;

/** Which layer, and, where its heads are too large to be seen at once, which of them. */
const Choice = (props: { readonly of: Shown }): JSX.Element => {
  const t = useApp().t;
  return (
    <div class="value-choice">
      <select
        class="mono"
        id="pattern-site"
        aria-label={t().live.patternSite}
        value={props.of.site()}
        onChange={(event) => props.of.choose(event.currentTarget.value)}
      >
        <For each={props.of.names()}>{(name) => <option value={name}>{name}</option>}</For>
      </select>
      <Show when={props.of.chosen()}>
        <button class="small" title={t().live.followHint} onClick={() => props.of.choose(undefined)}>
          {t().live.follow}
        </button>
      </Show>
      <Show when={props.of.isAlone()}>
        <label class="small">
          {t().live.headNumber}{' '}
          <input
            class="index"
            type="number"
            min="0"
            max={(props.of.pattern()?.count ?? 1) - 1}
            value={props.of.shown()}
            onChange={(event) => props.of.setHead(Math.max(0, event.currentTarget.valueAsNumber || 0))}
          />
        </label>
      </Show>
    </div>
  );
};

const Heads = (props: { readonly of: Shown; readonly pattern: Pattern }): JSX.Element => {
  const t = useApp().t;
  return (
    <div class="scrolls">
      <Show when={props.pattern.heads.length > 1}>
        <div class="pattern-heads" role="group" aria-label={t().live.heads}>
          <For each={props.pattern.heads}>
            {(one, i) => (
              <Small
                {...{ head: i(), matrix: one, isChosen: i() === props.of.shown() }}
                choose={() => props.of.setHead(i())}
              />
            )}
          </For>
        </div>
      </Show>
      <Show when={props.of.matrix()}>
        {(one) => <Large pattern={props.pattern} head={props.of.shown()} matrix={one()} />}
      </Show>
    </div>
  );
};

/** What the heads of a layer of the run look at, where its attention gives that away. */
export const PatternsPanel = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().live;
  const of = usePattern();
  const why = (): string => (app.debugging.isOpen() ? t().noPatterns : t().noValue);
  return (
    <Panel id="patterns" title={app.t().attention.title} help={t().patternsHelp} grows>
      <Show when={of.names().length > 0} fallback={<p class="soft">{why()}</p>}>
        <Choice of={of} />
        <Show when={of.seen().mistake}>{(mistake) => <p class="soft">{mistake()}</p>}</Show>
        <Show when={of.pattern()}>{(pattern) => <Heads of={of} pattern={pattern()} />}</Show>
      </Show>
    </Panel>
  );
};
