import { For, Show, type JSX } from 'solid-js';
import { readingPart, type CircuitResult } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { compact } from '../../look/numbers.js';
import { Panel } from '../../shell/panel.jsx';
import {
  CorruptField,
  cleanTokens,
  likeliestOf,
  MeasuredFields,
  setTrials,
  useCorrupt,
} from '../trials/pair-fields.jsx';
import { corruptOf, corruptText, measuredOf } from '../trials/pair.js';
import { RunBar } from '../trials/run-bar.jsx';
import { manyPairs } from '../trials/many-pairs.js';
import { PairsField } from '../trials/pairs-field.jsx';
import { makeTrial, notYet, type Trial } from '../trials/trial.js';
import { nodesOf, strongestOf, type CircuitEdge } from './data.js';
import { Graph } from './graph.jsx';
import { useNodes } from './nodes.js';
import type { App } from '../../app.js';

const listed = 16;
const usualShare = 0.9;
const shares = [0.5, 0.7, 0.8, 0.9, 0.95, 0.99] as const;

/** The search as it was run last, whoever shows it. */
const circuitOf = (app: App): Trial<'circuit'> =>
  app.kept('circuit', () =>
    makeTrial(app, 'circuit', {
      settings: ({ corrupt, answer, wrong, metric, kept, pairs }) => ({
        ...{ corrupt, answer, wrong, metric, kept, pairs },
      }),
      asked: async (run, settings, signal) => {
        const [client, state] = [app.session.client(), app.state()];
        const { likeliest, isLabels } = likeliestOf(app);
        const own = { ...measuredOf(settings, likeliest, isLabels), faithfulness: settings.kept ?? usualShare };
        const many = manyPairs(run, settings);
        if (many) return { ...own, ...many };
        if (!client || !state) return own;
        const vocab = app.model()?.summary.vocab;
        return { ...own, ...(await corruptOf(client, run, { text: corruptText(state, settings), vocab, signal })) };
      },
    }),
  );

const Numbers = (props: { readonly result: CircuitResult }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().circuits;
  const rows = (): readonly (readonly [string, string])[] => {
    const { edges, totalEdges, faithfulness, complement, superfluous, tried } = props.result;
    return [
      [t().edges, t().of(edges.length, totalEdges)],
      [t().faithfulness, compact(faithfulness)],
      [t().completeness, compact(complement)],
      [t().minimality, t().of(superfluous, tried)],
    ];
  };
  return (
    <dl class="circuit-numbers" id="circuit-numbers">
      <For each={rows()}>
        {([name, value]) => (
          <div>
            <dt class="soft small">{name}</dt>
            <dd>{value}</dd>
          </div>
        )}
      </For>
    </dl>
  );
};

/** The edges that matter most; a click looks at the part that one leads from. */
const Strongest = (props: { readonly result: CircuitResult }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().circuits;
  const { wholeName, readerText, go } = useNodes();
  const part = (name: string): void => {
    const node = nodesOf(props.result.edges).find((n) => n.name === name);
    if (node) go(node);
  };
  const button = (name: string, text: string): JSX.Element => (
    <button class="plain part-name" onClick={() => part(name)}>
      {text}
    </button>
  );
  const row = (edge: CircuitEdge): JSX.Element => (
    <tr>
      <td>
        {button(edge.from, wholeName(edge.from))} → {button(readingPart(edge.to), readerText(edge.to))}
      </td>
      <td class="number">{compact(edge.effect)}</td>
      <td class="number soft">{compact(edge.score)}</td>
    </tr>
  );
  return (
    <table class="parts circuit-edges" id="circuit-edges">
      <caption>{t().strongest}</caption>
      <thead>
        <tr>
          <th />
          <th class="number">{t().lost}</th>
          <th class="number">{t().guess}</th>
        </tr>
      </thead>
      <tbody>
        <For each={strongestOf(props.result.edges, listed)}>{row}</For>
      </tbody>
      <Show when={props.result.edges.length > listed}>
        <tfoot>
          <tr>
            <td colspan="3" class="soft small">
              {t().more(props.result.edges.length - listed)}
            </td>
          </tr>
        </tfoot>
      </Show>
    </table>
  );
};

const Result = (props: { readonly result: CircuitResult }): JSX.Element => {
  const app = useApp();
  return (
    <>
      <p id="circuit-summary">
        <span class="mono">{props.result.metric}</span>:{' '}
        {app.t().patching.ends(compact(props.result.clean), compact(props.result.corrupted))}{' '}
        <span class="soft small">{app.t().trials.seconds(props.result.runs, props.result.seconds.toFixed(1))}</span>
      </p>
      <Numbers result={props.result} />
      <Graph result={props.result} />
      <For each={props.result.notes}>{(note) => <p class="small soft">{app.t().told.note(note)}</p>}</For>
      <Strongest result={props.result} />
    </>
  );
};

/** Which parts do what tells two prompts apart, and over which ways. */
export const CircuitPanel = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().circuits;
  const trial = circuitOf(app);
  const corrupt = useCorrupt();
  const hasMany = (): boolean => app.view.trials.pairs !== undefined;
  const missing = (): string | undefined => {
    const [own, other] = [cleanTokens(app).length, corrupt.tokens()?.length];
    const waits = notYet(app);
    if (waits !== undefined) return waits;
    if (hasMany()) return undefined;
    if (corrupt.isSame()) return app.t().trials.same;
    return other === undefined || own === other ? undefined : '';
  };
  return (
    <Panel id="circuit" title={t().heading} help={t().help} differs={false} grows>
      <div class="scrolls trial">
        <Show when={!hasMany()}>
          <CorruptField id="circuit" corrupt={corrupt} needsEqual />
        </Show>
        <PairsField id="circuit" />
        <MeasuredFields id="circuit" hasPair />
        <label class="small soft">
          {t().kept}{' '}
          <select
            id="circuit-kept"
            value={app.view.trials.kept ?? usualShare}
            onChange={(event) => setTrials(app, { kept: Number(event.currentTarget.value) })}
          >
            <For each={shares}>{(share) => <option value={share}>{share}</option>}</For>
          </select>
        </label>
        <RunBar id="circuit" name={t().run} trial={trial} missing={missing()} />
        <Show when={trial.result()} keyed>
          {(result) => <Result result={result} />}
        </Show>
      </div>
    </Panel>
  );
};
