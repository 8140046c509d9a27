import { bug } from '../../base/index.js';
import {
  isKept,
  shapeOf,
  typesOf,
  type Extents,
  type Graph,
  type Output,
  type Param,
  type Program,
  type RelevanceRules,
} from '../../graph/index.js';
import { sitesOf, type SiteName } from '../../language/index.js';
import { sizeOf, type FloatTensor, type Tensor } from '../../tensor/index.js';
import type { Tensors } from '../backend.js';
import {
  canonicalName,
  placedSites,
  unknownSite,
  unknownWeight,
  type PlacedSite,
  type Prompt,
} from '../experiment/index.js';
import {
  checkDifferentiable,
  differentiate,
  evaluate,
  numberOf,
  type Differentiated,
  type ExpressionToken,
  type ExpressionValues,
} from '../expressions/index.js';
import { extentsFor, valueBytes } from '../run/captured-bytes.js';
import type { Compilations, GradientForm } from '../run/compiled.js';
import type { Instance } from '../run/order.js';
import { Pass } from '../run/pass.js';
import type { ForwardRequest, Moment } from '../run/request.js';
import { checkLengths, itemValues, ofItem, scoresNeeded, textsOf, type Encode, type ScalarItem } from './scalars.js';
import { scoresSite, stagesOf, type Asked, type Stage } from './plan.js';
import { floats, seedOf, summed, WayBack } from './way-back.js';

export interface GradientBatchRequest extends Pick<ForwardRequest, 'variant' | 'onSegment'> {
  /** At least one; prompts of equal length, which run together. */
  readonly items: readonly ScalarItem[];
  /** How many of them, the first, gradients are wanted of; all where left out. The others have their values only. */
  readonly back?: number;
  /** Sites whose gradients are wanted, by their names in the run order. */
  readonly sites: readonly string[];
  /** Weights whose gradients are wanted, by their names in the file. */
  readonly weights?: readonly string[];
  /** Sites whose values are wanted too. */
  readonly capture?: readonly string[];
  /** The tokens that a text is cut into, none added; needed where the expression names a token by its text. */
  readonly encode?: Encode;
  /**
   * `values` (the default): what the way back needs is kept on the way forward. `layers`: only what layers hand on is
   * kept, and each layer is computed again on the way back: less memory, one forward pass more.
   */
  readonly keep?: 'values' | 'layers';
  /** Layer-wise relevance goes back in place of gradients. */
  readonly rules?: RelevanceRules;
}

export interface GradientsRequest extends Omit<GradientBatchRequest, 'items' | 'back'>, ScalarItem {}

interface Found {
  /** The values that were to be captured. */
  readonly values: Tensors;
  /** The gradient by each site, in the site's shape. */
  readonly sites: ReadonlyMap<string, FloatTensor>;
  /** The gradient by each weight, in the layout of the file; of a batch the sum. */
  readonly weights: ReadonlyMap<string, FloatTensor>;
}

export interface Gradients extends Found {
  /** What the scalar is. */
  readonly value: number;
}

/** Of several sequences at once: values, and gradients of those that have them, are along the axis `batch`. */
export interface BatchGradients extends Found {
  /** What each scalar is. */
  readonly scalars: readonly number[];
}

interface Model {
  readonly program: Program;
  readonly compilations: Compilations;
}

const crosses = ({ name }: Output): boolean => isKept(name);

/** One request for gradients, from the forward pass to the end of the way back. */
class Work {
  readonly #places: ReadonlyMap<string, PlacedSite>;
  readonly #stages: readonly Stage[];
  /** The names in the run order of the sites that the expression reads. */
  readonly #reads: ReadonlyMap<SiteName, string>;
  readonly #moments = new Map<string, Moment>();
  readonly #pass: Pass;
  readonly #kept: boolean;

  /** Any of the prompts: all are as long. */
  readonly #prompt: Prompt;

