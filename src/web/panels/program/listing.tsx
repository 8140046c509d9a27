import { createEffect, createMemo, createSignal, For, on, onCleanup, onMount, Show, type JSX } from 'solid-js';
import type { SessionPoint } from '../../../protocol/index.js';
import { useApp, type App } from '../../app.js';
import { watchSize } from '../../look/canvas.js';
import { layerOf } from '../../look/names.js';
import { letterOf, runKeyOf } from '../../shell/run-keys.js';
import { withPoint } from '../../state/points.js';
import { lineOfPart, linesInSight, lineToStop, partsOf, scrollToLine, type Line } from './listing-lines.js';

/** Height of a line in pixels, as in the style sheet. */
const each = 18;
/** Lines that PageUp and PageDown move by. */
const page = 20;

/** The breakpoint that a line shows: one that is on before one that is off. */
const pointOf = (app: App, line: number): SessionPoint | undefined => {
  const all = app.debugging.settings().points.filter((point) => point.line === line);
  return all.find((point) => point.on) ?? all[0];
};

/** Sets or removes a breakpoint at the first line from this one on at which a run can stand. */
const toggleAt = (app: App, lines: readonly Line[], line: number): void => {
  const at = lineToStop(lines, line);
  if (at === undefined) return;
  const there = pointOf(app, at);
  if (there) app.debugging.set((all) => ({ ...all, points: all.points.filter((point) => point.id !== there.id) }));
  else app.debugging.set((all) => withPoint(all, { line: at }));
};

/** Opens the editor of a line's breakpoint; where there is none, one is set. */
const editAt = (app: App, lines: readonly Line[], line: number): void => {
  const at = lineToStop(lines, line);
  if (at === undefined) return;
  if (!pointOf(app, at)) app.debugging.set((all) => withPoint(all, { line: at }));
  app.debugging.edit(pointOf(app, at)?.id);
};

/** Goes to a line: in the layer that the run is in, if the line is one of its. */
const goTo = async (app: App, line: number): Promise<void> => {
  const { places } = await app.debugging.look({ ask: 'places', source: 'listing', line });
  const here = app.debugging.view().state?.place;
  const place = places.find(({ label }) => label === here) ?? places[0];
  if (place) app.debugging.move({ kind: 'goto', position: place.position });
};

/** The mark of a breakpoint: filled or hollow, a diamond where it writes instead of stopping. */
const Mark = (props: { readonly point: SessionPoint | undefined; readonly isRefused: boolean }): JSX.Element => (
  <Show when={props.point}>
    {(point) => (
      <span
        class="point-mark"
        classList={{
          off: !point().on,
          log: point().log !== undefined,
          when: point().condition !== undefined || point().hits !== undefined,
          refused: props.isRefused,
        }}
      />
    )}
  </Show>
);

interface RowProps {
  readonly number: number;
  readonly lines: readonly Line[];
  readonly isCursor: boolean;
  readonly choose: () => void;
}

const Row = (props: RowProps): JSX.Element => {
  const app = useApp();
  const t = () => app.t().program;
  const line = () => props.lines[props.number - 1];
  const parts = createMemo(() => partsOf(line()?.text ?? ''));
  const point = createMemo(() => pointOf(app, props.number));
  const view = app.debugging.view;
  const isHere = () => view().state?.line === props.number;
  const isFrame = () => {
    const frame = app.debugging.frame();
    return frame?.line === props.number && frame.kind !== 'step' && frame.kind !== 'generation';
  };
  const refusal = () => view().refused.find(({ what }) => what === point()?.id);
  const refused = () => {
    const error = refusal()?.error;
    return error && app.t().told.error(error).message;
  };
  const layer = (): string | number | undefined =>
    isHere() ? (layerOf(view().state?.place ?? '') ?? view().state?.layer) : undefined;
  const label = () =>
    [
      t().line(props.number, parts().code.trim()),
      ...(point() ? [t().hasPoint] : []),
      ...(isHere() ? [t().here] : []),
    ].join(', ');
  return (
    <div
      class="line"
      id={`line-${props.number}`}
      role="option"
      aria-selected={props.isCursor}
      aria-label={label()}
      aria-current={isHere() ? 'step' : undefined}
      classList={{ here: isHere(), frame: isFrame() && !isHere(), cursor: props.isCursor }}
      style={{ transform: `translateY(${(props.number - 1) * each}px)` }}
      onClick={() => props.choose()}
    >
      <span
        class="gutter"
        classList={{ stops: line()?.stops ?? false }}
        title={refused() ?? (line()?.stops ? t().gutter(props.number) : undefined)}
        onClick={() => toggleAt(app, props.lines, props.number)}
        onContextMenu={(event) => {
          event.preventDefault();
          editAt(app, props.lines, props.number);
        }}
      >
        <Mark point={point()} isRefused={refusal() !== undefined} />
        <span class="line-number">{props.number}</span>
      </span>
      <Show when={isHere()}>
        <span class="here-mark" aria-hidden="true">
          ▶{layer() === undefined ? '' : ` L${layer() ?? ''}`}
        </span>
      </Show>
      <span class="code">{parts().code}</span>
      <span class="shape soft">{parts().shape}</span>
    </div>
  );
};

