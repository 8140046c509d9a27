import { alignTokens, bug } from '../../base/index.js';
import {
  batchedEdits,
  openSweep,
  placedSites,
  type Change,
  type ChangeTo,
  type LiveEdit,
  type Prompt,
  type Swept,
  type SweepModel,
  type SweepVariant,
  type SweptRun,
  type Variant,
} from '../../engine/index.js';
import type { FloatTensor } from '../../tensor/index.js';
import {
  alignedValue,
  kindOf,
  layerOf,
  rowsOf,
  type Alignment,
  type Cell,
  type Ledger,
  type Metric,
} from '../sweep/index.js';

/** What cells are changed to. `patch`: what the other run has there. */
export type CellValue =
  | { readonly kind: 'patch'; readonly prompt: Prompt; readonly metric: Metric; readonly variant?: Variant }
  | { readonly kind: 'zero' }
  /** The mean of the base run over its positions. */
  | { readonly kind: 'mean'; readonly prompts: readonly Prompt[] };

export interface PatchRequest {
  /** Whose run is changed. */
  readonly prompt: Prompt;
  readonly to: CellValue;
  readonly cells: readonly Cell[];
  /** Cells of so many layers around are changed together: of the same site, at the same place. */
  readonly window?: number;
  readonly metric: Metric;
  readonly ledger?: Ledger;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface Patched {
  /** The metric of the run that is changed, of the one that values come from (where there is one), and with each change. */
  readonly base: number;
  readonly other: number | undefined;
  /** NaN where nothing stands for the cell in the other prompt. */
  readonly values: readonly number[];
}

/** A change that adds noise to a site, as an edit that all runs of a sweep have. */
export const noiseEdit = (
  model: SweepModel,
  site: string,
  { positions, noise }: { readonly positions: readonly number[]; readonly noise: FloatTensor },
): Variant => {
  const place = placedSites(model.variant.order).find((p) => p.name === site);
  if (!place) throw bug(`${site} is no site`);
  const { instance, type } = place;
  const indices = type.axes.map((axis) => (axis === 'position' ? positions : undefined));
  const change: Change = { site, indices, to: { kind: 'add', tensor: noise } };
  const own: readonly LiveEdit[] = model.variant.edits.get(instance.name) ?? [];
  const added = batchedEdits({ site: place.site.name, type, tag: 'noise' }, [[change]]);
  return { ...model.variant, edits: new Map([...model.variant.edits, [instance.name, [...own, ...added]]]) };
};

const alignmentOf = (prompt: Prompt, other: Prompt): Alignment => ({
  positions: alignTokens(prompt.ids, other.ids),
  source: alignTokens(prompt.source?.ids ?? [], other.source?.ids ?? []),
});

/** The mean over positions (rows that look, of attention's weights) of a site in several runs. */
const meanValue = (values: readonly FloatTensor[], at: number): FloatTensor => {
  const [first] = values;
  if (!first || at < 0) throw bug('there is nothing to take the mean over');
  const shape = first.shape.map((n, a) => (a === at ? 1 : n));
  const inner = first.shape.slice(at + 1).reduce((a, b) => a * b, 1);
  const sums = new Float64Array(shape.reduce((a, b) => a * b, 1));
  let rows = 0;
  for (const { data, shape: own } of values) {
    const extent = own[at] ?? 1;
    rows += extent;
    data.forEach((x, i) => {
      const to = Math.floor(i / inner / extent) * inner + (i % inner);
      sums[to] = (sums[to] ?? 0) + x;
    });
  }
  return { dtype: 'float32', shape, data: Float32Array.from(sums, (x) => x / rows) };
};

/** The cells that are changed together with one: those of neighbouring layers at the same place of the same site. */
const neighbours = (cells: readonly Cell[], cell: Cell, window: number): readonly Cell[] => {
  const layer = layerOf(cell.place);
  if (window <= 1 || layer === undefined) return [cell];
  const from = layer - Math.floor(window / 2);
  return cells.filter((c) => {
    const own = layerOf(c.place) ?? -1;
    const alike = kindOf(c.place) === kindOf(cell.place) && c.position === cell.position && c.head === cell.head;
    return alike && c.neuron === cell.neuron && own >= from && own < from + window;
  });
};

/** Makes the change of each cell. */
class Changes {
  readonly #values = new Map<string, FloatTensor>();
  constructor(
    readonly request: PatchRequest,
    readonly runs: readonly SweptRun[],
  ) {}

