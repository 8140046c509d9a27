import { createMemo, createSignal, For, Index, Show, type JSX } from 'solid-js';
import { useApp, type App } from '../../app.js';
import { localTiles } from '../../look/local-tiles.js';
import { compact } from '../../look/numbers.js';
import { Histogram } from '../../shell/histogram.jsx';
import { MatrixView, type MatrixCell } from '../../shell/matrix-view.jsx';
import { NumberList } from '../../shell/number-list.jsx';
import { Panel } from '../../shell/panel.jsx';
import { ScaleStrip } from '../../shell/scale-strip.jsx';
import type { ChosenValue, LookedBytes } from '../../state/debugging.js';
import { useLook } from '../program/use-look.js';

/** A value as it was seen, and of what. */
interface Seen extends LookedBytes<'picture'> {
  readonly of: ChosenValue;
}

/** What is looked at where nothing was chosen: what the module gives where the run stands, else what it takes. */
const nearestValue = async (app: App, signal: AbortSignal): Promise<ChosenValue | undefined> => {
  const frame = app.debugging.frame()?.kind ?? 'module';
  const { scopes } = await app.debugging.look({ ask: 'scopes', frame }, signal);
  for (const scope of ['outputs', 'inputs', 'sites'] as const) {
    if (!scopes.some((s) => s.scope === scope)) continue;
    const { items } = await app.debugging.look({ ask: 'scope', scope, frame, start: 0, count: 20 }, signal);
    const item = items.find(({ ref, part }) => ref !== undefined && part);
    if (item?.ref !== undefined) return { ref: item.ref, at: [] };
  }
  return undefined;
};

const useSeen = () => {
  const app = useApp();
  const { value, frameIndex, lookBytes } = app.debugging;
  return useLook(
    async (signal): Promise<Seen | undefined> => {
      const of = value() ?? (await nearestValue(app, signal));
      if (!of) return undefined;
      return { ...(await lookBytes({ ask: 'picture', ref: of.ref, at: [...of.at] }, signal)), of };
    },
    () => JSON.stringify([value(), value() ? 0 : frameIndex()]),
  );
};

/** Pixels that a picture is high: a wide matrix needs no more than it is high where all of it is seen. */
const pictureHeight = ({ rows, columns }: { readonly rows: number; readonly columns: number }): number => {
  const [texts, width, most] = [58, 480, 300];
  return texts + Math.max(40, Math.min(most, (rows * width) / columns));
};

/** The pixels; a single row as a band that can be seen. */
const matrixOf = ({ pixels: { rows, columns }, bytes }: Seen) => {
  const data = new Float32Array(bytes.slice().buffer);
  const times = rows === 1 ? Math.ceil(columns / 12) : 1;
  const band = Float32Array.from({ length: data.length * times }, (_, i) => data[i % data.length] ?? 0);
  return { rows: rows * times, columns, data: band, isBand: times > 1 };
};

/** Indices of the axes before the last two, which the picture shows. */
const Indices = (props: { readonly seen: Seen }): JSX.Element => {
  const app = useApp();
  const before = () => props.seen.shape.slice(0, -2);
  const set = (axis: number, index: number): void => {
    const at = before().map((extent, i) => {
      const next = i === axis ? index : (props.seen.of.at[i] ?? 0);
      return Math.min(extent - 1, Math.max(0, Number.isFinite(next) ? next : 0));
    });
    app.debugging.chooseValue({ ref: props.seen.of.ref, at });
  };
  return (
    <Index each={before()}>
      {(extent, i) => (
        <Show when={extent() > 1}>
          <label class="small">
            {props.seen.axes[i] ?? ''}{' '}
            <input
              class="index"
              type="number"
              min="0"
              max={extent() - 1}
              value={props.seen.of.at[i] ?? 0}
              onChange={(event) => set(i, event.currentTarget.valueAsNumber)}
            />
            <span class="soft"> / {extent()}</span>
          </label>
        </Show>
      )}
    </Index>
  );
};

