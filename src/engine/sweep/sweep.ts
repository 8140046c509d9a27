import { bug } from '../../base/index.js';
import { carried } from '../../graph/index.js';
import { concat, range, type FloatTensor, type Tensor } from '../../tensor/index.js';
import { placedSites, type PlacedSite } from '../experiment/sites.js';
import { isDoubled, undoubled, type Rows } from '../run/rows.js';
import { BaseRun, rowsOfStack, type KeptBy } from './base-run.js';
import { firstRow } from './change.js';
import type { Walked } from './group.js';
import { headOf, scoreAlone, scoresRows, scoreWhole, someRows } from './head.js';
import { sweptAtOnce } from './limits.js';
import type { Kept, SweepModel } from './model.js';
import { sweptSites, type SweptSite } from './places.js';
import {
  scoresRead,
  type OtherRun,
  type ScoresWanted,
  type SweepPrompt,
  type SweepRequest,
  type SweepVariant,
  type Swept,
  type SweptRun,
} from './swept.js';
import { Walk } from './walk.js';

/** Rows of streams that are scored in one call. */
const scoredAtOnce = 192;
/** Scores of whole sequences that are in memory at once, in numbers. */
const scoresAtOnce = 2 ** 24;

/** Scores of positions: of all tokens, or of some. */
interface Scores {
  readonly rows: readonly (readonly [number, Float32Array])[];
  readonly tokens?: readonly number[] | undefined;
}

const nothing: SweepVariant = { changes: [] };

/** Variants that begin to differ at the same row. */
interface Members {
  readonly from: number;
  readonly members: readonly number[];
}

interface Waiting {
  readonly variant: number;
  readonly resid: Tensor | undefined;
  readonly from: number;
  /** The position of each row of `resid`. */
  readonly rows: readonly number[];
  readonly sites: ReadonlyMap<string, Tensor>;
}

/**
 * Many runs of one prompt that each change a little. What comes before the first change of a run, in layers and in
 * rows, is the base run's and is not computed again; runs that change first at the same row go through the model
 * together, each from its own layer on; scores are made of the rows that are read. The numbers are those that each run
 * has by itself.
 */
export class Sweep implements Swept {
  readonly #places: ReadonlyMap<string, PlacedSite>;
  readonly #kept: KeptBy;
  readonly #causal: boolean;
  readonly #rowHead: boolean;
  #baseScores: Scores = { rows: [] };

  private constructor(
    readonly model: SweepModel,
    readonly request: SweepRequest,
    readonly sites: ReadonlyMap<string, SweptSite>,
    observe: ReadonlySet<string>,
  ) {
    this.#places = new Map(placedSites(model.variant.order).map((p) => [p.name, p]));
    this.#kept = keptBy(model, sites, observe);
    this.#rowHead = scoresRows(model);
    const own = model.variant.order.filter(({ segment }) => segment.kind === 'block' && segment.stack !== 'encoder');
    this.#causal = this.#rowHead && own.every(({ segment }) => segment.cache.length > 0);
    this.observe = observe;
  }

  readonly observe: ReadonlySet<string>;
  #base: BaseRun | undefined;

  /**
   * Runs the base.
   * @throws UsageError OPTION_INVALID for a site that cannot differ from run to run
   * @throws EngineError ENGINE_FAILED
   */
  static async open(model: SweepModel, request: SweepRequest): Promise<Sweep> {
    const sites = sweptSites(model, request.changes);
    const sweep = new Sweep(model, request, sites, new Set(request.observe ?? []));
    model.compilations.keepForms(1 + Math.max(0, ...behindForms(sites)) + 3);
    sweep.#base = await new BaseRun(model, request.prompt, sweep.#kept).run();
    sweep.#baseScores = await sweep.#scoresOf(sweep.base, request);
    return sweep;
  }