  /** @returns undefined where nothing of the other prompt stands for the cell */
  of(cell: Cell): Change | undefined {
    const { place } = cell;
    const { at } = rowsOf(place);
    const known = this.#alignedRows(cell);
    const own = cell.indices[at];
    const rows = known && (own ?? known).filter((p) => known.includes(p));
    if (rows?.length === 0) return undefined;
    const all = known === undefined || (own === undefined && rows?.length === this.#length(cell));
    const indices = all ? cell.indices : cell.indices.map((list, a) => (a === at ? rows : list));
    return { site: place.name, indices, to: this.#to(cell) };
  }

  #alignment(): Alignment | undefined {
    const { to, prompt } = this.request;
    return to.kind === 'patch' ? alignmentOf(prompt, to.prompt) : undefined;
  }

  #length({ place }: Cell): number {
    const { prompt } = this.request;
    return (rowsOf(place).isSource ? prompt.source : prompt)?.ids.length ?? 0;
  }

  /** Rows of a site that something stands for; undefined: all. */
  #alignedRows({ place }: Cell): readonly number[] | undefined {
    const alignment = this.#alignment();
    const map = rowsOf(place).isSource ? alignment?.source : alignment?.positions;
    return map?.flatMap((p, i) => (p === undefined ? [] : [i]));
  }

  #to({ place }: Cell): ChangeTo {
    const { to } = this.request;
    if (to.kind === 'zero') return { kind: 'number', value: 0 };
    const tensor = this.#values.get(place.name) ?? this.#valueOf(place);
    this.#values.set(place.name, tensor);
    return { kind: 'value', tensor };
  }

  #valueOf(place: Cell['place']): FloatTensor {
    const { name, type } = place;
    const values = this.runs.map((run) => run.site(name));
    if (this.request.to.kind === 'mean') return meanValue(values, rowsOf(place).at);
    const [value] = values;
    const alignment = this.#alignment();
    if (!value || !alignment) throw bug(`there is no other run to take ${name} from`);
    return alignedValue(value, { name, type, rows: rowsOf(place) }, alignment);
  }
}

/** The runs that values come from. */
const sources = async (sweep: Swept, { to, prompt }: PatchRequest): Promise<readonly SweptRun[]> => {
  switch (to.kind) {
    case 'zero':
      return [];
    case 'patch':
      return [await sweep.other(to.prompt, { variant: to.variant, scores: to.metric })];
    case 'mean': {
      const runs: SweptRun[] = [];
      for (const one of to.prompts.length > 0 ? to.prompts : [prompt]) runs.push(await sweep.other(one));
      return runs;
    }
  }
};

/**
 * Changes each cell of a run by itself (or with its neighbours in other layers) and tells what becomes of the metric.
 * @throws UsageError OPTION_INVALID where a site cannot be patched so, and what the metric throws
 * @throws EngineError ENGINE_FAILED, and what the model's `onSegment` throws to stop
 * @source Vig et al. 2020, "Causal mediation analysis"; Meng et al. 2022, "Locating and editing factual associations"
 */
export const patchCells = async (model: SweepModel, request: PatchRequest): Promise<Patched> => {
  const { prompt, cells, metric, ledger, window = 1 } = request;
  const sweep = await openSweep(model, {
    prompt,
    changes: cells.map((c) => c.place.name),
    observe: metric.sites,
    positions: metric.positions,
    tokens: metric.tokens,
  });
  const runs = await sources(sweep, request);
  const base = metric.of(sweep.baseRun);
  const other = request.to.kind === 'patch' && runs[0] ? request.to.metric.of(runs[0]) : undefined;
  const changes = new Changes(request, runs);
  const values = cells.map((_, c) => ledger?.known(c) ?? NaN);
  const variants: (SweepVariant & { readonly cell: number })[] = [];
  cells.forEach((cell, c) => {
    if (ledger?.known(c) !== undefined) return;
    const own = neighbours(cells, cell, window).map((n) => changes.of(n));
    const made = own.flatMap((change) => (change ? [change] : []));
    if (made.length > 0) variants.push({ changes: made, cell: c });
  });
  let done = cells.length - variants.length;
  await sweep.run(variants, async (v, run) => {
    const cell = variants[v]?.cell ?? 0;
    values[cell] = metric.of(run);
    await ledger?.add(cell, values[cell] ?? NaN);
    request.onProgress?.(++done, cells.length);
  });
  return { base, other, values };
};
