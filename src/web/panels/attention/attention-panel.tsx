import { createEffect, createMemo, createSignal, For, on, Show, type Accessor, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { Panel } from '../../shell/panel.jsx';
import type { LayerAttention } from './data.js';
import type { GridOrder } from './grid-layout.js';
import { HeadGrid } from './head-grid.jsx';
import { HeadView } from './head-view.jsx';
import { headKinds } from './kinds.js';
import { useAttention } from './use-attention.js';

/** How the panel is set. */
interface Settings {
  readonly order: GridOrder;
  readonly as: 'map' | 'lines';
  /** The first token is left out: in many heads it takes what has nowhere to go. */
  readonly isFirstHidden: boolean;
  readonly kind: LayerAttention['kind'];
}

interface ToolProps {
  readonly settings: Settings;
  readonly set: (change: Partial<Settings>) => void;
  readonly hasCross: boolean;
}

const kinds = ['cross', 'self', 'encoder'] as const;

const Tools = (props: ToolProps): JSX.Element => {
  const app = useApp();
  const t = () => app.t().attention;
  return (
    <>
      <Show when={props.hasCross}>
        <select
          aria-label={t().kind}
          value={props.settings.kind}
          onChange={(e) => props.set({ kind: e.currentTarget.value as Settings['kind'] })}
        >
          <For each={kinds}>{(kind) => <option value={kind}>{t().kinds[kind]}</option>}</For>
        </select>
      </Show>
      <button
        class="small"
        aria-pressed={props.settings.isFirstHidden}
        onClick={() => props.set({ isFirstHidden: !props.settings.isFirstHidden })}
      >
        {t().hideFirst}
      </button>
      <select
        aria-label={t().sortLabel}
        value={props.settings.order}
        onChange={(e) => props.set({ order: e.currentTarget.value as GridOrder })}
      >
        <For each={['place', ...headKinds] as const}>{(one) => <option value={one}>{t().sort[one]}</option>}</For>
      </select>
    </>
  );
};

interface LargeProps {
  readonly layer: LayerAttention;
  readonly settings: Settings;
  readonly set: (change: Partial<Settings>) => void;
  readonly attention: ReturnType<typeof useAttention>;
}

/** The head in focus, large, under its name. */
const LargeHead = (props: LargeProps): JSX.Element => {
  const app = useApp();
  const t = () => app.t().attention;
  const head = (): number => Math.min(app.focus()?.head ?? 0, props.layer.heads.length - 1);
  const run = (name: string) => {
    const request = props.attention.of();
    return request && props.attention.runOf(request, name);
  };
  const runs = () => {
    const [all, layer] = [run('patterns'), run('layer')];
    return all && layer && { pattern: props.layer.isHeld ? all : layer, scores: layer };
  };
  return (
    <>
      <div class="head-title">
        <h3>{t().head(`${props.layer.block.replace('blocks.', '')}.${head()}`)}</h3>
        <span role="group">
          <For each={['map', 'lines'] as const}>
            {(form) => (
              <button
                class="plain small"
                aria-pressed={props.settings.as === form}
                onClick={() => props.set({ as: form })}
              >
                {t().as[form]}
              </button>
            )}
          </For>
        </span>
      </div>
      <Show when={runs()}>
        {(of) => (
          <HeadView
            {...{ layer: props.layer, head: head(), as: props.settings.as }}
            hasScores={props.attention.layerHeld() === props.layer.site}
            isReady={props.layer.isHeld || props.attention.layerHeld() === props.layer.site}
            hidden={props.settings.isFirstHidden ? 1 : 0}
            {...{ run: of().pattern, scores: of().scores }}
          />
        )}
      </Show>
    </>
  );
};

/** Asks for the numbers of the layer in focus that are not held yet: its scores, for the formula. */
const useLayer = (attention: ReturnType<typeof useAttention>, layer: Accessor<LayerAttention | undefined>): void =>
  createEffect(
    on([() => layer()?.site, attention.of], ([, request]) => {
      const of = layer();
      if (of && request) attention.askLayer({ request, layer: of });
    }),
  );

/** Where heads look: all at a glance, one of them large. */
export const AttentionPanel = (): JSX.Element => {
  const app = useApp();
  const attention = useAttention();
  const [settings, setSettings] = createSignal<Settings>({
    ...{ order: 'place', as: 'map', isFirstHidden: false, kind: 'cross' },
  });
  const set = (change: Partial<Settings>): void => void setSettings({ ...settings(), ...change });
  const hasCross = (): boolean => attention.layers().some((l) => l.kind === 'cross');
  const shown = createMemo(() => attention.layers().filter((l) => !hasCross() || l.kind === settings().kind));
  const layer = createMemo(() => shown().find((l) => l.block === app.focus()?.after) ?? shown().at(-1));
  useLayer(attention, layer);
  return (
    <Panel
      id="attention"
      title={app.t().attention.title}
      help={app.t().attention.help}
      tools={<Tools settings={settings()} set={set} hasCross={hasCross()} />}
      grows
    >
      <Show when={attention.mistake()}>
        <p class="mistake">{attention.mistake()}</p>
      </Show>
      <div class="grid-space">
        <HeadGrid layers={shown()} order={settings().order} hidden={settings().isFirstHidden ? 1 : 0} />
      </div>
      <Show when={attention.of() && layer()}>
        {(one) => <LargeHead {...{ layer: one(), settings: settings(), set, attention }} />}
      </Show>
    </Panel>
  );
};