  get base(): BaseRun {
    if (!this.#base) throw bug('the sweep has no base run');
    return this.#base;
  }

  /** The base run's own values. */
  get baseRun(): SweptRun {
    return this.#told(this.base, this.#baseScores, new Map());
  }

  /**
   * Another prompt through the same sessions, or the same under other edits: where values to patch in come from.
   */
  async other(
    prompt: SweepPrompt,
    { variant = this.model.variant, scores = this.request }: OtherRun = {},
  ): Promise<SweptRun> {
    const run = await new BaseRun({ ...this.model, variant }, prompt, this.#kept).run();
    return this.#told(run, await this.#scoresOf(run, scores), new Map());
  }

  /**
   * Runs variants; the order in which they end is not theirs.
   * @throws EngineError ENGINE_FAILED, and what `onSegment` throws to stop
   */
  async run(
    variants: readonly SweepVariant[],
    onResult: (variant: number, run: SweptRun) => void | Promise<void>,
  ): Promise<void> {
    const groups = new Map<number, number[]>();
    variants.forEach((variant, v) => {
      const from = this.#firstRow(variant);
      groups.set(from, [...(groups.get(from) ?? []), v]);
    });
    let waiting: Waiting[] = [];
    for (const together of this.#walks([...groups].sort(([a], [b]) => a - b))) {
      const own = together.map(({ from, members }) => ({ from, variants: members.map((v) => variants[v] ?? nothing) }));
      const inHead = own.some((group) => group.variants.some((v) => this.#inHead(v).length > 0));
      const scored = this.#rowHead && !inHead ? this.request.positions : undefined;
      const walk = new Walk({ base: this.base, sites: this.sites, observe: this.observe, scored, groups: own });
      const walked = await walk.body();
      for (const [g, { from, members }] of together.entries()) {
        const ends = walked[g];
        if (!ends) continue;
        waiting.push(...members.map((variant, i) => waitingFor({ variant, from, walked: ends, i })));
        if (waiting.length * this.request.positions.length < scoredAtOnce) continue;
        await this.#score(variants, waiting, onResult);
        waiting = [];
      }
    }
    await this.#score(variants, waiting, onResult);
  }

  /** Groups that are led through the model together: as many as their streams have room for. */
  #walks(groups: readonly (readonly [number, readonly number[]])[]): readonly (readonly Members[])[] {
    const width = this.#finalStream(this.base).shape.at(-1) ?? 1;
    const most = Math.min(sweptAtOnce.rows, Math.floor(sweptAtOnce.numbers / width));
    const walks: Members[][] = [[]];
    let room = most;
    for (const [from, members] of groups) {
      const rows = this.base.rows.positions.length - from;
      if (room < members.length * rows && walks.at(-1)?.length !== 0) {
        walks.push([]);
        room = most;
      }
      walks.at(-1)?.push({ from, members });
      room -= members.length * rows;
    }
    return walks;
  }

  /** The first row that a variant computes: at least two are, since a product of one row would take another kernel. */
  #firstRow({ changes }: SweepVariant): number {
    if (!this.#causal) return 0;
    const rows = changes.map((change) => {
      const swept = this.sites.get(change.site);
      return !swept || swept.place.instance.segment.stack === 'encoder' ? 0 : firstRow(change, swept.type);
    });
    return Math.max(0, Math.min(...rows, this.request.prompt.ids.length - 2));
  }

  #inHead({ changes }: SweepVariant) {
    const head = headOf(this.model);
    return changes.filter((c) => this.sites.get(c.site)?.place.instance.name === head.name);
  }

  /** The stream of a variant before the head, all its rows. */
  #stream({ resid, from }: Waiting): Tensor {
    const base = this.#finalStream(this.base);
    if (!resid) return base;
    return from === 0 ? resid : concat([range(base, 1, [0, from]), resid], 1);
  }

  #finalStream(run: BaseRun): Tensor {
    const stream = run.states.at(-1)?.get(carried);
    if (!stream) throw bug('there is no stream before the head');
    return stream;
  }

