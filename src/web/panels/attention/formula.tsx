import { createEffect, createSignal, on, Show, type Accessor, type JSX } from 'solid-js';
import { useApp } from '../../app.js';
import { makeLatest } from '../../link/latest.js';
import { compact } from '../../look/numbers.js';
import { masked } from '../../look/matrix-image.js';
import { visible } from '../../look/token-text.js';
import type { Written } from '../../../protocol/index.js';
import {
  captureHead,
  readCell,
  readNumbers,
  type AttentionRun,
  type CellAt,
  type CellNumbers,
  type HeadRef,
} from './data.js';
import type { AttentionStore, HeldLarge } from './store.js';

interface Found {
  readonly cell: CellAt;
  /** Of the one head that is shown. */
  readonly numbers?: CellNumbers;
  /** The number that is shown, where it is of several heads. */
  readonly mean?: number | undefined;
  /** What is shown of two runs. */
  readonly two?: { readonly a: number | undefined; readonly b: number | undefined };
  readonly written?: Written;
}

/** The one head that is large, and how many its layer has; of two runs there is none. */
export const loneHead = (
  held: HeldLarge,
  store: AttentionStore,
): (HeadRef & { readonly heads: number }) | undefined => {
  const { large, shown } = held;
  if (shown.isDifference) return undefined;
  const [only] = large.show === 'mean' && large.heads.length === 1 ? large.heads : [];
  const layer = only && store.grid()?.result.layers.find((l) => l.block === only.block);
  return only && layer ? { ...only, heads: layer.heads } : undefined;
};

/** What a key hands over to the stream through this head, as words; not of an encoder, whose stream is never read. */
const readWritten = async (
  { client, request, signal }: AttentionRun,
  { block, head }: HeadRef,
  { query, key, isCross }: CellAt & { readonly isCross: boolean },
): Promise<Written | undefined> => {
  const edits = request.edits.map((text) => ({ text }));
  const given = { ...request.input, edits, block, position: query, taken: [{ head, key, isCross }], top: 3 };
  return (await client.request('writes', given, { signal })).taken[0];
};

/** The number that is large of a cell; of a difference that of either run. */
const readShown = async (run: AttentionRun, held: HeldLarge, cell: CellAt): Promise<Found> => {
  const { kind } = held.shown;
  const site = held.result.layers[0]?.site ?? '';
  const where = { query: cell.query, [kind === 'cross' ? 'source' : 'key']: cell.key };
  const of = (name: string) => readCell({ ...run, run: name, minus: undefined }, site, where);
  if (run.minus === undefined) return { cell, mean: await of(run.run) };
  return { cell, two: { a: await of(run.minus), b: await of(run.run) } };
};

/** The numbers of the cell that is pointed at: first those of the formula, then what it writes. */
export const useFormula = (store: AttentionStore) => {
  const [found, setFound] = createSignal<Found>();
  let captured = '';
  const reads = makeLatest(
    async ({ cell, held }: { readonly cell: CellAt; readonly held: HeldLarge }, signal: AbortSignal) => {
      const lone = loneHead(held, store);
      const run = lone ? store.runOf(held.request, 'cell') : store.heldRun(held);
      if (!run) return;
      const { kind } = held.shown;
      if (!lone) {
        setFound(await readShown({ ...run, signal }, held, cell));
        return;
      }
      const of = JSON.stringify([held.request.key, kind, lone]);
      if (captured !== of) await captureHead({ ...run, signal }, lone, kind);
      captured = of;
      const numbers = await readNumbers({ ...run, signal }, { ...lone, kind }, cell);
      setFound({ cell, numbers });
      if (kind === 'encoder' || numbers.share === undefined || (numbers.score ?? 0) < masked) return;
      const written = await readWritten({ ...run, signal }, lone, { ...cell, isCross: kind === 'cross' });
      if (written && !signal.aborted) setFound({ cell, numbers, written });
    },
    () => undefined, // the words are of a model whose head can be read so; the numbers stay
    { supersede: 'stop' },
  );
  return { found, ask: reads.ask };
};

interface Props {
  readonly cell: CellAt | undefined;
  readonly held: HeldLarge;
  readonly store: AttentionStore;
  readonly queries: readonly string[];
  readonly keys: readonly string[];
}

const textOf = (
  t: ReturnType<ReturnType<typeof useApp>['t']>['attention'],
  { cell, found, props }: { cell: CellAt; found: Found | undefined; props: Props },
): string => {
  const [from, to] = [props.queries[cell.query] ?? '', props.keys[cell.key] ?? ''].map(visible);
  const where = `${t.from(from ?? '')} ${t.to(to ?? '')}`;
  const isOfCell = found?.cell.query === cell.query && found.cell.key === cell.key;
  const { numbers, mean, two, written } = isOfCell ? found : {};
  if (two) {
    const isMasked = (two.a ?? 0) < masked || (two.b ?? 0) < masked;
    const difference = compact((two.b ?? NaN) - (two.a ?? NaN));
    return `${where}: ${isMasked ? t.masked : t.two(compact(two.a), compact(two.b), difference)}`;
  }
  if (mean !== undefined) return `${where}: ${mean < masked ? t.masked : t.number(compact(mean))}`;
  if (numbers?.score !== undefined && numbers.score < masked) return `${where}: ${t.masked}`;
  const shown = (x: number | undefined): string => (x === undefined ? '…' : compact(x));
  const { score, share, length } = numbers ?? {};
  const product = share === undefined || length === undefined ? undefined : share * length;
  const formula = t.formula(shown(score), shown(share));
  const times = t.times(shown(length), shown(product));
  const isSeen = (written?.raised[0]?.effect ?? 0) * (share ?? 0) > 5e-4;
  const raised = isSeen ? written?.raised : undefined;
  const words = raised?.map((w) => `${visible(w.text)} +${compact(w.effect * (share ?? 0))}`).join(', ');
  return `${where}: ${formula}${times}${words === undefined ? '' : t.writes(words)}`;
};

/** The formula with the numbers of the cell that is pointed at. */
export const Formula = (props: Props): JSX.Element => {
  const app = useApp();
  const { found, ask } = useFormula(props.store);
  const cell: Accessor<CellAt | undefined> = () => props.cell;
  createEffect(
    on([cell, () => props.held], ([at, held]) => {
      if (at) ask({ cell: at, held });
    }),
  );
  return (
    <p class="small formula" id="formula" aria-live="polite">
      <Show when={cell()} fallback={<span class="soft">{app.t().attention.pointAt}</span>}>
        {(at) => <>{textOf(app.t().attention, { cell: at(), found: found(), props })}</>}
      </Show>
    </p>
  );
};
