import { createEffect, createMemo, createSignal, For, on, Show, type JSX } from 'solid-js';
import type { WeightEntry } from '../../../protocol/index.js';
import { useApp, type App } from '../../app.js';
import { errorText } from '../../i18n/told.js';
import { makeLatest } from '../../link/latest.js';
import { layerOf } from '../../look/names.js';
import { Panel } from '../../shell/panel.jsx';
import type { Request, Run } from '../../state/request.js';
import { readHeads, readWeights, type HeadPlace, type Three } from './data.js';
import { ThreePictures } from './three-pictures.jsx';

type Pair = Request & { readonly other: Run };

/** The two runs as A and B, whichever is looked at. */
const pairOf = (app: App): Pair | undefined => {
  const request = app.results.shown();
  const { other } = request ?? {};
  if (!request || !other) return undefined;
  if (app.side() !== 'b') return { ...request, other };
  const { input, edits, sampling } = request;
  return { ...request, ...other, other: { input, edits, sampling } };
};

/** Reads something of both runs when they or the place change; what went wrong is told in its stead. */
const useThree = <Place,>(
  place: () => Place | undefined,
  read: (pair: Pair, place: Place, signal: AbortSignal) => Promise<Three>,
) => {
  const app = useApp();
  const [three, setThree] = createSignal<Three>();
  const [cause, setMistake] = createSignal<unknown>();
  const mistake = (): string | undefined => (cause() === undefined ? undefined : errorText(app.t(), cause()));
  const reads = makeLatest(
    async ({ pair, at }: { readonly pair: Pair; readonly at: Place }, signal: AbortSignal) => {
      setThree(await read(pair, at, signal));
      setMistake(undefined);
    },
    (error) => {
      setThree(undefined);
      setMistake(error);
    },
    { supersede: 'stop', quietMs: 80 },
  );
  createEffect(
    on([() => pairOf(app), () => JSON.stringify(place())], ([pair]) => {
      const at = place();
      if (pair && at !== undefined) reads.ask({ pair, at });
    }),
  );
  return { three, mistake };
};

interface SectionProps {
  readonly title: string;
  readonly found: ReturnType<typeof useThree>;
  readonly isSigned: boolean;
  readonly choice?: JSX.Element;
}

const Section = (props: SectionProps): JSX.Element => (
  <section class="beside-section">
    <div class="head-title">
      <h3>{props.title}</h3>
      {props.choice}
    </div>
    <Show when={props.found.mistake()}>{(text) => <p class="mistake">{text()}</p>}</Show>
    <Show when={props.found.three()}>{(of) => <ThreePictures of={of()} isSigned={props.isSigned} />}</Show>
  </section>
);

/** The head in focus of both runs. */
const Heads = (): JSX.Element => {
  const app = useApp();
  const run = `beside-${Math.random().toString(36).slice(2, 10)}`;
  const [isCross, setCross] = createSignal(false);
  const hasCross = (): boolean => (app.focus()?.after ?? '').startsWith('decoder.');
  const place = createMemo((): HeadPlace | undefined => {
    const { after = '', head = 0 } = app.focus() ?? {};
    if (layerOf(after) === undefined) return undefined;
    return { block: after, head, module: hasCross() && isCross() ? 'cross_attn' : 'attn' };
  });
  const found = useThree(place, (pair, at, signal) => {
    const client = app.session.client();
    return client ? readHeads({ client, run, signal }, pair, at) : Promise.reject(new Error(''));
  });
  const heads = () => app.results.compare()?.model.heads ?? 1;
  const choice = (
    <span>
      <Show when={hasCross()}>
        <button class="plain small" aria-pressed={isCross()} onClick={() => setCross(!isCross())}>
          {app.t().attention.kinds.cross}
        </button>
      </Show>
      <select
        aria-label={app.t().attention.grid}
        value={place()?.head ?? 0}
        onChange={(event) => app.look({ head: Number(event.currentTarget.value) })}
      >
        <For each={Array.from({ length: heads() }, (_, i) => i)}>
          {(head) => <option value={head}>{`${layerOf(app.focus()?.after ?? '') ?? ''}.${head}`}</option>}
        </For>
      </select>
    </span>
  );
  return (
    <Show when={place()} fallback={<p class="soft small">{app.t().beside.chooseLayer}</p>}>
      <Section title={app.t().attention.title} found={found} isSigned={false} choice={choice} />
    </Show>
  );
};

const useEntries = () => {
  const app = useApp();
  const [entries, setEntries] = createSignal<readonly WeightEntry[]>([]);
  createEffect(
    on(
      () => pairOf(app)?.input.model,
      (model) => {
        if (model === undefined) return;
        app.session
          .client()
          ?.request('list', { model, show: ['weights'] })
          .then(
            ({ weights = [] }) => setEntries(weights),
            () => setEntries([]), // the section then has nothing to choose from
          );
      },
    ),
  );
  return entries;
};

/** A weight of both models: where the models are two, or edits change one. */
const Weights = (): JSX.Element => {
  const app = useApp();
  const entries = useEntries();
  const [name, setName] = createSignal<string>();
  const matrices = createMemo(() => entries().filter((e) => e.shape.length === 2));
  const entry = createMemo(() => {
    const layer = layerOf(app.focus()?.after ?? 'embed')?.replace(/^\w+\./, '') ?? '';
    const near = matrices().find((e) => e.name.includes(`.${layer}.`));
    return matrices().find((e) => e.name === name()) ?? near ?? matrices()[0];
  });
  const place = () => {
    const found = entry();
    return found && { name: found.name, shape: found.shape };
  };
  const found = useThree(place, (pair, at, signal) => {
    const client = app.session.client();
    return client ? readWeights(client, pair, { ...at, signal }) : Promise.reject(new Error(''));
  });
  const choice = (
    <select
      class="mono"
      aria-label={app.t().weights.title}
      value={entry()?.name ?? ''}
      onChange={(event) => setName(event.currentTarget.value)}
    >
      <For each={matrices()}>{(e) => <option value={e.name}>{e.name}</option>}</For>
    </select>
  );
  return <Section title={app.t().weights.title} found={found} isSigned choice={choice} />;
};

/** Two runs, picture by picture: A, B, and B − A. */
export const BesidePanel = (): JSX.Element => {
  const app = useApp();
  return (
    <Panel id="beside-panel" title={app.t().beside.panel} help={app.t().beside.help} grows>
      <Show when={pairOf(app)} fallback={<p class="soft">{app.t().beside.none}</p>}>
        <div class="scrolls">
          <Heads />
          <Weights />
        </div>
      </Show>
    </Panel>
  );
};
