import { bug, UsageError } from '../../base/index.js';
import { isKept, shapeOf, typesOf, type Graph, type Output, type Param, type Program } from '../../graph/index.js';
import { scoresOf, sitesOf, tokensOf, type Expression, type SiteName } from '../../language/index.js';
import { range, type FloatTensor, type Tensor } from '../../tensor/index.js';
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
  type Differentiated,
  type ExpressionToken,
  type ExpressionValues,
} from '../expressions/index.js';
import { extentsFor, valueBytes } from '../run/captured-bytes.js';
import { formed, type Compilations, type GradientForm } from '../run/compiled.js';
import type { Instance } from '../run/order.js';
import { capturedIn, formOf, Pass } from '../run/pass.js';
import type { ForwardRequest, Moment } from '../run/request.js';
import { scoresSite, stagesOf, type Asked, type Stage } from './plan.js';
import { floats, seedOf, summed, WayBack } from './way-back.js';

export interface GradientsRequest extends Pick<ForwardRequest, 'variant' | 'onSegment'> {
  /** The scalar whose gradients are asked for. */
  readonly expression: Expression;
  /** One sequence; the gradients are of one pass over it. */
  readonly prompt: Prompt;
  /** Sites whose gradients are wanted, by their names in the run order. */
  readonly sites: readonly string[];
  /** Weights whose gradients are wanted, by their names in the file. */
  readonly weights?: readonly string[];
  /** Sites whose values are wanted too. */
  readonly capture?: readonly string[];
  /** The tokens that a text is cut into, none added; needed where the expression names a token by its text. */
  readonly encode?: (text: string) => Promise<readonly ExpressionToken[]>;
  /**
   * `values` (the default): what the way back needs is kept on the way forward. `layers`: only what layers hand on is
   * kept, and each layer is computed again on the way back: less memory, one forward pass more.
   */
  readonly keep?: 'values' | 'layers';
}

export interface Gradients {
  /** What the scalar is. */
  readonly value: number;
  /** The values that were to be captured. */
  readonly values: Tensors;
  /** The gradient by each site, in the site's shape. */
  readonly sites: ReadonlyMap<string, FloatTensor>;
  /** The gradient by each weight, in the layout of the file. */
  readonly weights: ReadonlyMap<string, FloatTensor>;
}

interface Model {
  readonly program: Program;
  readonly compilations: Compilations;
}

const tokensIn = ({ ids, tokens }: Pick<Prompt, 'ids' | 'tokens'>): readonly ExpressionToken[] =>
  ids.map((id, i) => ({ id, text: tokens[i]?.text ?? '' }));

/** The rows of scores of a pass, by position: the last, all, or of a classifier the only one. */
const rowOf = (logits: Tensor<'float32'>, position: number, last: number): Float32Array | undefined => {
  if (logits.shape.length === 2) return logits.data;
  const rows = logits.shape[1] ?? 0;
  if (rows === 1) return position === last ? logits.data : undefined;
  return position < rows ? range(logits, 1, [position, position + 1]).data : undefined;
};