  async #score(
    variants: readonly SweepVariant[],
    waiting: readonly Waiting[],
    onResult: (variant: number, run: SweptRun) => void | Promise<void>,
  ): Promise<void> {
    const inHead = (v: number) => this.#inHead(variants[v] ?? { changes: [] });
    const alone = this.#rowHead ? waiting.filter((w) => inHead(w.variant).length === 0) : [];
    await this.#scoreRows(alone, onResult);
    const whole = waiting.filter((w) => !alone.includes(w));
    const each = Math.max(
      1,
      Math.floor(scoresAtOnce / (this.base.rows.positions.length * this.model.program.facts.vocab)),
    );
    for (let from = 0; from < whole.length; from += each) {
      const some = whole.slice(from, from + each);
      const scores = await scoreWhole(this.model, {
        ...{ base: this.base, sites: this.sites },
        streams: some.map((w) => this.#stream(w)),
        changes: some.map((w) => inHead(w.variant)),
      });
      for (const [i, w] of some.entries())
        await onResult(w.variant, this.#told(this.base, { rows: this.#byPosition(scores[i] ?? []) }, w.sites));
    }
  }

  /** Scores of rows that are scored alone; those before a variant's first row are the base run's. */
  async #scoreRows(
    waiting: readonly Waiting[],
    onResult: (variant: number, run: SweptRun) => void | Promise<void>,
  ): Promise<void> {
    const { positions } = this.request;
    const own = waiting.map(({ resid, from }) => (resid ? positions.filter((p) => p >= from) : []));
    const parts = waiting.flatMap(({ resid, rows: there }, i) => {
      const rows = own[i] ?? [];
      return resid && rows.length > 0
        ? [
            someRows(
              resid,
              rows.map((p) => there.indexOf(p)),
            ),
          ]
        : [];
    });
    const scores = parts.length === 0 ? [] : await this.#inPieces(concat(parts, 1), this.request.tokens);
    let next = 0;
    for (const [i, w] of waiting.entries()) {
      const mine = new Map((own[i] ?? []).map((p) => [p, scores[next++] as Float32Array]));
      const all = this.#baseScores.rows.map(([p, row]) => [p, mine.get(p) ?? row] as const);
      await onResult(w.variant, this.#told(this.base, { ...this.#baseScores, rows: all }, w.sites));
    }
  }

  async #inPieces(stream: Tensor, tokens: readonly number[] | undefined): Promise<readonly Float32Array[]> {
    const count = stream.shape[1] ?? 0;
    const scores: Float32Array[] = [];
    const { vocab, modelDim } = this.model.program.facts;
    const each = Math.max(2, Math.floor(scoresAtOnce / (tokens ? modelDim : vocab)));
    for (let from = 0; from < count; from += each)
      scores.push(...(await scoreAlone(this.model, range(stream, 1, [from, Math.min(from + each, count)]), tokens)));
    return scores;
  }

  async #scoresOf(run: BaseRun, { positions, tokens }: ScoresWanted): Promise<Scores> {
    if (positions.length === 0) return { rows: [] };
    const stream = this.#finalStream(run);
    if (this.#rowHead) {
      const rows = await this.#inPieces(someRows(stream, positions), tokens);
      return { rows: positions.map((p, i) => [p, rows[i] as Float32Array] as const), tokens };
    }
    const [scores = []] = await scoreWhole(this.model, {
      base: run,
      sites: this.sites,
      streams: [stream],
      changes: [[]],
    });
    return { rows: this.#byPosition(scores, positions) };
  }

  #byPosition(
    rows: readonly Float32Array[],
    positions: readonly number[] = this.request.positions,
  ): readonly (readonly [number, Float32Array])[] {
    const labels = this.model.program.facts.output === 'labels';
    return positions.flatMap((p) => {
      const row = labels ? rows[0] : rows[p];
      return row ? [[p, row] as const] : [];
    });
  }

  #told(run: BaseRun, scores: Scores, sites: ReadonlyMap<string, Tensor>): SweptRun {
    return {
      ...scoresRead(new Map(scores.rows), scores.tokens),
      site: (name) => this.#wholeSite(run, name, sites.get(name)),
    };
  }

  #wholeSite(run: BaseRun, name: string, own: Tensor | undefined): FloatTensor {
    const place = this.#places.get(name);
    if (!place) throw bug(`${name} is no site`);
    const base = run.site(name);
    const a = place.type.shape.indexOf('position');
    const before = a < 0 || !own ? 0 : (base.shape[a] ?? 0) - (own.shape[a] ?? 0);
    const whole = !own ? base : before === 0 ? own : concat([range(base, a, [0, before]), own as FloatTensor], a);
    const rows: Rows = rowsOfStack(place.instance, run.rows);
    return undoubled(whole, place.type.axes, rows.source && !isDoubled(rows) ? { ...rows } : rows) as FloatTensor;
  }
}

/** Opens a sweep where the model runs. @throws as `Sweep.open` */
export const openSweep = (model: SweepModel, request: SweepRequest): Promise<Swept> =>
  model.elsewhere ? model.elsewhere.sweep(request) : Sweep.open(model, request);

const waitingFor = ({
  variant,
  from,
  walked: { resid, sites, positions },
  i,
}: {
  readonly variant: number;
  readonly from: number;
  readonly walked: Walked;
  readonly i: number;
}): Waiting => ({
  ...{ variant, from, resid: resid[i], rows: positions },
  sites: sites[i] ?? new Map<string, Tensor>(),
});

/** Forms behind a site that each instance will have. */
const behindForms = (sites: ReadonlyMap<string, SweptSite>): number[] => {
  const count = new Map<string, number>();
  for (const { place, way } of sites.values())
    if (way.kind === 'behind') count.set(place.instance.name, (count.get(place.instance.name) ?? 0) + 1);
  return [...count.values()];
};

/** What each instance has to keep: sites that are changed or observed, and what is read behind the changed ones. */
const keptBy = (model: SweepModel, sites: ReadonlyMap<string, SweptSite>, observe: ReadonlySet<string>): KeptBy => {
  const kept = new Map<string, Kept>();
  for (const place of placedSites(model.variant.order)) {
    const swept = sites.get(place.name);
    if (!swept && !observe.has(place.name)) continue;
    const { sites: names, values } = kept.get(place.instance.name) ?? { sites: [], values: [] };
    const reads = swept?.way.kind === 'behind' ? swept.way.reads : [];
    kept.set(place.instance.name, {
      sites: [...names, place.site.name],
      values: [...new Set([...values, ...reads])],
    });
  }
  return kept;
};
