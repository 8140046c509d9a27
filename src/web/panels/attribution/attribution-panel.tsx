import { createEffect, createMemo, createSignal, For, on, Show, type JSX } from 'solid-js';
import { attributionMethods, type AttributeResult, type AttributionMethod } from '../../../protocol/index.js';
import { useApp } from '../../app.js';
import { makeLatest } from '../../link/latest.js';
import { errorText } from '../../i18n/told.js';
import { compact } from '../../look/numbers.js';
import { visible } from '../../look/token-text.js';
import { Panel } from '../../shell/panel.jsx';
import { ScaleStrip } from '../../shell/scale-strip.jsx';
import { unusual, withPanel, withUsual } from '../../state/panel-settings.js';
import type { Request } from '../../state/request.js';
import { runB } from '../../state/two-runs.js';
import { Checks } from './checks.jsx';
import { askedOf, attributionBetween, scaleOf, type Wanted } from './data.js';
import { ColouredTokens, Grid, ScoreTable } from './tokens.jsx';

interface Asked {
  readonly request: Request;
  /** Where how two runs differ is looked at. */
  readonly b: Request | undefined;
  readonly wanted: Wanted;
  readonly word: string | undefined;
}

/** Explains the run that is shown, when it, the method, or what is explained changes. */
const useAttribution = (wanted: () => Wanted) => {
  const app = useApp();
  const [result, setResult] = createSignal<AttributeResult>();
  const [cause, setCause] = createSignal<unknown>();
  const failure = (): string | undefined => (cause() === undefined ? undefined : errorText(app.t(), cause()));
  const [busy, setBusy] = createSignal(false);
  const asks = makeLatest(
    async ({ request, b, wanted: given, word }: Asked, signal: AbortSignal) => {
      const client = app.session.client();
      if (!client) return;
      const ask = ({ input, edits }: Request): Promise<AttributeResult> => {
        const asked = { ...input, edits: edits.map((text) => ({ text })), ...askedOf(given, word) };
        return client.request('attribute', asked, { signal });
      };
      const own = await ask(request);
      setResult(b ? attributionBetween(own, await ask(b)) : own);
      setCause(undefined);
    },
    (error) => {
      setResult(undefined);
      setCause(error);
    },
    { supersede: 'stop', quietMs: 200, busy: setBusy },
  );
  createEffect(
    on([app.results.shown, wanted, () => app.results.word()?.text, () => runB(app)], ([request, given, word, b]) => {
      if (request) asks.ask({ request, b, wanted: given, word });
    }),
  );
  return { result, failure, busy };
};

const Controls = (props: {
  readonly wanted: Wanted;
  readonly change: (part: Partial<Wanted>) => void;
}): JSX.Element => {
  const app = useApp();
  const t = () => app.t().attribution;
  return (
    <div class="attribution-controls">
      <select
        aria-label={t().method}
        onChange={(event) => props.change({ method: event.currentTarget.value as AttributionMethod })}
      >
        <For each={attributionMethods}>
          {(method) => (
            <option value={method} selected={method === props.wanted.method}>
              {t().methods[method]}
            </option>
          )}
        </For>
      </select>
      <select
        aria-label={t().explained}
        onChange={(event) => props.change({ of: event.currentTarget.value as Wanted['of'] })}
      >
        <For each={['next', 'word', 'each'] as const}>
          {(of) => (
            <option value={of} selected={of === props.wanted.of}>
              {of === 'word' ? t().of.word(visible(app.results.word()?.text ?? '')) : t().of[of]}
            </option>
          )}
        </For>
      </select>
      <select
        aria-label={t().units}
        onChange={(event) => props.change({ granularity: event.currentTarget.value as Wanted['granularity'] })}
      >
        <For each={['token', 'word'] as const}>
          {(one) => (
            <option value={one} selected={one === props.wanted.granularity}>
              {one === 'token' ? t().tokens : t().words}
            </option>
          )}
        </For>
      </select>
      <input
        type="text"
        aria-label={t().versus}
        placeholder={t().versus}
        value={props.wanted.versus}
        onChange={(event) => props.change({ versus: event.currentTarget.value })}
      />
    </div>
  );
};

const Legend = (props: { readonly scale: number }): JSX.Element => {
  const app = useApp();
  return (
    <div class="legend small">
      <span class="soft">{app.t().attribution.against}</span>
      <span>−{compact(props.scale)}</span>
      <ScaleStrip kind="diverging" />
      <span>{compact(props.scale)}</span>
      <span class="soft">{app.t().attribution.speaks}</span>
    </div>
  );
};

const Result = (props: { readonly of: AttributeResult }): JSX.Element => {
  const app = useApp();
  const [chosen, choose] = createSignal(0);
  const row = () => props.of.rows[chosen()] ?? props.of.rows[0];
  const isGrid = (): boolean => props.of.rows.length > 1;
  return (
    <>
      <Show when={isGrid()}>
        <Grid result={props.of} chosen={chosen()} choose={choose} />
      </Show>
      <Show when={row()}>
        {(shown) => (
          <>
            <p>
              <span class="mono">{shown().of}</span> = {compact(shown().value)}
            </p>
            <ColouredTokens result={props.of} row={shown()} />
            <Legend scale={scaleOf(props.of.rows)} />
            <Checks of={shown()} />
            <ScoreTable result={props.of} row={shown()} />
          </>
        )}
      </Show>
      <For each={props.of.notes}>{(note) => <p class="small soft">{app.t().told.note(note)}</p>}</For>
    </>
  );
};

const usual: Wanted = { method: 'lrp', of: 'next', versus: '', granularity: 'token' };

/** How much each token has to do with what the model says. */
export const AttributionPanel = (): JSX.Element => {
  const app = useApp();
  const wanted = createMemo((): Wanted => withUsual(usual, app.view.panels.attribution));
  const change = (part: Partial<Wanted>): void => {
    const attribution = unusual({ ...wanted(), ...part }, usual);
    app.setView({ panels: withPanel(app.view.panels, { attribution }) });
  };
  const { result, failure, busy } = useAttribution(wanted);
  const t = () => app.t().attribution;
  return (
    <Panel id="attribution" title={t().heading} help={t().help} differs grows>
      <div class="scrolls">
        <Controls wanted={wanted()} change={change} />
        <Show when={failure()}>{(text) => <p role="alert">{text()}</p>}</Show>
        <Show when={result()} fallback={<p class="soft">{busy() ? t().computing : ''}</p>}>
          {(of) => <Result of={of()} />}
        </Show>
      </div>
    </Panel>
  );
};