  constructor(
    readonly model: Model,
    readonly request: GradientBatchRequest,
  ) {
    const { variant, items } = request;
    this.#prompt = checkLengths(items).prompt;
    for (const { expression } of items) checkDifferentiable(expression);
    this.#kept = request.keep !== 'layers';
    this.#places = new Map(placedSites(variant.order).map((p) => [p.name, p]));
    const read = items.flatMap(({ expression }) => sitesOf(expression));
    this.#reads = new Map(read.map(({ site }) => [site, this.#placed(site).name]));
    for (const name of [...request.sites, ...(request.capture ?? [])])
      if (!this.#places.has(name)) throw unknownSite(name, this.#places.keys());
    for (const name of request.weights ?? []) this.#weight(name);
    this.#stages = stagesOf(this.#asked());
    this.#pass = new Pass(model.program, model.compilations, {
      ...{ variant, ids: items.map((i) => i.prompt.ids), capture: this.#capture(), logits: scoresNeeded(items) },
      ...(this.#prompt.source ? { source: items.map((i) => i.prompt.source?.ids ?? []) } : {}),
      ...(request.onSegment ? { onSegment: request.onSegment } : {}),
      sparing: true,
      keeping: {
        formOf: (instance) => this.#formOf(instance),
        requestOf: (instance) => this.#stageOf(instance)?.request,
        keep: (instance, moment) => {
          if (this.#stageOf(instance)) this.#moments.set(instance.name, moment);
        },
      },
    });
  }

  /** Bytes of the gradients, and of what is kept for them. */
  get bytes(): number {
    const extents = this.#extents;
    const bytesOf = (graph: Graph, outputs: readonly Output[]): number => {
      const types = typesOf(graph);
      const sizes = outputs.map(({ value }) => valueBytes(types.get(value), extents));
      return sizes.reduce((a, b) => a + b, 0);
    };
    return this.#stages.reduce((total, { instance, request }) => {
      const form = this.#pass.form(instance);
      const made = (part: GradientForm['part']): Graph =>
        this.model.compilations.graph(instance.segment, { ...form, gradient: { request, part } });
      const kept = this.#kept ? made('forward') : undefined;
      const back = made(kept ? 'backward' : 'alone');
      return total + bytesOf(back, back.outputs) + (kept ? bytesOf(kept, kept.outputs.filter(crosses)) : 0);
    }, 0);
  }

