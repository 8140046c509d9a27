import { createMemo, createSignal, type Accessor } from 'solid-js';
import type { App } from '../../app.js';
import { makeLatest } from '../../link/latest.js';
import type { AttentionResult } from '../../../protocol/index.js';
import type { Progress } from '../../state/results.js';
import { unusual, withPanel, withUsual, type PanelSettings } from '../../state/panel-settings.js';
import type { Request } from '../../state/request.js';
import { turnedRequest } from '../../state/turned.js';
import { askGrid, askLarge, readThumbs, type AttentionRun, type HeadRef, type Large, type Shown } from './data.js';
import type { GridOrder } from './grid-layout.js';
import type { Matrix } from '../../look/matrix.js';

/** How the panel is set. */
export interface Settings extends Omit<Shown, 'isDifference'> {
  readonly order: GridOrder;
  readonly as: 'map' | 'lines';
  /** What is large: the chosen heads, all heads of the layer, or the rollout up to the layer. */
  readonly of: 'heads' | 'layer' | 'rollout';
  /** Whether the scale ends at the greatest number that there is, not at 1. */
  readonly isStretched: boolean;
}

/** What the host holds, and of what it is. */
export interface HeldAttention {
  /** Two of one key are the same. */
  readonly key: string;
  /** What was asked for, and what `run` is of: of a difference the first is A, the second B. */
  readonly of: Request;
  readonly request: Request;
  readonly run: string;
  /** Of a difference, A's: what is held under `run` is then B's. */
  readonly minus: string | undefined;
  readonly shown: Shown;
  readonly result: AttentionResult;
}

export interface HeldLarge extends HeldAttention {
  readonly large: Large;
}

/** Pictures of a layer's heads, as they are asked for. */
export interface Thumbs {
  readonly pixels: number;
  readonly heads: readonly Matrix[];
}

export interface AttentionStore {
  readonly settings: Accessor<Settings>;
  readonly shown: Accessor<Shown>;
  readonly set: (change: Partial<Settings>) => void;
  /** Heads chosen beside the one in focus; where there are any, their mean is large. */
  readonly chosen: Accessor<readonly HeadRef[]>;
  readonly choose: (heads: readonly HeadRef[]) => void;
  readonly grid: Accessor<HeldAttention | undefined>;
  readonly large: Accessor<HeldLarge | undefined>;
  /** By site. */
  readonly thumbs: Accessor<ReadonlyMap<string, Thumbs>>;
  readonly needThumbs: (sites: readonly string[], pixels: number) => void;
  readonly askGrid: (request: Request) => void;
  readonly askLarge: (request: Request, large: Large) => void;
  readonly progress: Accessor<Progress | undefined>;
  /** What went wrong. */
  readonly mistake: Accessor<unknown>;
  readonly cancel: () => void;
  /** A run of this page's own, by its name. */
  readonly runOf: (request: Request, name: string) => Omit<AttentionRun, 'signal'> | undefined;
  /** The run that is held, to look at. */
  readonly heldRun: (held: HeldAttention) => Omit<AttentionRun, 'signal'> | undefined;
}

/** The names of this page's runs in the host: pages share it. */
const pageId = (): string => `page-${Math.random().toString(36).slice(2, 10)}`;

const shownIn = (
  { kind, value, isHidden, renormalise }: Settings,
  { isDifference }: Pick<Shown, 'isDifference'>,
): Shown => ({ kind, value, isHidden, renormalise, isDifference });

const start: Settings = {
  ...{ order: 'place', as: 'map', of: 'heads', kind: 'self', value: 'pattern' },
  ...{ isHidden: false, renormalise: false, isStretched: false },
};

/** What a run's pictures are fetched by. */
const makeThumbs = (heldRun: AttentionStore['heldRun'], grid: Accessor<HeldAttention | undefined>) => {
  const [thumbs, setThumbs] = createSignal<ReadonlyMap<string, Thumbs>>(new Map());
  let of = '';
  const reads = makeLatest(
    async ({ sites, pixels }: { readonly sites: readonly string[]; readonly pixels: number }, signal: AbortSignal) => {
      const held = grid();
      const run = held && heldRun(held);
      if (!held || !run) return;
      if (of !== held.key) setThumbs(new Map());
      of = held.key;
      for (const site of sites) {
        const layer = held.result.layers.find((l) => l.site === site);
        if (!layer || (thumbs().get(site)?.pixels ?? 0) >= pixels) continue;
        const heads = await readThumbs({ ...run, signal }, layer, pixels);
        if (!signal.aborted) setThumbs(new Map([...thumbs(), [site, { pixels, heads }]]));
      }
    },
    () => undefined, // what is not held any more is asked for anew by the panel
    { supersede: 'stop' },
  );
  return { thumbs, needThumbs: (sites: readonly string[], pixels: number) => reads.ask({ sites, pixels }) };
};

const keyOf = (request: Request, shown: Shown, large?: Large): string => JSON.stringify([request.key, shown, large]);

