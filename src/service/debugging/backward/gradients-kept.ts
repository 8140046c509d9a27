import { UsageError } from '../../../base/index.js';
import {
  gradientBytes,
  gradients,
  placedSites,
  type GradientsRequest,
  type PlacedSite,
  type Prompt,
  type Variant,
} from '../../../engine/index.js';
import type { Expression } from '../../../language/index.js';
import type { FloatTensor } from '../../../tensor/index.js';
import { formatBytes } from '../../bytes.js';
import { caughtSites } from '../../gradient-faults.js';
import { freeMemoryBytes } from '../../machine.node.js';
import type { OpenModel } from '../../open-model.js';
import { tokensOfText } from '../../prompts.js';

/** What a way back is of: a scalar of a whole sequence, which runs in one pass. */
export interface WayBackRequest {
  readonly model: OpenModel;
  readonly variant: Variant;
  readonly prompt: Prompt;
  readonly expression: Expression;
  /** Called before each layer, forward and back. */
  readonly onSegment?: (name: string) => Promise<void>;
}

/** Up to so many bytes the gradients by all sites are kept at once; beyond, those of the stream, and of one layer. */
const mostKept = 256 * 2 ** 20;

/** Is there a gradient by it in a walk? Not by what is made on request, nor by the numbers of chosen experts. */
export const isOnWay = ({ site, type }: PlacedSite): boolean => !site.onRequest && type.dtype.startsWith('float');

/** Of the stream, of what is added to it, and of the scores. */
const outerSites = (variant: Variant): readonly string[] => [
  ...caughtSites(variant),
  ...placedSites(variant.order).flatMap((place) => (place.name === 'logits' && isOnWay(place) ? [place.name] : [])),
];

/**
 * The gradients of one scalar, as a walk along the way back looks at them: all of them in one pass back, or, of a large
 * model, those of the stream, and a layer's others when they are asked for, in a pass of their own.
 */
export class KeptGradients {
  /** Of one layer, in place of those of the one before. */
  #layer: { readonly place: string; readonly values: ReadonlyMap<string, FloatTensor> } | undefined;
  readonly #places: ReadonlyMap<string, PlacedSite>;

  private constructor(
    readonly request: WayBackRequest,
    /** What the scalar is. */
    readonly value: number,
    /** By site. */
    readonly kept: ReadonlyMap<string, FloatTensor>,
  ) {
    this.#places = new Map(placedSites(request.variant.order).map((p) => [p.name, p]));
  }

  /**
   * @param most bytes up to which all are kept at once
   * @throws as `gradients`; UsageError MEMORY_LIMIT
   */
  static async of(request: WayBackRequest, most = mostKept): Promise<KeptGradients> {
    const { model, variant } = request;
    const all = placedSites(variant.order).filter(isOnWay);
    const outer = outerSites(variant);
    const names = all.map((p) => p.name);
    const plans = [
      ask(request, names, 'values'),
      ask(request, names, 'layers'),
      ask(request, outer, 'values'),
      ask(request, outer, 'layers'),
    ] as const;
    const plan = plans.find((p) => gradientBytes(model, p) <= most) ?? plans[3];
    checkMemory(gradientBytes(model, plan), request.prompt);
    const found = await gradients(model, plan);
    return new KeptGradients(request, found.value, found.sites);
  }

  /** Those by the stream and what is added to it, which are there without another pass. */
  get outer(): ReadonlySet<string> {
    return new Set(outerSites(this.request.variant));
  }

  /** @param name of a site in the run order. @throws UsageError MEMORY_LIMIT */
  async by(name: string): Promise<FloatTensor | undefined> {
    const known = this.kept.get(name) ?? this.#layer?.values.get(name);
    const place = this.#places.get(name);
    if (known || !place) return known;
    const near = [...this.#places.values()].filter((p) => p.instance === place.instance && isOnWay(p));
    const plan = ask(this.request, [...new Set([...near.map((p) => p.name), name])], 'layers');
    checkMemory(gradientBytes(this.request.model, plan), this.request.prompt);
    const { sites } = await gradients(this.request.model, plan);
    this.#layer = { place: place.instance.name, values: sites };
    return sites.get(name);
  }
}

const ask = (
  { model, variant, prompt, expression, onSegment }: WayBackRequest,
  sites: readonly string[],
  keep: 'values' | 'layers',
): GradientsRequest => ({
  ...{ variant, prompt, expression, sites, keep },
  encode: (text) => tokensOfText(model, text),
  ...(onSegment ? { onSegment } : {}),
});

const checkMemory = (bytes: number, { ids }: Prompt): void => {
  const limit = Math.floor(freeMemoryBytes() / 2);
  if (bytes <= limit) return;
  throw new UsageError(
    `a way back over ${ids.length} tokens would take ${formatBytes(bytes)}, more than the limit of ${formatBytes(limit)}`,
    { code: 'MEMORY_LIMIT', hint: 'Walk it at an earlier token, or of a shorter prompt.', details: { bytes, limit } },
  );
};