  async run(): Promise<BatchGradients> {
    const texts = await textsOf(this.request, this.model.program);
    const { logits } = await this.#pass.run();
    const scalars = this.#differentiated(logits, texts);
    const way = new WayBack(this.model.compilations, this.request.variant);
    for (const stage of this.#stages.toReversed()) await this.#through(way, stage, scalars);
    const { capture = [], sites, weights = [] } = this.request;
    const others = this.request.items.slice(scalars.length).map(({ expression }, i) => {
      const values = this.#values(scalars.length + i, logits, texts);
      return numberOf(evaluate(expression, values), expression);
    });
    return {
      scalars: [...scalars.map((s) => s.value), ...others],
      values: new Map(capture.map((name) => [name, this.#captive(name)])),
      sites: new Map(sites.map((name) => [name, way.sites.get(name) ?? this.#zeros(name)])),
      weights: new Map(weights.map((name) => [name, this.#ofWeight(way, name)])),
    };
  }

  #differentiated(
    logits: Tensor<'float32'> | undefined,
    texts: ReadonlyMap<string, readonly ExpressionToken[]>,
  ): readonly Differentiated[] {
    const { items, back } = this.request;
    const asked = items.slice(0, back ?? items.length);
    return asked.map(({ expression }, i) => differentiate(expression, this.#values(i, logits, texts)));
  }

  get #extents(): Extents {
    const { ids, source } = this.#prompt;
    return extentsFor(this.request.items.length, ids.length, source?.ids.length);
  }

  #placed(name: string): PlacedSite {
    const place = this.#places.get(canonicalName(this.model.program, name));
    if (place) return place;
    throw unknownSite(name, [...this.#places.keys(), ...this.model.program.facts.aliases.keys()]);
  }

  #asked(): Asked {
    const { variant, sites, weights, items, rules } = this.request;
    return {
      ...{ variant, sites: new Set(sites), weights: new Set(weights), ...(rules ? { rules } : {}) },
      reads: new Set(this.#reads.values()),
      readsScores: scoresNeeded(items) !== 'none',
    };
  }

  /** Beside what is asked for: what the scalar reads, and of a head that has more to do its sites, so that it runs whole. */
  #capture(): ReadonlySet<string> {
    const head = this.#stages.find((s) => s.instance.segment.kind === 'head')?.request;
    const whole = head ? [...head.sites, ...head.edits.map((e) => e.site)] : [];
    return new Set([...(this.request.capture ?? []), ...this.#reads.values(), ...whole]);
  }

  #stageOf(instance: Instance): Stage | undefined {
    return this.#stages.find((s) => s.instance === instance);
  }

  #formOf(instance: Instance): GradientForm | undefined {
    const stage = this.#kept ? this.#stageOf(instance) : undefined;
    return stage && { request: stage.request, part: 'forward' };
  }

  #captive(name: string): Tensor {
    const value = this.#pass.sites.get(name);
    if (!value) throw bug(`${name} was not captured`);
    return value;
  }

  #values(
    item: number,
    logits: Tensor<'float32'> | undefined,
    texts: ReadonlyMap<string, readonly ExpressionToken[]>,
  ): ExpressionValues {
    const prompt = this.request.items[item]?.prompt ?? this.#prompt;
    const site = (name: SiteName) => {
      const { name: found, type } = this.#placed(name);
      return { tensor: ofItem(this.#captive(found), item), axes: type.axes };
    };
    return itemValues({ prompt, texts, site, logits: logits && ofItem(logits, item) });
  }

  async #through(way: WayBack, stage: Stage, scalars: readonly Differentiated[]): Promise<void> {
    const { instance } = stage;
    const moment = this.#moments.get(instance.name);
    if (!moment) throw bug(`${instance.name} was not run`);
    await this.request.onSegment?.(instance.name);
    const form = this.#pass.form(instance);
    const seeds = new Map(stage.request.seeds.map((site) => [site, this.#seed(stage, site, { scalars, moment })]));
    const items = { all: this.request.items.length, back: scalars.length };
    await way.through({ stage, form, moment, seeds, kept: this.#kept, whole: this.#pass.rowsHanded, items });
    this.#moments.delete(instance.name);
  }

  /** The scalars' derivatives by a site: of what they read of the site itself, and of scores. */
  #seed(
    { instance }: Stage,
    site: string,
    { scalars, moment }: { scalars: readonly Differentiated[]; moment: Moment },
  ): FloatTensor {
    const place = [...this.#places.values()].find((p) => p.instance === instance && p.site.name === site);
    if (!place) throw bug(`no ${site} in ${instance.name}`);
    const names = [...this.#reads].filter(([, name]) => name === place.name).map(([name]) => name);
    const own = names.map((name) => this.#siteSeed(place, { name, scalars, moment }));
    const [first, ...others] = [...own, ...(site === scoresSite ? this.#scoresSeed(scalars, moment) : [])];
    if (!first) throw bug(`nothing is known of how the scalar changes with ${place.name}`);
    return others.reduce<FloatTensor>(summed, first);
  }

  /** Of what the scalars read of a site under one of its names; zeros for those that do not read it. */
  #siteSeed(
    place: PlacedSite,
    { name, scalars, moment }: { name: SiteName; scalars: readonly Differentiated[]; moment: Moment },
  ): FloatTensor {
    const value = this.#captive(place.name);
    const { length } = this.request.items;
    if (length > 1 && place.type.axes[0] !== 'batch') throw bug(`${place.name} is shared by the sequences of a batch`);
    const slopes = new Float64Array(sizeOf(value.shape));
    const each = slopes.length / length;
    scalars.forEach(({ sites }, i) => slopes.set(sites.get(name) ?? [], i * each));
    return seedOf(value, slopes, { type: place.type, rows: moment.rows });
  }

  /** By rows of scores as the head computed them: all, or the last alone. None where no scalar reads scores. */
  #scoresSeed(scalars: readonly Differentiated[], { results, rows }: Moment): readonly FloatTensor[] {
    const logits = results.get(scoresSite);
    if (!logits || scalars.every(({ scores }) => scores.size === 0)) return [];
    const seed = floats(logits, [scalars.length, ...logits.shape.slice(1)]);
    const vocab = logits.shape.at(-1) ?? 0;
    const count = logits.shape.length === 2 ? 1 : (logits.shape[1] ?? 1);
    scalars.forEach(({ scores }, item) => {
      for (const [position, slope] of scores) {
        const row = logits.shape.length === 2 ? item : item * count + rows.positions.indexOf(position);
        seed.data.set(slope, row * vocab); // a position's row is there once
      }
    });
    return [seed];
  }

  #zeros(name: string): FloatTensor {
    return floats(undefined, shapeOf(this.#placed(name).type, this.#extents));
  }

  #ofWeight(way: WayBack, name: string): FloatTensor {
    return way.weights.get(name) ?? floats(undefined, this.#weight(name).type.shape.map(Number));
  }

  #weight(name: string): Param {
    const param = this.model.program.segments.flatMap((s) => s.graph.params).find((p) => p.name === name);
    if (param) return param;
    throw unknownWeight(this.model.program, name);
  }
}

const batchOf = ({ expression, prompt, ...rest }: GradientsRequest): GradientBatchRequest => ({
  ...rest,
  items: [{ expression, prompt }],
});

/**
 * The gradients of a scalar by sites and weights, in one pass forward over a whole sequence and one back. Each is of
 * the value as it is consumed downstream, edits included; what the scalar does not depend on has zeros.
 * @throws UsageError GRADIENT_UNDEFINED, EXPRESSION_INVALID, SITE_UNKNOWN, WEIGHT_UNKNOWN, SELECTOR_INVALID,
 * AMBIGUOUS_TOKEN, ID_OUT_OF_RANGE
 * @throws EngineError ENGINE_FAILED
 */
export const gradients = async (model: Model, request: GradientsRequest): Promise<Gradients> => {
  const { scalars, ...found } = await new Work(model, batchOf(request)).run();
  return { value: scalars[0] ?? NaN, ...found };
};

/** `gradients` of several sequences of equal length that run together, each of its own scalar. */
export const gradientBatch = async (model: Model, request: GradientBatchRequest): Promise<BatchGradients> =>
  new Work(model, request).run();

/** Bytes that `gradients` takes beside the values that it captures. Nothing is run or compiled. */
export const gradientBytes = (model: Model, request: GradientsRequest | GradientBatchRequest): number =>
  new Work(model, 'items' in request ? request : batchOf(request)).bytes;
