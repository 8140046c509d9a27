import { createEffect, createMemo, createSignal, For, on, onCleanup, onMount, Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { makeLatest } from '../../link/latest.js';
import { clearedContext, inks, watchSize } from '../../look/canvas.js';
import { colorAt, css } from '../../look/color.js';
import { stepOf } from '../../look/keys.js';
import { layerOf, rowName } from '../../look/names.js';
import { compact, percent } from '../../look/numbers.js';
import { visible } from '../../look/token-text.js';
import { Panel } from '../../shell/panel.jsx';
import { ScaleStrip } from '../../shell/scale-strip.jsx';
import { SignedBar } from '../../shell/signed-bar.jsx';
import { placeInB } from '../../state/two-runs.js';
import type { Written } from '../../../protocol/index.js';
import type { Request } from '../../state/request.js';
import {
  readChanged,
  readStrips,
  readStripsBetween,
  readStrongest,
  type ChangedNeuron,
  type NeuronStrip,
  type StrongNeuron,
} from './data.js';

interface Asked {
  readonly request: Request;
  readonly position: number;
  readonly after: string;
  readonly word: number;
  /** Where how two runs differ is looked at. */
  readonly two?: { readonly b: Request; readonly position: number } | undefined;
}

/** What is shown of the layer in focus: its strongest neurons, or those that differ most. */
type Listed =
  | { readonly kind: 'strongest'; readonly neurons: readonly StrongNeuron[] }
  | { readonly kind: 'changed'; readonly neurons: readonly ChangedNeuron[] };

const nothing: Listed = { kind: 'strongest', neurons: [] };

/** Strips of all layers, and neurons of the layer in focus. */
const useNeurons = () => {
  const app = useApp();
  const run = `neurons-${Math.random().toString(36).slice(2, 10)}`;
  const [strips, setStrips] = createSignal<readonly NeuronStrip[]>([]);
  const [listed, setListed] = createSignal<Listed>(nothing);
  const place = createMemo(() => placeInB(app));
  const reads = makeLatest(
    async ({ request, position, after, word, two }: Asked, signal: AbortSignal) => {
      const client = app.session.client();
      if (!client) return;
      const a = { client, request, run, position, signal };
      const b = two && { ...a, request: two.b, run: `${run}-b`, position: two.position };
      const found = await (b ? readStripsBetween(a, b) : readStrips(a));
      setStrips(found);
      if (!found.some((s) => s.block === after)) setListed(nothing);
      else if (b) setListed({ kind: 'changed', neurons: await readChanged(a, b, after) });
      else setListed({ kind: 'strongest', neurons: await readStrongest(a, after, word) });
    },
    () => setStrips([]), // a mixture has none of this name
    { supersede: 'stop', quietMs: 120 },
  );
  createEffect(
    on([app.results.shown, app.focus, () => app.results.word()?.id, place], ([request, at, word, other]) => {
      if (!request || !at || word === undefined) return;
      if (other && other.position === undefined) setStrips([]);
      else {
        const two = other?.position === undefined ? undefined : { b: other.b, position: other.position };
        reads.ask({ request, position: at.position, after: at.after, word, two });
      }
    }),
  );
  const none = (): string =>
    place() && place()?.position === undefined ? app.t().beside.noPlace : app.t().neurons.none;
  return { strips, listed, none };
};

const left = 34;
const rowHeight = 16;

/** All layers as strips, the first lowest; a click goes to the layer. */
const Strips = (props: { readonly of: readonly NeuronStrip[] }): JSX.Element => {
  const app = useApp();
  let canvas: HTMLCanvasElement | undefined;
  const [width, setWidth] = createSignal(0);
  onMount(() => canvas?.parentElement && onCleanup(watchSize(canvas.parentElement, (size) => setWidth(size.width))));
  const greatest = (): number =>
    Math.max(1e-9, ...props.of.map(({ strip }) => strip.reduce((m, x) => Math.max(m, Math.abs(x)), 0)));
  createEffect(() => {
    if (!canvas || width() === 0) return;
    const height = Math.max(1, props.of.length * rowHeight);
    canvas.style.height = `${height}px`;
    const c = clearedContext(canvas, { width: width(), height });
    const { ink, fonts } = inks();
    if (!c) return;
    c.font = `10px ${fonts.text}`;
    c.textAlign = 'right';
    c.textBaseline = 'middle';
    const most = greatest();
    for (const [i, { block, strip }] of [...props.of].reverse().entries()) {
      c.fillStyle = block === app.focus()?.after ? ink.accent : ink.soft;
      c.fillText(rowName(block), left - 6, i * rowHeight + rowHeight / 2);
      const each = (width() - left) / strip.length;
      for (const [n, x] of strip.entries()) {
        c.fillStyle = css(colorAt(app.palette().diverging, 0.5 + x / most / 2));
        c.fillRect(left + n * each, i * rowHeight, Math.max(1, each), rowHeight - 1);
      }
    }
  });
  const at = (event: MouseEvent): NeuronStrip | undefined =>
    [...props.of].reverse()[Math.floor(event.offsetY / rowHeight)];
  const move = (event: KeyboardEvent): void => {
    const step = stepOf(event.key)?.[1] ?? 0;
    if (step === 0) return;
    event.preventDefault();
    const here = props.of.findIndex(({ block }) => block === app.focus()?.after);
    const next = props.of[Math.min(props.of.length - 1, Math.max(0, here - step))];
    if (next) app.look({ after: next.block });
  };
  return (
    <>
      <div class="head-grid">
        <canvas
          ref={canvas}
          id="neuron-strips"
          tabindex="0"
          role="application"
          aria-label={app.t().neurons.picture}
          onKeyDown={move}
          onClick={(event) => app.look({ after: at(event)?.block ?? app.focus()?.after ?? 'embed' })}
        />
      </div>
      <div class="legend small">
        <span class="soft">{app.t().neurons.activation}</span>
        <span>−{compact(greatest())}</span>
        <ScaleStrip kind="diverging" />
        <span>{compact(greatest())}</span>
      </div>
    </>
  );
};

const NeuronRow = (props: { readonly of: StrongNeuron; readonly layer: string }): JSX.Element => {
  const app = useApp();
  const p = (): number => props.of.outcome?.words[0]?.probability ?? 0;
  return (
    <>
      <tr>
        <td>
          <button
            class="switch"
            role="switch"
            aria-checked={!app.experiment.has(props.of.edit)}
            aria-label={app.t().neurons.off(`${props.layer}.${props.of.neuron}`)}
            onClick={() => app.experiment.toggle(props.of.edit)}
          />
        </td>
        <td class="mono">{props.of.neuron}</td>
        <td class="number">{compact(props.of.activation)}</td>
        <td>
          <div class="bar-cell">
            <div class="bar" style={{ width: `${(100 * p()).toFixed(1)}%` }} />
            <span class="number">{percent(p())}</span>
          </div>
        </td>
        <td class="mono">{visible(props.of.outcome?.top.text ?? '')}</td>
      </tr>
      <Show when={props.of.written}>{(written) => <Writes of={written()} />}</Show>
    </>
  );
};

const effects = (all: Written['raised']): string =>
  all.map(({ text, effect }) => `${visible(text)} ${effect > 0 ? '+' : ''}${compact(effect)}`).join(', ');

/** What a neuron writes: the words that it raises and lowers most, and the followed one, in logits. */
const Writes = (props: { readonly of: Written }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().neurons;
  return (
    <tr class="writes small">
      <td />
      <td colspan="4">
        <span class="soft">{t().raises}</span> <span class="mono">{effects(props.of.raised)}</span>
        <br />
        <span class="soft">{t().lowers}</span> <span class="mono">{effects(props.of.lowered)}</span>
        <Show when={props.of.words.length > 0}>
          <br />
          <span class="soft">{t().onWord}</span> <span class="mono">{effects(props.of.words)}</span>
        </Show>
      </td>
    </tr>
  );
};

const Strongest = (props: { readonly of: readonly StrongNeuron[]; readonly layer: string }): JSX.Element => {
  const app = useApp();
  return (
    <table class="parts">
      <caption>{app.t().neurons.layer(props.layer)}</caption>
      <thead>
        <tr>
          <th />
          <th>{app.t().neurons.neuron}</th>
          <th class="number">{app.t().neurons.activation}</th>
          <th>{visible(app.results.word()?.text ?? '')}</th>
          <th>{app.t().block.says}</th>
        </tr>
      </thead>
      <tbody>
        <For each={props.of}>{(neuron) => <NeuronRow of={neuron} layer={props.layer} />}</For>
      </tbody>
    </table>
  );
};

/** The neurons of the layer in focus that differ most between two runs. */
const Changed = (props: { readonly of: readonly ChangedNeuron[]; readonly layer: string }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().beside;
  const most = (): number => Math.max(1e-12, ...props.of.map(({ a, b }) => Math.abs(b - a)));
  return (
    <table class="parts" id="changed-neurons">
      <caption>{app.t().neurons.changed(props.layer)}</caption>
      <thead>
        <tr>
          <th>{app.t().neurons.neuron}</th>
          <th class="number">{t().a}</th>
          <th class="number">{t().b}</th>
          <th class="number">{t().difference}</th>
          <th />
        </tr>
      </thead>
      <tbody>
        <For each={props.of}>
          {({ neuron, a, b }) => (
            <tr>
              <td class="mono">{neuron}</td>
              <td class="number">{compact(a)}</td>
              <td class="number">{compact(b)}</td>
              <td class="number">{compact(b - a)}</td>
              <td>
                <SignedBar value={b - a} most={most()} />
              </td>
            </tr>
          )}
        </For>
      </tbody>
    </table>
  );
};

/** What the neurons of all layers do at one token. */
export const NeuronsPanel = (): JSX.Element => {
  const app = useApp();
  const { strips, listed, none } = useNeurons();
  const heading = (): string => {
    const position = app.focus()?.position ?? 0;
    return app.t().neurons.heading(position, visible(app.results.board()?.tokens[position]?.text ?? ''));
  };
  const layer = (): string | undefined => layerOf(app.focus()?.after ?? 'embed');
  const changed = () => {
    const found = listed();
    return found.kind === 'changed' ? found.neurons : undefined;
  };
  const strongest = () => {
    const found = listed();
    return found.kind === 'strongest' ? found.neurons : [];
  };
  return (
    <Panel id="neurons" title={heading()} help={app.t().neurons.help} differs grows>
      <div class="scrolls">
        <Show when={strips().length > 0} fallback={<p class="soft">{none()}</p>}>
          <Strips of={strips()} />
          <Show when={layer()}>
            {(of) => (
              <Show when={changed()} fallback={<Strongest of={strongest()} layer={of()} />}>
                {(neurons) => <Changed of={neurons()} layer={of()} />}
              </Show>
            )}
          </Show>
        </Show>
      </div>
    </Panel>
  );
};
