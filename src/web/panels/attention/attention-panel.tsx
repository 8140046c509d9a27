import { createEffect, createMemo, For, on, Show, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { errorText } from '../../i18n/told.js';
import { Panel } from '../../shell/panel.jsx';
import type { AttentionLayer } from '../../../protocol/index.js';
import type { Large } from './data.js';
import type { GridOrder } from './grid-layout.js';
import { HeadGrid } from './head-grid.jsx';
import { headKinds } from './kinds.js';
import { endsOf, LargeHead } from './large-head.jsx';
import { makeAttentionStore, type AttentionStore, type Settings } from './store.js';

const values = ['pattern', 'scores', 'weighted'] as const;
const kinds = ['cross', 'self', 'encoder'] as const;

interface ChoiceProps<T extends string> {
  readonly label: string;
  readonly value: T;
  readonly all: readonly T[];
  readonly names: Readonly<Record<T, string>>;
  readonly set: (value: T) => void;
}

const Choice = <T extends string>(props: ChoiceProps<T>): JSX.Element => (
  <select
    aria-label={props.label}
    value={props.value}
    onChange={(e) => {
      const found = props.all.find((one) => one === e.currentTarget.value);
      if (found !== undefined) props.set(found);
    }}
  >
    <For each={props.all}>{(one) => <option value={one}>{props.names[one]}</option>}</For>
  </select>
);

const Tools = (props: { readonly store: AttentionStore }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().attention;
  const settings = (): Settings => props.store.settings();
  const { set } = props.store;
  const has = () => props.store.grid()?.result.kinds ?? [];
  return (
    <>
      <Show when={has().length > 1}>
        <Choice
          {...{
            label: t().kind,
            value: settings().kind,
            all: kinds.filter((k) => has().includes(k)),
            names: t().kinds,
          }}
          set={(kind) => set({ kind, ...(kind === 'cross' && settings().of === 'rollout' ? { of: 'heads' } : {}) })}
        />
      </Show>
      <Choice
        {...{ label: t().value, value: settings().value, all: values, names: t().values }}
        set={(value) => set({ value })}
      />
      <Choice
        {...{ label: t().sortLabel, value: settings().order, all: ['place', ...headKinds] as const, names: t().sort }}
        set={(order: GridOrder) => set({ order })}
      />
    </>
  );
};

const Switches = (props: { readonly store: AttentionStore }): JSX.Element => {
  const app = useApp();
  const t = () => app.t().attention;
  const settings = (): Settings => props.store.settings();
  const box = (name: keyof Settings & ('isHidden' | 'renormalise' | 'isStretched'), label: string, off = false) => (
    <label class="small" classList={{ soft: off }}>
      <input
        type="checkbox"
        checked={settings()[name]}
        disabled={off}
        onChange={(e) => props.store.set({ [name]: e.currentTarget.checked })}
      />{' '}
      {label}
    </label>
  );
  return (
    <div class="attention-switches">
      {box('isHidden', t().hideSpecials)}
      {box('renormalise', t().renormalise, !settings().isHidden || settings().value === 'scores')}
      {box('isStretched', t().stretch, settings().value !== 'pattern')}
    </div>
  );
};

/** How far it is, and a way to stop it. */
const Waiting = (props: { readonly store: AttentionStore }): JSX.Element => {
  const app = useApp();
  return (
    <Show when={props.store.progress()}>
      {(p) => (
        <p class="soft small" role="status">
          {app.t().attention.layersDone(p().done, p().total)}{' '}
          <button class="small" onClick={() => props.store.cancel()}>
            {app.t().status.cancel}
          </button>
        </p>
      )}
    </Show>
  );
};

/** What is to be seen large: of the heads that are chosen, or of the layer in focus. */
const largeOf = (
  { of }: Settings,
  {
    layer,
    head,
    chosen,
  }: { readonly layer: AttentionLayer; readonly head: number; readonly chosen: ReturnType<AttentionStore['chosen']> },
): Large => {
  const { block, heads } = layer;
  switch (of) {
    case 'rollout':
      return { show: 'rollout', through: block };
    case 'layer':
      return { show: 'mean', heads: Array.from({ length: heads }, (_, h) => ({ block, head: h })) };
    case 'heads':
      return { show: 'mean', heads: chosen.length > 0 ? chosen : [{ block, head: Math.min(head, heads - 1) }] };
  }
};

/** Asks for what is shown, as long as the panel is open. */
const useAsking = (store: AttentionStore): void => {
  const app = useApp();
  createEffect(
    on([app.results.shown, store.shown], ([request]) => {
      if (request) store.askGrid(request);
    }),
  );
  // An encoder-decoder begins with what joins its halves.
  createEffect(
    on(
      () => store.grid()?.result.kinds.join(),
      (now) => {
        if (now?.includes('cross') && store.settings().kind === 'self') store.set({ kind: 'cross' });
        else if (now === 'self' && store.settings().kind !== 'self') store.set({ kind: 'self' });
      },
      { defer: true },
    ),
  );
  const layer = createMemo(() => {
    const layers = store.grid()?.result.layers ?? [];
    return layers.find((l) => l.block === app.focus()?.after) ?? layers.at(-1);
  });
  createEffect(() => {
    const [held, of] = [store.grid(), layer()];
    if (!held || !of || held.shown.kind !== store.settings().kind) return;
    if (held.shown.isDifference !== store.shown().isDifference) return;
    const known = store.chosen().filter((h) => held.result.layers.some((l) => l.block === h.block && h.head < l.heads));
    store.askLarge(held.of, largeOf(store.settings(), { layer: of, head: app.focus()?.head ?? 0, chosen: known }));
  });
};

/** Where heads look: all at a glance, one of them large. */
export const AttentionPanel = (): JSX.Element => {
  const app = useApp();
  const store = app.kept('attention', () => makeAttentionStore(app));
  useAsking(store);
  const layers = () => store.grid()?.result.layers ?? [];
  const ends = createMemo(() => endsOf({ ...store.settings(), ...(store.grid()?.shown ?? store.shown()) }, layers()));
  return (
    <Panel
      id="attention"
      title={app.t().attention.title}
      help={app.t().attention.help}
      tools={<Tools store={store} />}
      differs
      grows
    >
      <Switches store={store} />
      <Waiting store={store} />
      <Show when={store.mistake()}>
        <p class="mistake">{errorText(app.t(), store.mistake())}</p>
      </Show>
      <div class="grid-space">
        <Show when={layers().length > 0}>
          <HeadGrid
            {...{ store, layers: layers(), order: store.settings().order, ends: ends() }}
            isDifference={store.grid()?.shown.isDifference ?? false}
          />
        </Show>
      </div>
      <Show when={store.large()}>{(held) => <LargeHead {...{ store, held: held() }} />}</Show>
    </Panel>
  );
};
