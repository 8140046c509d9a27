import { createEffect, createMemo, createSignal, For, on, Show, type JSX } from 'solid-js';
import type { KnockoutResult } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { makeLatest } from '../../link/latest.js';
import { layerOf } from '../../look/names.js';
import { percent } from '../../look/numbers.js';
import { visible } from '../../look/token-text.js';
import { Panel } from '../../shell/panel.jsx';
import type { Request } from '../../state/request.js';
import { partsOfLayer, type LayerPart } from './parts.js';

/** The three likeliest words of the cell, as the lens reads them. */
const LensWords = (): JSX.Element => {
  const app = useApp();
  return (
    <Show when={app.cell()}>
      {(cell) => (
        <div class="lens-words">
          <span class="small soft">{app.t().block.lens}</span>
          <For each={cell().top}>
            {(token) => (
              <span class="mono">
                {visible(token.text)} <span class="soft small">{percent(token.probability)}</span>
              </span>
            )}
          </For>
        </div>
      )}
    </Show>
  );
};

const partName = (app: ReturnType<typeof useApp>, part: LayerPart): string => {
  const t = app.t().block;
  switch (part.part) {
    case 'head':
      return t.head(part.name);
    case 'cross-head':
      return t.cross(part.name);
    case 'attention':
      return t.attention;
    case 'cross-attention':
      return t.crossAttention;
    case 'mlp':
      return t.mlp;
    default:
      return part.edit;
  }
};

const PartRow = (props: { readonly part: LayerPart; readonly base: KnockoutResult['base'] }): JSX.Element => {
  const app = useApp();
  const isOff = () => app.experiment.has(props.part.edit);
  const name = () => partName(app, props.part);
  const probability = () => props.part.words[0]?.probability ?? 0;
  const isBetter = () => props.part.words[0]?.id === props.part.top.id && props.base.top.id !== props.part.top.id;
  return (
    <tr classList={{ better: isBetter() }} aria-label={name()}>
      <td>
        <button
          class="switch"
          role="switch"
          aria-checked={!isOff()}
          aria-label={app.t().block.off(name())}
          onClick={() => app.experiment.toggle(props.part.edit)}
        />
      </td>
      <td>
        <button class="plain part-name" onClick={() => app.look({ head: props.part.head })}>
          {name()}
        </button>
      </td>
      <td>
        <div class="bar-cell">
          <div class="bar" style={{ width: `${(100 * probability()).toFixed(1)}%` }} />
          <span class="number">{percent(probability())}</span>
        </div>
      </td>
      <td class="mono">{visible(props.part.top.text)}</td>
    </tr>
  );
};

/** Leaves out each part of the layer in focus, when the focus or the run changes. */
const useKnockouts = () => {
  const app = useApp();
  const [result, setResult] = createSignal<{ readonly key: string; readonly result: KnockoutResult }>();
  const layer = createMemo(() => layerOf(app.focus()?.after ?? 'embed'));
  const keyOf = (request: Request, of: string): string => `${of} ${request.key} ${app.results.word()?.id ?? ''}`;
  const asks = makeLatest(
    async ({ request, of }: { readonly request: Request; readonly of: string }, signal: AbortSignal) => {
      const client = app.session.client();
      const word = app.results.word();
      if (!client || !word) return;
      const edits = request.edits.filter((text) => !partsOfLayer(of, text));
      const key = keyOf(request, of);
      const given = { ...request.input, edits: edits.map((text) => ({ text })), layer: of, words: [word.id] };
      setResult({ key, result: await client.request('knockout', given, { signal }) });
    },
    () => setResult(undefined),
    { supersede: 'stop', quietMs: 120 },
  );
  createEffect(
    on([app.results.shown, layer, () => app.results.word()?.id], ([request, of]) => {
      if (request && of !== undefined && !app.results.compare()?.after.labels) asks.ask({ request, of });
    }),
  );
  return { layer, result: () => (result()?.result.layer === layer() ? result()?.result : undefined) };
};

const sorted = ({ parts, layer }: KnockoutResult): readonly LayerPart[] =>
  parts
    .map((part) => ({ ...part, name: `${layer ?? ''}.${part.head ?? ''}` }))
    .sort((a, b) => (b.words[0]?.probability ?? 0) - (a.words[0]?.probability ?? 0) || (a.head ?? 99) - (b.head ?? 99));

const Parts = (props: { readonly of: KnockoutResult | undefined }): JSX.Element => {
  const app = useApp();
  return (
    <Show when={props.of} fallback={<p class="soft">{app.t().block.measuring}</p>}>
      {(result) => (
        <table class="parts">
          <caption>{app.t().block.parts}</caption>
          <thead>
            <tr>
              <th />
              <th>{app.t().block.part}</th>
              <th>{visible(result().base.words[0]?.text ?? '')}</th>
              <th>{app.t().block.says}</th>
            </tr>
          </thead>
          <tbody>
            <For each={sorted(result())}>{(part) => <PartRow part={part} base={result().base} />}</For>
          </tbody>
        </table>
      )}
    </Show>
  );
};

/** What one layer does at one token: its parts, and what comes out without each. */
export const BlockPanel = (): JSX.Element => {
  const app = useApp();
  const { layer, result } = useKnockouts();
  const heading = (): string => {
    const at = app.focus();
    const token = visible(app.results.board()?.tokens[at?.position ?? 0]?.text ?? '');
    const of = layer();
    return of === undefined
      ? app.t().block.embed(at?.position ?? 0, token)
      : app.t().block.heading(of, at?.position ?? 0, token);
  };
  return (
    <Panel id="block" title={heading()} help={app.t().block.help} grows>
      <div class="scrolls">
        <LensWords />
        <Show when={layer() !== undefined}>
          <Parts of={result()} />
        </Show>
      </div>
    </Panel>
  );
};