const textsOf = async ({ expression, encode }: GradientsRequest, { facts }: Program) => {
  const texts = new Map<string, readonly ExpressionToken[]>();
  for (const token of tokensOf(expression)) {
    if (typeof token !== 'string') continue;
    if (facts.output === 'labels')
      throw new UsageError('this model scores labels, not words', {
        code: 'EXPRESSION_INVALID',
        hint: 'Name the label by its number, as in logit(1) or logits[label=1].',
      });
    texts.set(token, (await encode?.(token)) ?? []);
  }
  return texts;
};

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

  constructor(
    readonly model: Model,
    readonly request: GradientsRequest,
  ) {
    const { variant, expression, prompt } = request;
    checkDifferentiable(expression);
    this.#kept = request.keep !== 'layers';
    this.#places = new Map(placedSites(variant.order).map((p) => [p.name, p]));
    this.#reads = new Map(sitesOf(expression).map(({ site }) => [site, this.#placed(site).name]));
    for (const name of [...request.sites, ...(request.capture ?? [])])
      if (!this.#places.has(name)) throw unknownSite(name, this.#places.keys());
    for (const name of request.weights ?? []) this.#weight(name);
    this.#stages = stagesOf(this.#asked());
    this.#pass = new Pass(model.program, model.compilations, {
      ...{ variant, ids: [prompt.ids], capture: this.#capture(), logits: scoresOf(expression).logits },
      ...(prompt.source ? { source: [prompt.source.ids] } : {}),
      ...(request.onSegment ? { onSegment: request.onSegment } : {}),
      keeping: {
        formOf: (instance) => this.#formOf(instance),
        keep: (instance, moment) => {
          if (this.#stageOf(instance)) this.#moments.set(instance.name, moment);
        },
      },
    });
  }

  /** Bytes of the gradients, and of what is kept for them. */
  get bytes(): number {
    const { prompt, variant } = this.request;
    const extents = extentsFor(1, prompt.ids.length, prompt.source?.ids.length);
    const bytesOf = (graph: Graph, outputs: readonly Output[]): number => {
      const types = typesOf(graph);
      const sizes = outputs.map(({ value }) => valueBytes(types.get(value), extents));
      return sizes.reduce((a, b) => a + b, 0);
    };
    return this.#stages.reduce((total, { instance, request }) => {
      const form = formOf(instance, this.#captured(instance), { variant });
      const made = (part: GradientForm['part']): Graph =>
        formed(instance.segment, { ...form, gradient: { request, part } });
      const kept = this.#kept ? made('forward') : undefined;
      const back = made('alone');
      return total + bytesOf(back, back.outputs) + (kept ? bytesOf(kept, kept.outputs.filter(crosses)) : 0);
    }, 0);
  }

  async run(): Promise<Gradients> {
    const texts = await textsOf(this.request, this.model.program);
    const { logits } = await this.#pass.run();
    const scalar = differentiate(this.request.expression, this.#values(logits, texts));
    const way = new WayBack(this.model.compilations, this.request.variant);
    for (const stage of this.#stages.toReversed()) await this.#through(way, stage, scalar);
    const { capture = [], sites, weights = [] } = this.request;
    return {
      value: scalar.value,
      values: new Map(capture.map((name) => [name, this.#captive(name)])),
      sites: new Map(sites.map((name) => [name, way.sites.get(name) ?? this.#zeros(name)])),
      weights: new Map(weights.map((name) => [name, this.#ofWeight(way, name)])),
    };
  }

  #placed(name: string): PlacedSite {
    const place = this.#places.get(canonicalName(this.model.program, name));
    if (place) return place;
    throw unknownSite(name, [...this.#places.keys(), ...this.model.program.facts.aliases.keys()]);
  }

  #asked(): Asked {
    const { variant, sites, weights, expression } = this.request;
    return {
      ...{ variant, sites: new Set(sites), weights: new Set(weights) },
      reads: new Set(this.#reads.values()),
      readsScores: scoresOf(expression).logits !== 'none',
    };
  }

  /** Beside what is asked for: what the scalar reads, and of a head that has more to do its sites, so that it runs whole. */
  #capture(): ReadonlySet<string> {
    const head = this.#stages.find((s) => s.instance.segment.kind === 'head')?.request;
    const whole = head ? [...head.sites, ...head.edits.map((e) => e.site)] : [];
    return new Set([...(this.request.capture ?? []), ...this.#reads.values(), ...whole]);
  }

  #captured(instance: Instance): readonly string[] {
    return capturedIn(instance, this.#pass.request.capture);
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

  #values(logits: Tensor<'float32'> | undefined, texts: ReadonlyMap<string, readonly ExpressionToken[]>) {
    const { prompt } = this.request;
    const last = prompt.ids.length - 1;
    const values: ExpressionValues = {
      site: (name) => {
        const { name: found, type } = this.#placed(name);
        return { tensor: this.#captive(found), axes: type.axes };
      },
      tokens: tokensIn(prompt),
      ...(prompt.source ? { sourceTokens: tokensIn(prompt.source) } : {}),
      length: prompt.ids.length,
      logits: (position) => logits && rowOf(logits, position, last),
      encode: (text) => texts.get(text) ?? [],
      step: 0,
    };
    return values;
  }

  async #through(way: WayBack, stage: Stage, scalar: Differentiated): Promise<void> {
    const { instance } = stage;
    const moment = this.#moments.get(instance.name);
    if (!moment) throw bug(`${instance.name} was not run`);
    await this.request.onSegment?.(instance.name);
    const { variant } = this.request;
    const form = formOf(instance, this.#captured(instance), { variant });
    const seeds = new Map(stage.request.seeds.map((site) => [site, this.#seed(stage, site, { scalar, moment })]));
    await way.through({ stage, form, moment, seeds, kept: this.#kept, whole: this.#pass.rows });
    this.#moments.delete(instance.name);
  }

  /** The scalar's derivative by a site: of what it reads of the site itself, and of scores. */
  #seed({ instance }: Stage, site: string, { scalar, moment }: { scalar: Differentiated; moment: Moment }) {
    const place = [...this.#places.values()].find((p) => p.instance === instance && p.site.name === site);
    if (!place) throw bug(`no ${site} in ${instance.name}`);
    const { type } = place;
    const names = [...this.#reads].filter(([, name]) => name === place.name).map(([name]) => name);
    const own = names
      .flatMap((name) => scalar.sites.get(name) ?? [])
      .map((slope) => seedOf(this.#captive(place.name), slope, { type, rows: moment.rows }));
    const [first, ...others] = [...own, ...(site === scoresSite ? this.#scoresSeed(scalar, moment) : [])];
    if (!first) throw bug(`nothing is known of how the scalar changes with ${place.name}`);
    return others.reduce<FloatTensor>(summed, first);
  }

  /** By rows of scores as the head computed them: all, or the last alone. None where the scalar reads no scores. */
  #scoresSeed({ scores }: Differentiated, { results, rows }: Moment): readonly FloatTensor[] {
    const logits = results.get(scoresSite);
    if (!logits || scores.size === 0) return [];
    const seed = floats(logits, logits.shape);
    const vocab = logits.shape.at(-1) ?? 0;
    for (const [position, slope] of scores) {
      const row = logits.shape.length === 2 ? 0 : rows.positions.indexOf(position);
      slope.forEach((x, i) => (seed.data[row * vocab + i] = (seed.data[row * vocab + i] ?? 0) + x));
    }
    return [seed];
  }

  #zeros(name: string): FloatTensor {
    const { prompt } = this.request;
    const extents = extentsFor(1, prompt.ids.length, prompt.source?.ids.length);
    return floats(undefined, shapeOf(this.#placed(name).type, extents));
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

/**
 * The gradients of a scalar by sites and weights, in one pass forward over a whole sequence and one back. Each is of
 * the value as it is consumed downstream, edits included; what the scalar does not depend on has zeros.
 * @throws UsageError GRADIENT_UNDEFINED, EXPRESSION_INVALID, SITE_UNKNOWN, WEIGHT_UNKNOWN, SELECTOR_INVALID,
 * AMBIGUOUS_TOKEN, ID_OUT_OF_RANGE
 * @throws EngineError ENGINE_FAILED
 */
export const gradients = async (model: Model, request: GradientsRequest): Promise<Gradients> =>
  new Work(model, request).run();

/** Bytes that `gradients` takes beside the values that it captures. Nothing is run or compiled. */
export const gradientBytes = (model: Model, request: GradientsRequest): number => new Work(model, request).bytes;
