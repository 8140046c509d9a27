import { createEffect, createMemo, createSignal, For, on, Show, type JSX } from 'solid-js';
import type { ComponentPart, ComponentsResult } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { makeLatest } from '../../link/latest.js';
import { colorAt, css } from '../../look/color.js';
import { errorText } from '../../i18n/told.js';
import { compact } from '../../look/numbers.js';
import { visible } from '../../look/token-text.js';
import { Panel } from '../../shell/panel.jsx';
import { ScaleStrip } from '../../shell/scale-strip.jsx';
import { SignedBar } from '../../shell/signed-bar.jsx';
import { placeInB } from '../../state/two-runs.js';
import {
  componentsBetween,
  layersOf,
  readComponents,
  rowOfLayer,
  strongestOf,
  type ComponentsRequest,
} from './data.js';

const listed = 14;

/** The parts of the followed word's score at the token in focus, or why there are none. */
const useComponents = () => {
  const app = useApp();
  const [result, setResult] = createSignal<ComponentsResult>();
  const [cause, setCause] = createSignal<unknown>();
  const why = (): string | undefined => (cause() === undefined ? undefined : errorText(app.t(), cause()));
  const place = createMemo(() => placeInB(app));
  const reads = makeLatest(
    async ({ a, b }: { readonly a: ComponentsRequest; readonly b?: ComponentsRequest }, signal: AbortSignal) => {
      const client = app.session.client();
      if (!client) return;
      const own = await readComponents(client, a, signal);
      setResult(b ? componentsBetween(own, await readComponents(client, b, signal)) : own);
      setCause(undefined);
    },
    (error) => {
      setResult(undefined);
      setCause(error);
    },
    { supersede: 'stop', quietMs: 120 },
  );
  createEffect(
    on([app.results.shown, () => app.focus()?.position, () => app.results.word()?.id, place], ([request, at, word]) => {
      if (!request || at === undefined || word === undefined) return;
      const [two, a] = [place(), { request, position: at, word }];
      if (two === undefined) reads.ask({ a });
      else if (two.position === undefined) setResult(undefined);
      else reads.ask({ a, b: { request: two.b, position: two.position, word } });
    }),
  );
  return { result, why: () => (place() && place()?.position === undefined ? app.t().beside.noPlace : why()) };
};

const largestOf = ({ parts }: ComponentsResult): number =>
  parts.reduce((most, { value }) => Math.max(most, Math.abs(value)), 0) || 1;

/** Looks at a part's layer, and at its head. */
const useLook = () => {
  const app = useApp();
  return ({ layer, head }: ComponentPart): void => {
    if (layer !== undefined) app.look({ after: rowOfLayer(layer), head });
  };
};

const Cell = (props: { readonly of: ComponentPart; readonly largest: number }): JSX.Element => {
  const app = useApp();
  const look = useLook();
  const text = (): string => `${props.of.name}: ${compact(props.of.value)}`;
  const inFocus = (): boolean =>
    props.of.layer !== undefined &&
    app.focus()?.after === rowOfLayer(props.of.layer) &&
    props.of.head !== undefined &&
    app.focus()?.head === props.of.head;
  return (
    <button
      title={text()}
      aria-label={text()}
      aria-pressed={inFocus()}
      style={{ background: css(colorAt(app.palette().diverging, 0.5 + props.of.value / props.largest / 2)) }}
      onClick={() => look(props.of)}
      onPointerEnter={() => app.point(text())}
      onPointerLeave={() => app.point(undefined)}
    />
  );
};

/** Layers × heads, the MLPs at the end of their rows. */
const Grid = (props: { readonly of: ComponentsResult }): JSX.Element => {
  const app = useApp();
  const layers = () => layersOf(props.of.parts);
  const widest = (): number => Math.max(0, ...layers().map((l) => l.heads.length));
  const largest = (): number => largestOf(props.of);
  return (
    <>
      <table class="part-grid" id="part-grid" aria-label={app.t().components.grid}>
        <tbody>
          <For each={layers()}>
            {(row) => (
              <tr>
                <th>L{row.layer}</th>
                <For each={Array.from({ length: widest() }, (_, i) => row.heads[i])}>
                  {(part) => <td>{part && <Cell of={part} largest={largest()} />}</td>}
                </For>
                <td>{row.mlp && <Cell of={row.mlp} largest={largest()} />}</td>
              </tr>
            )}
          </For>
          <tr>
            <th />
            <For each={Array.from({ length: widest() }, (_, i) => i)}>{(i) => <th>{i}</th>}</For>
            <th>MLP</th>
          </tr>
        </tbody>
      </table>
      <div class="legend small">
        <span>−{compact(largest())}</span>
        <ScaleStrip kind="diverging" />
        <span>{compact(largest())}</span>
      </div>
    </>
  );
};

/** The parts that give most, and what all sum to. */
const Strongest = (props: { readonly of: ComponentsResult }): JSX.Element => {
  const app = useApp();
  const look = useLook();
  const t = () => app.t().components;
  return (
    <table class="parts">
      <thead>
        <tr>
          <th>{t().part}</th>
          <th class="number">{t().gives}</th>
          <th />
        </tr>
      </thead>
      <tbody>
        <For each={strongestOf(props.of.parts, listed)}>
          {(part) => (
            <tr>
              <td>
                <button class="plain" disabled={part.layer === undefined} onClick={() => look(part)}>
                  {t().kinds[part.part]} <span class="mono">{part.part === 'mlp' ? part.layer : part.name}</span>
                </button>
              </td>
              <td class="number">{compact(part.value)}</td>
              <td>
                <SignedBar value={part.value} most={largestOf(props.of)} />
              </td>
            </tr>
          )}
        </For>
      </tbody>
      <tfoot class="part-sum">
        <tr>
          <td>{t().sum}</td>
          <td class="number">{compact(props.of.sum)}</td>
          <td class="soft small">{t().missed(Math.abs(props.of.residual).toExponential(1))}</td>
        </tr>
      </tfoot>
    </table>
  );
};

/** What each head, MLP, embedding and bias gives to the followed word's score at the token in focus. */
export const ComponentsPanel = (): JSX.Element => {
  const app = useApp();
  const { result, why } = useComponents();
  const heading = (): string => {
    const position = app.focus()?.position ?? 0;
    const token = visible(app.results.board()?.tokens[position]?.text ?? '');
    return app.t().components.heading(visible(app.results.word()?.text ?? ''), position, token);
  };
  return (
    <Panel id="components" title={heading()} help={app.t().components.help} differs grows>
      <div class="scrolls">
        <Show when={result()} fallback={<p class="soft">{why()}</p>}>
          {(of) => (
            <>
              <Grid of={of()} />
              <Strongest of={of()} />
            </>
          )}
        </Show>
      </div>
    </Panel>
  );
};
