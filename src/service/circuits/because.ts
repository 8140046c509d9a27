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
  predictBytes(
    placedSites(variant.order).filter((p) => names.has(p.name)),
    prompt,
    { maxBytes: undefined },
  );
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

/**
 * Why a head looks where it looks: its score taken apart over what is in the stream at the token that looks and at the
 * one looked at, norms held. Bilinear, so exact.
 * @throws UsageError OPTION_INVALID for a position that is not there, and for streams that are no sums
 */
export const becauseOf = async (opened: Opened, asked: Asked, context: OperationContext): Promise<Because> => {
  const { model, prompt } = opened;
  const { layer, head, top } = asked;
  const { variant } = await prepareExperiment(contextFor(model, prompt, 0), opened.edits);
  const sequence = layer.stack === 'encoder' ? (prompt.source ?? prompt) : prompt;
  const { length } = sequence.ids;
  const query = placeIn(asked.query, length, '--query');
  const splitter = await StreamSplitter.open(model, variant, layer);
  const { segment } = layer.instance;
  const open = (of: 'q' | 'k') =>
    FrozenPart.open(model, variant, { segment, from: `${layer.id}.resid_pre`, to: finalSite(layer, of) });
  const [q, k] = [await open('q'), await open('k')];
  try {
    const { values } = await see(opened, { layer, splitter, variant }, context);
    const pattern = rowOf(values.get(inInstance(layer, `${layer.id}.attn.pattern`)), head, query);
    const scores = rowOf(values.get(inInstance(layer, `${layer.id}.attn.scores`)), head, query);
    const key = asked.key === undefined ? pattern.indexOf(Math.max(...pattern)) : placeIn(asked.key, length, '--key');
    const stream = values.get(inInstance(layer, `${layer.id}.resid_pre`));
    const graphScores = segment.graph.sites.find((s) => s.name === `${layer.id}.attn.scores`)?.value;
    if (!stream || graphScores === undefined) throw bug('a head without scores');
    const scale = scoreScale(segment.graph, graphScores);
    const looking = await new Side(q, splitter, head).at(values, stream, { position: query, length });
    const side = new Side(k, splitter, kvHeadOf(layer, head));
    const placed = (position: number) => ({
      position,
      id: sequence.ids[position] ?? 0,
      text: sequence.tokens[position]?.text ?? '',
    });
    const own = (of: 'q' | 'k', h: number, at: number) =>
      headRow(values.get(inInstance(layer, finalSite(layer, of))), h, at);
    const compared = (at: number): number => scale * dot(own('q', head, query), own('k', kvHeadOf(layer, head), at));
    const tokens: Because['tokens'] = [];
    let told: Omit<Because, 'tokens'> | undefined;
    for (const at of mostSeen(pattern, key, 8)) {
      const seen = await side.at(values, stream, { position: at, length });
      const split = splitScore(looking.rows, seen.rows, scale);
      const value = compared(at);
      tokens.push({ ...placed(at), weight: pattern[at] ?? 0, value, parts: byPart(seen.names, split.byKey, 3) });
      if (at !== key) continue;
      told = {
        ...{ query: placed(query), key: placed(key), weight: pattern[key] ?? 0, value },
        ...{ score: scores[key] ?? 0, residual: value - split.sum },
        byQuery: byPart(looking.names, split.byQuery, top),
        byKey: byPart(seen.names, split.byKey, top),
        pairs: pairsOf(split, [looking.names, seen.names], top),
      };
    }
    if (!told) throw bug('the token looked at was left out');
    return { ...told, tokens };
  } finally {
    for (const part of [q, k, splitter]) await part.dispose();
  }
};