/** Keeps a line in sight: that of the frame, or, where somebody chose a layer elsewhere, the layer's. */
const useScroll = (lines: () => readonly Line[], show: (line: number) => void): void => {
  const app = useApp();
  const { frame, view } = app.debugging;
  createEffect(
    on([frame, () => view().state?.revision, () => lines().length > 0], ([at]) => {
      if (at && at.kind !== 'step' && at.kind !== 'generation') show(at.line);
    }),
  );
  createEffect(
    on(
      () => app.session.store.focus?.after,
      (part) => {
        const at = part === undefined || part === view().state?.place ? undefined : lineOfPart(lines(), part);
        if (at !== undefined) show(at);
      },
      { defer: true },
    ),
  );
};

interface Keyed {
  readonly lines: () => readonly Line[];
  readonly cursor: () => number;
  readonly show: (line: number) => void;
}

/** Arrows move the cursor, Enter goes on to its line; the keys of the run, and gdb's letters. */
const useListingKeys = ({ lines, cursor, show }: Keyed) => {
  const app = useApp();
  const moved = (by: number): void => show(Math.min(lines().length, Math.max(1, cursor() + by)));
  const keys: Readonly<Record<string, () => void>> = {
    ArrowDown: () => moved(1),
    ArrowUp: () => moved(-1),
    PageDown: () => moved(page),
    PageUp: () => moved(-page),
    Home: () => show(1),
    End: () => show(lines().length),
    Enter: () => void goTo(app, cursor()).catch(() => undefined), // no run is open
    e: () => editAt(app, lines(), cursor()),
    ContextMenu: () => editAt(app, lines(), cursor()),
  };
  return (event: KeyboardEvent): void => {
    const action = runKeyOf(event) ?? letterOf(event);
    const act = event.ctrlKey || event.metaKey || event.altKey ? undefined : keys[event.key];
    if (!action && !act) return;
    event.preventDefault();
    if (action === 'breakpoint') toggleAt(app, lines(), cursor());
    else if (action) app.debugging.do(action);
    else act?.();
  };
};

/** The program, an operation a line. Of thousands of lines only those in sight are there. */
export const Listing = (props: { readonly lines: readonly Line[] }): JSX.Element => {
  const app = useApp();
  let box: HTMLDivElement | undefined;
  const [top, setTop] = createSignal(0);
  const [height, setHeight] = createSignal(0);
  const [cursor, setCursor] = createSignal(1);
  const sight = () => ({ top: top(), height: height(), each });
  const shown = createMemo(
    () => {
      const { from, to } = linesInSight(props.lines.length, sight());
      return Array.from({ length: to - from }, (_, i) => from + i + 1);
    },
    [],
    { equals: (a, b) => a[0] === b[0] && a.length === b.length },
  );
  const show = (line: number): void => {
    setCursor(line);
    if (box && height() > 0) box.scrollTop = scrollToLine(line, sight());
  };
  onMount(() => box && onCleanup(watchSize(box, (size) => setHeight(size.height))));
  useScroll(() => props.lines, show);
  createEffect(on(height, (now) => now > 0 && show(app.debugging.frame()?.line ?? cursor())));
  const widest = createMemo(() => Math.max(0, ...props.lines.map(({ text }) => partsOf(text).code.length)) + 48);
  const press = useListingKeys({ lines: () => props.lines, cursor, show });
  return (
    <div
      ref={box}
      id="listing"
      class="listing mono"
      role="listbox"
      tabindex="0"
      aria-label={app.t().program.listing}
      aria-activedescendant={`line-${cursor()}`}
      onScroll={(event) => setTop(event.currentTarget.scrollTop)}
      onKeyDown={press}
    >
      <div class="lines" style={{ height: `${props.lines.length * each}px`, 'min-width': `${widest()}ch` }}>
        <For each={shown()}>
          {(number) => (
            <Row number={number} lines={props.lines} isCursor={number === cursor()} choose={() => setCursor(number)} />
          )}
        </For>
      </div>
    </div>
  );
};