/** Two answers as one: the scale has room for both. */
const joined = (a: AttentionResult, b: AttentionResult): AttentionResult => ({
  ...b,
  layers: b.layers.map((layer) => {
    const other = a.layers.find((l) => l.site === layer.site) ?? layer;
    const [least, greatest] = [Math.min(layer.least, other.least), Math.max(layer.greatest, other.greatest)];
    return { ...layer, least, greatest };
  }),
});

/** What is asked of the host, and how far it is. */
const makeAsking = (runOf: AttentionStore['runOf']) => {
  const [progress, setProgress] = createSignal<Progress>();
  const [mistake, setMistake] = createSignal<unknown>();
  return {
    ...{ progress, mistake, setProgress },
    failed: (error: unknown): void => {
      setProgress(undefined);
      setMistake(error);
    },
    /** @returns what the host holds then; undefined where it was stopped */
    ask: async (
      { request, name, shown, large }: Pick<HeldAttention, 'request' | 'shown'> & { name: string; large?: Large },
      signal: AbortSignal,
    ): Promise<HeldAttention | undefined> => {
      const asked = async (of: Request, as: string) => {
        const found = runOf(of, as);
        if (!found) return undefined;
        const run = { ...found, signal, onProgress: setProgress };
        const result = await (large ? askLarge(run, shown, large) : askGrid(run, shown));
        return { request: of, run: run.run, minus: undefined as string | undefined, result };
      };
      const a = await asked(request, name);
      const turned = a && shown.isDifference ? turnedRequest(request) : undefined;
      const b = turned && (await asked(turned, `${name}-b`));
      const held = a && b ? { ...b, minus: a.run, result: joined(a.result, b.result) } : a;
      if (!held || signal.aborted) return undefined;
      setProgress(undefined);
      setMistake(undefined);
      return { ...held, key: keyOf(request, shown, large), of: request, shown };
    },
  };
};

/** The heads' pictures, and what is large: each is asked for when it is another than what is held. */
const makeHeld = (runOf: AttentionStore['runOf'], shown: Accessor<Shown>) => {
  const asking = makeAsking(runOf);
  const [grid, setGrid] = createSignal<HeldAttention>();
  const [large, setLarge] = createSignal<HeldLarge>();
  const grids = makeLatest(
    async (request: Request, signal) => {
      const held = await asking.ask({ request, name: 'grid', shown: shown() }, signal);
      if (held) setGrid(held);
    },
    asking.failed,
    { supersede: 'stop', quietMs: 60 },
  );
  const larges = makeLatest(
    async ({ request, wanted }: { readonly request: Request; readonly wanted: Large }, signal) => {
      const held = await asking.ask({ request, name: 'large', shown: shown(), large: wanted }, signal);
      if (held) setLarge({ ...held, large: wanted });
    },
    asking.failed,
    { supersede: 'stop' },
  );
  return {
    ...{ grid, large, progress: asking.progress, mistake: asking.mistake },
    askGrid: (request: Request): void => {
      if (grid()?.key !== keyOf(request, shown())) grids.ask(request);
    },
    askLarge: (request: Request, wanted: Large): void => {
      if (large()?.key !== keyOf(request, shown(), wanted)) larges.ask({ request, wanted });
    },
    cancel: (): void => {
      grids.cancel();
      larges.cancel();
      asking.setProgress(undefined);
    },
  };
};

/** What the page knows of attention; kept while the panel is closed, so that it opens at once. */
export const makeAttentionStore = (
  app: Pick<App, 'session' | 'side' | 'results' | 'view' | 'setView'>,
): AttentionStore => {
  const id = pageId();
  const kept = () => app.view.panels.attention ?? {};
  const settings = createMemo((): Settings => {
    const { chosen: _, ...own } = kept();
    return withUsual(start, own);
  });
  const chosen = createMemo((): readonly HeadRef[] => kept().chosen ?? []);
  const keep = (change: Partial<Settings> & { readonly chosen?: readonly HeadRef[] }): void => {
    const all = unusual({ ...kept(), ...change }, { ...start, chosen: [] }) as PanelSettings['attention'];
    app.setView({ panels: withPanel(app.view.panels, { attention: all }) });
  };
  const runOf: AttentionStore['runOf'] = (request, name) => {
    const client = app.session.client();
    return client && { client, request, run: `${id}-${name}` };
  };
  const heldRun: AttentionStore['heldRun'] = ({ request, run, minus }) => {
    const client = app.session.client();
    return client && { client, request, run, minus };
  };
  const isDifference = (): boolean => app.side() === 'difference' && app.results.shown()?.other !== undefined;
  const shown = createMemo(() => shownIn(settings(), { isDifference: isDifference() }));
  const held = makeHeld(runOf, shown);
  return {
    ...{ settings, shown, chosen, runOf, heldRun, ...held, ...makeThumbs(heldRun, held.grid) },
    set: keep,
    choose: (heads) => keep({ chosen: heads }),
  };
};