const Picture = (props: { readonly seen: Seen }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().live;
  const matrix = createMemo(() => matrixOf(props.seen));
  const [cell, setCell] = createSignal<MatrixCell>();
  const most = (): number => {
    const { min, max } = props.seen.stats;
    return Math.max(Math.abs(min ?? 0), Math.abs(max ?? 0), 1e-12);
  };
  const each = () => 2 ** props.seen.pixels.level;
  const axes = () => [props.seen.axes.at(-2) ?? '', props.seen.axes.at(-1) ?? ''];
  const told = (): string | undefined => {
    const at = cell();
    if (!at) return undefined;
    const [row, column] = axes();
    const line = row === '' || matrix().isBand ? '' : `${row} ${at.row * each()}, `;
    const where = `${line}${column} ${at.column * each()}`;
    return `${where}: ${compact(matrix().data[at.row * matrix().columns + at.column])}`;
  };
  return (
    <>
      <div class="value-picture" style={{ height: `${pictureHeight(matrix())}px` }}>
        <MatrixView
          {...{ id: 'value-picture', label: `${props.seen.of.ref}. ${app.t().attention.mapKeys}` }}
          name={JSON.stringify([props.seen.of, app.debugging.view().state?.revision])}
          {...{ rows: matrix().rows, columns: matrix().columns, fetch: localTiles(matrix()) }}
          colors={app.palette().diverging}
          rowTexts={matrix().isBand ? Array.from({ length: matrix().rows }, () => '') : undefined}
          ends={{ from: -most(), to: most() }}
          onPoint={setCell}
        />
      </div>
      <div class="legend small">
        <span class="soft">{axes().filter(Boolean).join(' × ')}</span>
        <span>−{compact(most())}</span>
        <ScaleStrip kind="diverging" />
        <span>{compact(most())}</span>
      </div>
      <p class="small formula" aria-live="polite">
        {told() ?? <span class="soft">{app.t().attention.pointAt}</span>}
      </p>
      <Show when={each() > 1}>
        <p class="soft small">{t().pixels(each())}</p>
      </Show>
    </>
  );
};

const Numbers = (props: { readonly seen: Seen }): JSX.Element => {
  const app = useApp();
  const rows = (): readonly (readonly [string, string])[] => {
    const { stats, dtype, shape, axes } = props.seen;
    const t = app.t().weights;
    return [
      [app.t().live.shape, shape.map((n, i) => `${axes[i] ?? ''} ${n}`.trim()).join(' × ')],
      [app.t().live.range, `${compact(stats.min)} … ${compact(stats.max)}`],
      [t.mean, compact(stats.mean)],
      [t.std, compact(stats.std)],
      [t.norm, compact(stats.norm)],
      [t.broken, String(stats.nan + stats.inf)],
      [t.stored, dtype],
    ];
  };
  return <NumberList rows={rows()} />;
};

/** Which value is looked at. What is being written stays, whatever the run comes to meanwhile. */
const NameField = (props: { readonly name: string }): JSX.Element => {
  const app = useApp();
  const [typed, setTyped] = createSignal<string>();
  /** What stood there when it got the focus: a name that came in under a selection would be written behind. */
  const [held, setHeld] = createSignal<string>();
  const choose = (): void => {
    const ref = typed()?.trim();
    setTyped(undefined);
    setHeld(undefined);
    if (ref !== undefined) app.debugging.chooseValue(ref === '' ? undefined : { ref, at: [] });
  };
  return (
    <>
      <input
        id="value-name"
        class="mono"
        list="value-names"
        spellcheck={false}
        autocomplete="off"
        value={typed() ?? held() ?? props.name}
        placeholder={app.t().live.valueName}
        aria-label={app.t().live.valueName}
        onFocus={(event) => setHeld(event.currentTarget.value)}
        onBlur={() => setHeld(undefined)}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onChange={choose}
        onKeyDown={(event) => event.key === 'Enter' && choose()}
      />
      <datalist id="value-names">
        <For each={app.program.sites()}>{({ name }) => <option value={name} />}</For>
      </datalist>
    </>
  );
};

/** One value of the run as a picture, with its numbers and their distribution; it follows the run from stop to stop. */
export const ValuePanel = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().live;
  const seen = useSeen();
  return (
    <Panel id="value" title={t().value} help={t().valueHelp} grows>
      <div class="value-choice">
        <NameField name={app.debugging.value()?.ref ?? seen().value?.of.ref ?? ''} />
        <Show when={app.debugging.value()}>
          <button class="small" title={t().followHint} onClick={() => app.debugging.chooseValue(undefined)}>
            {t().follow}
          </button>
        </Show>
        <Show when={seen().value}>{(of) => <Indices seen={of()} />}</Show>
      </div>
      <Show when={seen().mistake}>{(why) => <p class="mistake">{why()}</p>}</Show>
      <Show
        when={seen().value}
        fallback={<p class="soft">{app.debugging.isOpen() && seen().mistake ? '' : t().noValue}</p>}
      >
        {(of) => (
          <div class="scrolls">
            <Picture seen={of()} />
            <Histogram of={of().histogram} />
            <Numbers seen={of()} />
          </div>
        )}
      </Show>
    </Panel>
  );
};
