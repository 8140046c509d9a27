import { createEffect, createMemo, createSignal, For, on, Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { makeLatest } from '../../link/latest.js';
import { Panel } from '../../shell/panel.jsx';
import type { Request } from '../../state/request.js';
import { captureScores, readAttention, type AttentionRun, type LayerAttention } from './data.js';
import type { GridOrder } from './grid-layout.js';
import { HeadGrid } from './head-grid.jsx';
import { HeadView } from './head-view.jsx';
import { headKinds } from './kinds.js';

/** Names of this page's runs in the host: pages share it. */
const pageId = (): string => `page-${Math.random().toString(36).slice(2, 10)}`;

/** The attention of the run that is shown, while this panel is open. */
const useAttention = () => {
  const app = useApp();
  const id = pageId();
  const [layers, setLayers] = createSignal<readonly LayerAttention[]>([]);
  const [of, setOf] = createSignal<Request>();
  const [mistake, setMistake] = createSignal<string>();
  const failed = (error: unknown): void => void setMistake(error instanceof Error ? error.message : String(error));
  const runOf = (request: Request, name: string): Omit<AttentionRun, 'signal'> | undefined => {
    const client = app.session.client();
    return client && { client, request, run: `${id}-${name}` };
  };
  const reads = makeLatest(
    async (request: Request, signal: AbortSignal) => {
      const run = runOf(request, 'patterns');
      if (!run) return;
      setMistake(undefined);
      await readAttention({ ...run, signal }, setLayers);
      setOf(request);
    },
    failed,
    { supersede: 'stop', quietMs: 120 },
  );
  const scores = makeLatest(
    async ({ request, site }: { readonly request: Request; readonly site: string }, signal: AbortSignal) => {
      const run = runOf(request, 'scores');
      if (run) await captureScores({ ...run, signal }, site);
    },
    () => undefined, // the formula then shows the pattern alone
    { supersede: 'stop' },
  );
  createEffect(on(app.results.shown, (request) => request && reads.ask(request)));
  return { layers, of, mistake, runOf, askScores: scores.ask };
};

/** Where heads look: all at a glance, one of them large. */
export const AttentionPanel = (): JSX.Element => {
  const app = useApp();
  const t = () => app.t().attention;
  const { layers, of, mistake, runOf, askScores } = useAttention();
  const [order, setOrder] = createSignal<GridOrder>('place');
  const [as, setAs] = createSignal<'map' | 'lines'>('map');
  const [isHidden, setHidden] = createSignal(false);
  const [kind, setKind] = createSignal<'self' | 'cross'>('self');
  const hasCross = () => layers().some((l) => l.kind === 'cross');
  const shown = createMemo(() => layers().filter((l) => !hasCross() || l.kind === kind()));
  const layer = createMemo(() => shown().find((l) => l.block === app.focus()?.after) ?? shown().at(-1));
  const head = () => Math.min(app.focus()?.head ?? 0, (layer()?.heads.length ?? 1) - 1);
  createEffect(
    on([() => layer()?.site, of], ([site, request]) => {
      if (site !== undefined && request) askScores({ request, site: site.replace(/pattern$/, 'scores') });
    }),
  );
  const tools = (
    <>
      <Show when={hasCross()}>
        <select value={kind()} onChange={(e) => setKind(e.currentTarget.value === 'cross' ? 'cross' : 'self')}>
          <option value="self">{t().own}</option>
          <option value="cross">{t().cross}</option>
        </select>
      </Show>
      <button class="small" aria-pressed={isHidden()} onClick={() => setHidden(!isHidden())}>
        {t().hideFirst}
      </button>
      <select aria-label={t().sortLabel} value={order()} onChange={(e) => setOrder(e.currentTarget.value as GridOrder)}>
        <For each={['place', ...headKinds] as const}>{(one) => <option value={one}>{t().sort[one]}</option>}</For>
      </select>
    </>
  );
  return (
    <Panel id="attention" title={t().title} help={t().help} tools={tools} grows>
      <Show when={mistake()}>
        <p class="mistake">{mistake()}</p>
      </Show>
      <HeadGrid layers={shown()} order={order()} hidden={isHidden() ? 1 : 0} />
      <Show when={of() && layer()}>
        {(one) => (
          <>
            <div class="head-title">
              <h3>{t().head(`${one().block.replace('blocks.', '')}.${head()}`)}</h3>
              <span role="group">
                <For each={['map', 'lines'] as const}>
                  {(form) => (
                    <button class="plain small" aria-pressed={as() === form} onClick={() => setAs(form)}>
                      {t().as[form]}
                    </button>
                  )}
                </For>
              </span>
            </div>
            <Show when={of() && runOf(of() as Request, 'patterns')}>
              {(run) => (
                <HeadView
                  {...{ layer: one(), head: head(), as: as(), hidden: isHidden() ? 1 : 0, run: run() }}
                  scores={{ ...run(), run: run().run.replace(/patterns$/, 'scores') }}
                />
              )}
            </Show>
          </>
        )}
      </Show>
    </Panel>
  );
};
