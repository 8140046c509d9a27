import { createEffect, createMemo, createSignal, For, on, Show, type JSX } from 'solid-js';
import type { KnockoutResult } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { makeLatest } from '../../link/latest.js';
import { layerOf } from '../../look/names.js';
import { percent } from '../../look/numbers.js';
import { visible } from '../../look/token-text.js';
import { Panel } from '../../shell/panel.jsx';
import type { Request } from '../../state/request.js';
import { runB } from '../../state/two-runs.js';
import { partsOfLayer, type LayerPart } from './parts.js';

/** The three likeliest words of the cell, as the lens reads them. */
const LensWords = (): JSX.Element => {
  const app = useApp();
  return (
    <Show when={app.cell()?.top.length ? app.cell() : undefined}>
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

interface RowProps {
  readonly part: LayerPart;
  readonly base: KnockoutResult['base'];
  /** The same part of B, where how two runs differ is looked at and B has it. */
  readonly other: KnockoutResult['parts'][number] | undefined;
  readonly isDifference: boolean;
}

const probabilityOf = (part: Pick<LayerPart, 'words'> | undefined): number => part?.words[0]?.probability ?? 0;

const PartRow = (props: RowProps): JSX.Element => {
  const app = useApp();
  const isOff = () => app.experiment.has(props.part.edit);
  const name = () => partName(app, props.part);
  /** What it says without the part; of two runs both, where they say another. */
  const says = (): string => {
    const [own, theirs] = [visible(props.part.top.text), visible(props.other?.top.text ?? '–')];
    return props.isDifference && own !== theirs ? `${own} → ${theirs}` : own;
  };
  const bar = (of: Pick<LayerPart, 'words'> | undefined): JSX.Element => (
    <td>
      <div class="bar-cell">
        <div class="bar" style={{ width: `${(100 * probabilityOf(of)).toFixed(1)}%` }} />
        <span class="number">{of ? percent(probabilityOf(of)) : '–'}</span>
      </div>
    </td>
  );
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
      {bar(props.part)}
      <Show when={props.isDifference}>{bar(props.other)}</Show>
      <td class="mono">{says()}</td>
    </tr>
  );
};

/** What comes out without each part, of B too where how two runs differ is looked at. */
interface Knocked {
  readonly result: KnockoutResult;
  readonly b?: KnockoutResult | undefined;
}

/** Leaves out each part of the layer in focus, when the focus or the run changes. */
const useKnockouts = () => {
  const app = useApp();
  const [result, setResult] = createSignal<Knocked>();
  const layer = createMemo(() => layerOf(app.focus()?.after ?? 'embed'));
  const asks = makeLatest(
    async ({ request, b, of }: { request: Request; b: Request | undefined; of: string }, signal: AbortSignal) => {
      const client = app.session.client();
      const word = app.results.word();
      if (!client || !word) return;
      const ask = ({ input, edits }: Request): Promise<KnockoutResult> => {
        const kept = edits.filter((text) => !partsOfLayer(of, text)).map((text) => ({ text }));
        return client.request('knockout', { ...input, edits: kept, layer: of, words: [word.id] }, { signal });
      };
      const own = await ask(request);
      setResult({ result: own, b: b && (await ask(b)) });
    },
    () => setResult(undefined),
    { supersede: 'stop', quietMs: 120 },
  );
  createEffect(
    on([app.results.shown, layer, () => app.results.word()?.id, () => runB(app)], ([request, of, , b]) => {
      if (request && of !== undefined) asks.ask({ request, b, of });
    }),
  );
  return { layer, result: () => (result()?.result.layer === layer() ? result() : undefined) };
};

const sorted = ({ parts, layer }: KnockoutResult): readonly LayerPart[] =>
  parts
    .map((part) => ({ ...part, name: `${layer ?? ''}.${part.head ?? ''}` }))
    .sort((a, b) => probabilityOf(b) - probabilityOf(a) || (a.head ?? 99) - (b.head ?? 99));

const partIn = (b: KnockoutResult | undefined, { part, head, edit }: LayerPart) =>
  b?.parts.find((p) => p.part === part && p.head === head && p.edit === edit);

const Parts = (props: { readonly of: Knocked | undefined }): JSX.Element => {
  const app = useApp();
  return (
    <Show when={props.of} fallback={<p class="soft">{app.t().block.measuring}</p>}>
      {(found) => (
        <table class="parts" classList={{ two: found().b !== undefined }}>
          <caption>{app.t().block.parts}</caption>
          <thead>
            <tr>
              <th />
              <th>{app.t().block.part}</th>
              <th>
                {found().b ? `${app.t().beside.a}: ` : ''}
                {visible(found().result.base.words[0]?.text ?? '')}
              </th>
              <Show when={found().b}>
                {(b) => (
                  <th>
                    {app.t().beside.b}: {visible(b().base.words[0]?.text ?? '')}
                  </th>
                )}
              </Show>
              <th>{app.t().block.says}</th>
            </tr>
          </thead>
          <tbody>
            <For each={sorted(found().result)}>
              {(part) => (
                <PartRow
                  {...{ part, base: found().result.base, other: partIn(found().b, part) }}
                  isDifference={found().b !== undefined}
                />
              )}
            </For>
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
    if (!at) return app.t().block.title;
    const token = visible(app.results.board()?.tokens[at.position]?.text ?? '');
    const of = layer();
    return of === undefined ? app.t().block.embed(at.position, token) : app.t().block.heading(of, at.position, token);
  };
  return (
    <Panel id="block" title={heading()} help={app.t().block.help} differs grows>
      <div class="scrolls">
        <LensWords />
        <Show when={layer() !== undefined}>
          <Parts of={result()} />
        </Show>
      </div>
    </Panel>
  );
};
