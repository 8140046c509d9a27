import { wholeSites } from '../chosen-sites.js';
import { splitScore, type SplitScore } from '../../analyses/circuits/index.js';
import { dot } from '../../analyses/components/index.js';
import { bug, UsageError } from '../../base/index.js';
import { forward, FrozenPart, placedSites, prepareExperiment, type Prompt, type Variant } from '../../engine/index.js';
import { scoreScale } from '../../graph/index.js';
import type { Because } from '../../protocol/index.js';
import { float32, range, toFloat32, type Tensor } from '../../tensor/index.js';
import { checkpoints } from '../cancel.js';
import type { Opened } from '../edited-model.js';
import { contextFor } from '../experiment.js';
import type { OperationContext } from '../operation.js';
import { predictBytes } from '../predict-bytes.js';
import { kvHeadOf, type AttentionLayer } from './head-places.js';
import { comparedSite } from './head-weights.js';
import { StreamSplitter } from './stream-parts.js';

interface Asked {
  readonly layer: AttentionLayer;
  readonly head: number;
  readonly query: number;
  readonly key: number | undefined;
  readonly top: number;
}

/** A prompt's values around a head. */
interface Seen {
  readonly variant: Variant;
  readonly prompt: Prompt;
  readonly values: ReadonlyMap<string, Tensor>;
}

/** @throws UsageError OPTION_INVALID */
const placeIn = (given: number, length: number, option: string): number => {
  const at = given < 0 ? length + given : given;
  if (at >= 0 && at < length) return at;
  throw new UsageError(`${option}: there is no position ${given}`, {
    code: 'OPTION_INVALID',
    hint: `The prompt's positions go from 0 to ${length - 1}, or from -${length} to -1 from the end.`,
  });
};

/** The site by which queries or keys are compared in the end, positions turned in. */
const finalSite = (layer: AttentionLayer, of: 'q' | 'k'): string => {
  const turned = `${layer.id}.attn.rot_${of}`;
  return layer.instance.segment.graph.sites.some((s) => s.name === turned) ? turned : comparedSite(layer, of);
};

const inInstance = (layer: AttentionLayer, site: string): string => layer.instance.name + site.slice(layer.id.length);

const see = async (
  { model, prompt, edits }: Opened,
  { layer, splitter, variant }: { layer: AttentionLayer; splitter: StreamSplitter; variant: Variant },
  context: OperationContext,
): Promise<Seen> => {
  const compared = [finalSite(layer, 'q'), finalSite(layer, 'k')];
  const around = ['resid_pre', 'attn.scores', 'attn.pattern'].map((s) => `${layer.id}.${s}`);
  const own = [...compared, ...around].map((s) => inInstance(layer, s));
  const names = new Set([...splitter.sites.map((p) => p.name), ...own]);
  predictBytes(wholeSites(placedSites(variant.order).filter((p) => names.has(p.name))), prompt, {
    maxBytes: undefined,
  });
  const { variant: edited } = await prepareExperiment(contextFor(model, prompt, 0), edits);
  const { sites } = await forward(model, {
    ...{ variant: edited, ids: [prompt.ids], capture: names, logits: 'none', onSegment: checkpoints(context) },
    ...(prompt.source ? { source: [prompt.source.ids] } : {}),
  });
  return { variant, prompt, values: sites };
};

/** One side of a head's comparison: what each part in the stream at a position gives to it. */
class Side {
  constructor(
    readonly part: FrozenPart,
    readonly splitter: StreamSplitter,
    readonly head: number,
  ) {}

