import { createMemo, For, Index, Show, type JSX } from 'solid-js';
import type { CompareResult, ScoredToken } from '../../../protocol/index.js';
import { useApp, type App } from '../../app.js';
import { compact, percent } from '../../look/numbers.js';
import { visible } from '../../look/token-text.js';
import { Panel } from '../../shell/panel.jsx';
import { Alternatives, isElsewhere } from './alternatives.jsx';
import { forkAt } from './fork.js';
import { MaskChoice } from './mask-choice.jsx';
import { klOf, maskAt, nextRows, type NextRow } from './rows.js';

/** How many tokens are listed. */
const most = 7;

interface BarProps {
  readonly of: ScoredToken | undefined;
  readonly kind: string;
  /** Its probability is less than this, where it is not listed. */
  readonly below: number;
}

const Bar = (props: BarProps): JSX.Element => {
  /** Nothing is known of a run that lists nothing. */
  const below = (): string => (props.below < 1 ? `<${percent(props.below).replace('<', '')}` : '–');
  return (
    <div class="bar-cell" classList={{ gone: props.of === undefined }}>
      <div class={`bar ${props.kind}`} style={{ width: `${(100 * (props.of?.probability ?? 0)).toFixed(2)}%` }} />
      <span class="number">{props.of ? percent(props.of.probability) : below()}</span>
    </div>
  );
};

/** Which runs have a column, from left to right. */
type Columns = readonly ('before' | 'after')[];

const Row = (props: { readonly row: NextRow; readonly columns: Columns }): JSX.Element => {
  const app = useApp();
  const kind = (): string => {
    const { tour, state } = app.session.store;
    if (!tour || state?.prompt !== tour.prompt) return '';
    return props.row.text === tour.expected ? 'right' : props.row.text === tour.wrong ? 'wrong' : '';
  };
  const note = () => (kind() === 'right' ? app.t().next.right : kind() === 'wrong' ? app.t().next.wrong : '');
  return (
    <tr aria-selected={app.results.word()?.id === props.row.id}>
      <td class="word">
        <button
          class="plain"
          classList={{ 'right-word': kind() === 'right', 'wrong-word': kind() === 'wrong' }}
          aria-label={app.t().next.track(visible(props.row.text))}
          title={note()}
          onClick={() => app.session.change({ word: props.row.text })}
        >
          {visible(props.row.text)}
          {kind() === 'right' ? ' ✓' : kind() === 'wrong' ? ' ✗' : ''}
        </button>
        <Show when={app.results.compare()?.after.next.length}>
          <button
            class="plain append"
            aria-label={app.t().next.append(visible(props.row.text))}
            title={app.t().next.append(visible(props.row.text))}
            onClick={() => void forkAt(app, (app.results.board()?.tokens.length ?? 1) - 1, props.row)}
          >
            ↵
          </button>
        </Show>
      </td>
      <For each={props.columns}>
        {(run) => (
          <td>
            <Bar of={props.row[run]} kind={kind()} below={props.row.below[run]} />
          </td>
        )}
      </For>
    </tr>
  );
};

/** The mask in focus. */
const maskOf = (app: App): number => {
  const run = app.results.compare()?.after;
  return run ? maskAt(run, app.session.store.focus?.position) : 0;
};

const titleOf = (app: ReturnType<typeof useApp>, result: CompareResult | undefined): string => {
  if (result?.after.labels) return app.t().next.labels;
  const mask = result?.after.masks?.[maskOf(app)];
  return mask ? app.t().next.mask(mask.position) : app.t().next.title;
};

/** The likeliest next tokens, with edits and without them beside each other. */
export const NextPanel = (): JSX.Element => {
  const app = useApp();
  const rows = createMemo(() => {
    const result = app.results.compare();
    return result ? nextRows(result, most, maskOf(app)) : [];
  });
  const edited = () => (app.results.shown()?.edits.length ?? 0) > 0;
  const hasOther = () => app.results.shown()?.other !== undefined;
  const kl = (): string => {
    const x = klOf(app.results.compare(), maskOf(app));
    if (hasOther()) return x === 0 ? app.t().next.same : app.t().next.kl(compact(x));
    return edited() ? (x === 0 ? app.t().next.same : app.t().next.kl(compact(x))) : '';
  };
  /** Of two runs A stands first, whichever is looked at. */
  const columns = (): Columns => {
    if (hasOther()) return app.side() === 'b' ? ['before', 'after'] : ['after', 'before'];
    return edited() ? ['before', 'after'] : ['before'];
  };
  const heading = (run: Columns[number]): string => {
    if (!hasOther()) return app.t().next[run];
    return (run === 'after') === (app.side() !== 'b') ? app.t().beside.a : app.t().beside.b;
  };
  return (
    <Panel
      id="next"
      title={titleOf(app, app.results.compare())}
      help={app.t().next.help}
      tools={
        <>
          <MaskChoice />
          <span class="small soft" id="kl">
            {kl()}
          </span>
        </>
      }
    >
      <Show when={rows().length === 0}>
        <For each={app.results.compare()?.after.notes}>
          {(note) => <p class="soft small">{app.t().told.note(note)}</p>}
        </For>
      </Show>
      <Alternatives />
      <table class="next-table" classList={{ covered: isElsewhere(app) }}>
        <thead>
          <tr>
            <th class="word">{app.t().next.word}</th>
            <For each={columns()}>{(run) => <th>{heading(run)}</th>}</For>
          </tr>
        </thead>
        <tbody>
          <Index each={rows()}>{(row) => <Row row={row()} columns={columns()} />}</Index>
        </tbody>
      </table>
    </Panel>
  );
};
