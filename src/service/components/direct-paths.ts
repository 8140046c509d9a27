import { wholeSites } from '../chosen-sites.js';
import { bug } from '../../base/index.js';
import { biasContribution, type Sensed } from '../../analyses/components/index.js';
import {
  checkFrozenLinear,
  gradientBytes,
  gradients,
  placedSites,
  prepareExperiment,
  type Gradients,
  type GradientsRequest,
  type PlacedSite,
} from '../../engine/index.js';
import { carried, type Graph, type Param, type Program } from '../../graph/index.js';
import { parseExpression, toSitePath, type Edit, type SiteName, type SitePath } from '../../language/index.js';
import { checkpoints } from '../cancel.js';
import type { Opened } from '../edited-model.js';
import { contextFor } from '../experiment.js';
import type { OperationContext } from '../operation.js';
import { predictBytes } from '../predict-bytes.js';

/** Where the direct paths end: what attention and MLPs read, and the scales of norms, which are held. */
const ends = /(^|\.)((cross_)?attn\.([qkv]|[qk]_normed|rot_[qk])|mlp\.(pre|pre_linear|router)|[^.]+\.scale)$/;

/** A bias on a direct path, by its name in the file, and where in the model it is added. */
export interface DirectBias {
  readonly param: Param;
  /** `blocks.3.attn`, `ln_final`; empty for the head itself. */
  readonly scope: string;
}

/** Vectors that are added to what depends on the input. A gain to which one is added is none. */
const biasesOf = (graph: Graph): readonly DirectBias[] => {
  const constants = new Set([...graph.nodes.filter((n) => n.op === 'Constant'), ...graph.params].map((v) => v.id));
  return graph.params.flatMap((param) => {
    const adds = graph.nodes.find(
      (n) => n.op === 'Add' && n.inputs.includes(param.id) && n.inputs.some((id) => !constants.has(id)),
    );
    return adds && !/(^|\.)mlp$/.test(adds.scope) ? [{ param, scope: adds.scope }] : [];
  });
};

/** @throws UsageError OPTION_INVALID where scores are not linear in the stream, norms held */
const checkHead = ({ segments }: Program): void => {
  const segment = segments.find((s) => s.kind === 'head');
  if (segment) checkFrozenLinear({ segment, from: carried, to: 'logits' });
};

/** A site that is told apart, with its place, its value, and how the score changes with it along direct paths. */
export interface DirectSite extends Sensed {
  readonly path: SitePath;
  readonly place: PlacedSite;
}

export interface DirectPaths {
  readonly value: number;
  /** In the order of the run. */
  readonly sites: readonly DirectSite[];
  /** With what each gives. */
  readonly biases: readonly (DirectBias & { readonly value: number })[];
}

const toldSites =
  /(^|\.)(embed|pos_embed|type_embed|(cross_)?attn\.z|attn_out|cross_attn_out|mlp_out|resid_pre|resid_post|resid_mid)$/;

interface Asked {
  readonly expression: string;
  /** Whether neurons are told apart too. */
  readonly neurons: boolean;
}

const isTold = (place: PlacedSite, neurons: boolean): boolean =>
  place.instance.segment.stack !== 'encoder' &&
  place.instance.segment.kind !== 'cross' &&
  (toldSites.test(place.name) || (neurons && place.name.endsWith('.mlp.post')));

/**
 * How a score changes with each part of the stream along direct paths alone: from where the part is added, through the
 * norms behind it with their scales held, to the scores, past attention and MLPs.
 * @throws UsageError OPTION_INVALID where the model's head is not linear, MEMORY_LIMIT
 */
export const directPaths = async (
  { model, edits, prompt }: Opened,
  { expression, neurons }: Asked,
  context: OperationContext,
): Promise<DirectPaths> => {
  const { program } = model;
  checkHead(program);
  const experiment = contextFor(model, prompt, 0);
  const { variant: plain } = await prepareExperiment(experiment, edits);
  const places = placedSites(plain.order);
  const cuts = places
    .filter((p) => ends.test(p.name) && !p.site.onRequest)
    .map((p): Edit => ({ edit: 'set grad', site: p.name as SiteName, to: 'zero' }));
  const { variant } = await prepareExperiment(experiment, [...edits, ...cuts]);
  const told = places.filter((p) => isTold(p, neurons));
  const running = new Set(plain.order.map((i) => i.segment));
  const decoding = [...running].filter((s) => s.stack !== 'encoder' && s.kind !== 'cross');
  const biases = [...new Map(decoding.flatMap((s) => biasesOf(s.graph)).map((b) => [b.param.name, b])).values()];
  const names = told.map((p) => p.name);
  const request: GradientsRequest = {
    ...{ variant, prompt, sites: names, capture: names, weights: biases.map((b) => b.param.name) },
    expression: parseExpression(expression),
    onSegment: checkpoints(context),
  };
  predictBytes(wholeSites(told), prompt, { maxBytes: undefined, more: gradientBytes(model, request) });
  const found = await gradients(model, request);
  return {
    value: found.value,
    sites: told.map((place) => sensed(place, found)),
    biases: await Promise.all(
      biases.map(async (bias) => {
        const { name } = bias.param;
        const own = plain.weights.get(name) ?? (await model.weights.read(name));
        const gradient = found.weights.get(name);
        if (!gradient) throw bug(`no gradient of ${name}`);
        return { ...bias, value: biasContribution(own, gradient) };
      }),
    ),
  };
};

const sensed = (place: PlacedSite, { values, sites }: Gradients): DirectSite => {
  const [value, gradient] = [values.get(place.name), sites.get(place.name)];
  if (!value || !gradient) throw bug(`${place.name} was not captured`);
  return { place, path: toSitePath(place.name as SiteName), value, gradient };
};