  /** @returns names, and [part, headDim]; the last part is what biases and norms add */
  async at(
    values: ReadonlyMap<string, Tensor>,
    stream: Tensor,
    { position, length }: { position: number; length: number },
  ) {
    const { names, rows } = await this.splitter.at(values, stream, position);
    const count = names.length;
    const places = { positions: Array.from({ length: count }, () => position), length };
    const here = range(stream, 1, [position, position + 1]);
    const once = await this.part.divisors(here, { positions: [position], length });
    const held = new Map([...once].map(([name, t]) => [name, spread(t, count)]));
    const linear = await this.part.linear(rows, { ...places, held });
    const constant = await this.part.constant({ positions: [position], length, held: once });
    return {
      names: [...names, 'bias'],
      rows: [...Array.from({ length: count }, (_, i) => this.#own(linear, i)), this.#own(constant, 0)],
    };
  }

  #own({ shape, data }: Tensor<'float32'>, row: number): Float32Array {
    const [, , heads = 1, headDim = 0] = shape;
    const from = (row * heads + this.head) * headDim;
    return data.slice(from, from + headDim);
  }
}

const spread = (t: Tensor, count: number): Tensor => {
  const once = toFloat32(t);
  const data = new Float32Array(once.length * count);
  for (let i = 0; i < count; i++) data.set(once, i * once.length);
  return float32([1, count, ...t.shape.slice(2)], data);
};

/** A row of a head's scores or pattern. [1, head, query, key] */
const rowOf = (tensor: Tensor | undefined, head: number, query: number): Float32Array => {
  if (!tensor) throw bug('a pattern was not captured');
  const [, , queries = 1, keys = 1] = tensor.shape;
  const from = (head * queries + query) * keys;
  return toFloat32(tensor).slice(from, from + keys);
};

/** One head's numbers at a position. [1, position, head, headDim] */
const headRow = (tensor: Tensor | undefined, head: number, position: number): Float32Array => {
  if (!tensor) throw bug('queries and keys were not captured');
  const [, , heads = 1, headDim = 0] = tensor.shape;
  const from = (position * heads + head) * headDim;
  return toFloat32(tensor).slice(from, from + headDim);
};

const byPart = (names: readonly string[], values: readonly number[], top: number) =>
  names
    .map((part, i) => ({ part, value: values[i] ?? 0 }))
    .filter((p) => p.value !== 0)
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
    .slice(0, top);

const pairsOf = (split: SplitScore, [queries, keys]: readonly [readonly string[], readonly string[]], top: number) =>
  split.pairs
    .flatMap((row, a) => row.map((value, b) => ({ query: queries[a] ?? '', key: keys[b] ?? '', value })))
    .filter((p) => p.value !== 0)
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
    .slice(0, top);

/** Tokens looked at most, the one asked for among them. */
const mostSeen = (pattern: Float32Array, key: number, most: number): readonly number[] => {
  const order = Array.from(pattern, (_, i) => i).sort((a, b) => (pattern[b] ?? 0) - (pattern[a] ?? 0));
  const first = order.slice(0, most).filter((i) => (pattern[i] ?? 0) > 0);
  return first.includes(key) ? first : [...first, key];
};

interface Around {
  readonly asked: Asked & { readonly length: number };
  readonly values: ReadonlyMap<string, Tensor>;
  readonly sequence: Pick<Prompt, 'ids' | 'tokens'>;
}

const inLayer = ({ values, asked: { layer } }: Around, site: string): Tensor => {
  const value = values.get(inInstance(layer, site));
  if (!value) throw bug(`${site} was not captured`);
  return value;
};

const scaleOf = ({ instance: { segment }, id }: AttentionLayer): number => {
  const scores = segment.graph.sites.find((s) => s.name === `${id}.attn.scores`)?.value;
  if (scores === undefined) throw bug('a head without scores');
  return scoreScale(segment.graph, scores);
};

const placed = ({ sequence }: Around, position: number) => ({
  ...{ position, id: sequence.ids[position] ?? 0 },
  text: sequence.tokens[position]?.text ?? '',
});

/** Takes the scores of one query apart, a key at a time. */
const tellKeys = async (around: Around, { looking, seen }: { looking: Side; seen: Side }): Promise<Because> => {
  const { layer, head, top, length } = around.asked;
  const query = placeIn(around.asked.query, length, '--query');
  const pattern = rowOf(inLayer(around, `${layer.id}.attn.pattern`), head, query);
  const scores = rowOf(inLayer(around, `${layer.id}.attn.scores`), head, query);
  const asked = around.asked.key;
  const key = asked === undefined ? pattern.indexOf(Math.max(...pattern)) : placeIn(asked, length, '--key');
  const stream = inLayer(around, `${layer.id}.resid_pre`);
  const scale = scaleOf(layer);
  const q = await looking.at(around.values, stream, { position: query, length });
  const own = headRow(inLayer(around, finalSite(layer, 'q')), head, query);
  const all = inLayer(around, finalSite(layer, 'k'));
  const tokens: Because['tokens'] = [];
  const parts = { byQuery: [], byKey: [], pairs: [] } as Pick<Because, 'byQuery' | 'byKey' | 'pairs'>;
  let [value, residual] = [NaN, NaN];
  for (const at of mostSeen(pattern, key, 8)) {
    const k = await seen.at(around.values, stream, { position: at, length });
    const split = splitScore(q.rows, k.rows, scale);
    const compared = scale * dot(own, headRow(all, kvHeadOf(layer, head), at));
    tokens.push({
      ...placed(around, at),
      weight: pattern[at] ?? 0,
      value: compared,
      parts: byPart(k.names, split.byKey, 3),
    });
    if (at !== key) continue;
    [value, residual] = [compared, compared - split.sum];
    parts.byQuery = byPart(q.names, split.byQuery, top);
    parts.byKey = byPart(k.names, split.byKey, top);
    parts.pairs = pairsOf(split, [q.names, k.names], top);
  }
  const at = { query: placed(around, query), key: placed(around, key) };
  return { ...at, weight: pattern[key] ?? 0, value, score: scores[key] ?? 0, residual, ...parts, tokens };
};

/**
 * Why a head looks where it looks: its score taken apart over what is in the stream at the token that looks and at the
 * one looked at, norms held. Bilinear, so exact.
 * @throws UsageError OPTION_INVALID for a position that is not there, and for streams that are no sums
 */
export const becauseOf = async (opened: Opened, asked: Asked, context: OperationContext): Promise<Because> => {
  const { model, prompt } = opened;
  const { layer, head } = asked;
  const { variant } = await prepareExperiment(contextFor(model, prompt, 0), opened.edits);
  const sequence = layer.stack === 'encoder' ? (prompt.source ?? prompt) : prompt;
  const splitter = await StreamSplitter.open(model, variant, layer);
  const { segment } = layer.instance;
  const open = (of: 'q' | 'k') =>
    FrozenPart.open(model, variant, { segment, from: `${layer.id}.resid_pre`, to: finalSite(layer, of) });
  const [q, k] = [await open('q'), await open('k')];
  try {
    const { values } = await see(opened, { layer, splitter, variant }, context);
    const around: Around = { asked: { ...asked, length: sequence.ids.length }, values, sequence };
    return await tellKeys(around, {
      looking: new Side(q, splitter, head),
      seen: new Side(k, splitter, kvHeadOf(layer, head)),
    });
  } finally {
    for (const part of [q, k, splitter]) await part.dispose();
  }
};
