import { UsageError } from '../../base/index.js';
import type { ExpressionToken, Prompt, SweepModel } from '../../engine/index.js';
import { mean, type Ledger, type Metric } from '../sweep/index.js';
import { CircuitRuns, keyOf } from './circuit-runs.js';
import { connected, wiringOf, type Edge, type Wiring } from './edges.js';
import { byWorth, edgeScores } from './scores.js';

export interface CircuitPair {
  readonly prompt: Prompt;
  /** Of as many tokens. */
  readonly corrupt: Prompt;
  readonly metric: Metric;
  /** The model, with the prompt's edits. */
  readonly model: SweepModel;
}

export interface CircuitRequest {
  readonly pairs: readonly CircuitPair[];
  readonly encode: (text: string) => Promise<readonly ExpressionToken[]>;
  /** The share of the difference between the runs that the circuit has to keep. */
  readonly target: number;
  /** So many edges instead, those that are guessed to be worth most. */
  readonly size?: number | undefined;
  /** An edge goes where the share falls by less without it; left out: where the target is still kept without it. */
  readonly threshold?: number | undefined;
  /** Edges that are tried one by one, at the most. */
  readonly tests: number;
  /** By texts of letters, digits and colons. */
  readonly ledger?: Ledger<string> | undefined;
  readonly onProgress?: (done: number, total: number, what: string) => void;
}

export interface CircuitEdge {
  readonly edge: Edge;
  /** The guess by which edges are ordered: a change of the metric. */
  readonly score: number;
  /** By how much the share falls without this edge alone; undefined: not tried. */
  readonly effect: number | undefined;
}

export interface Circuit {
  readonly edges: readonly CircuitEdge[];
  /** Of all edges of the model. */
  readonly total: number;
  readonly clean: number;
  readonly corrupted: number;
  /** The share of the difference that remains with these edges alone. */
  readonly faithfulness: number;
  /** The share that remains with all others: the nearer to 0, the less the circuit leaves out. */
  readonly complement: number;
  /** Edges without which the share falls by less than the threshold (one in a hundred), of those that were tried. */
  readonly superfluous: number;
  readonly tried: number;
  /** Runs with edges taken out, and how many of such were known from before. */
  readonly runs: number;
  readonly known: number;
}

const smallEffect = 0.01;

/** The runs of all pairs, measured together. */
class Search {
  runs = 0;
  known = 0;
  /** Which edge of the wiring each is. */
  readonly #numbers: ReadonlyMap<Edge, number>;

  constructor(
    readonly wiring: Wiring,
    readonly all: readonly CircuitRuns[],
    readonly ends: { readonly clean: number; readonly corrupted: number },
    readonly ledger: Ledger<string> | undefined,
  ) {
    this.#numbers = new Map(wiring.edges.map((edge, i) => [edge, i]));
  }

  /** The share of the difference that remains with these edges. */
  async share(edges: readonly Edge[]): Promise<number> {
    const numbers = Float32Array.from(edges, (e) => this.#numbers.get(e) ?? -1).sort();
    const key = `share:${edges.length}:${keyOf(numbers)}`;
    const there = this.ledger?.known(key);
    if (there !== undefined) {
      this.known++;
      return there;
    }
    this.runs++;
    const metrics: number[] = [];
    for (const runs of this.all) metrics.push(await runs.metric(edges));
    const share = (mean(metrics) - this.ends.corrupted) / (this.ends.clean - this.ends.corrupted);
    await this.ledger?.add(key, share);
    return share;
  }

  /** The fewest of the edges, the worthiest first, that keep the target: doubled until they do, then halved between. */
  async fewest(ordered: readonly Edge[], { target, onProgress }: CircuitRequest): Promise<readonly Edge[]> {
    let [low, high, tried] = [0, 1, 0];
    const most = 2 * Math.ceil(Math.log2(ordered.length + 1));
    const enough = async (count: number): Promise<boolean> => {
      onProgress?.(tried++, most, 'sizes tried');
      return (await this.share(connected(ordered.slice(0, count), this.wiring))) >= target;
    };
    while (high < ordered.length && !(await enough(high))) [low, high] = [high, Math.min(2 * high, ordered.length)];
    while (high - low > Math.max(1, Math.floor(high / 50))) {
      const middle = Math.floor((low + high) / 2);
      if (await enough(middle)) high = middle;
      else low = middle;
    }
    return connected(ordered.slice(0, high), this.wiring);
  }
}

const without = (edges: readonly Edge[], edge: Edge): readonly Edge[] => edges.filter((e) => e !== edge);

/** Takes edges out one by one, the least first, where what remains is still enough. */
const pruned = async (
  search: Search,
  edges: readonly Edge[],
  { target, threshold, tests, onProgress }: CircuitRequest,
): Promise<readonly Edge[]> => {
  let kept = edges;
  let share = await search.share(kept);
  const order = edges.toReversed().slice(0, tests);
  for (const [i, edge] of order.entries()) {
    onProgress?.(i, order.length, 'edges tried');
    if (!kept.includes(edge)) continue;
    const rest = connected(without(kept, edge), search.wiring);
    const left = await search.share(rest);
    const goes = threshold === undefined ? left >= target : share - left < threshold;
    if (goes) [kept, share] = [rest, left];
  }
  return kept;
};

const effectsOf = async (
  search: Search,
  { edges, share }: { readonly edges: readonly Edge[]; readonly share: number },
  request: CircuitRequest,
): Promise<ReadonlyMap<string, number>> => {
  const effects = new Map<string, number>();
  for (const [i, edge] of edges.slice(0, request.tests).entries()) {
    request.onProgress?.(i, edges.length, 'edges weighed');
    effects.set(edge.name, share - (await search.share(connected(without(edges, edge), search.wiring))));
  }
  return effects;
};

const opened = async (pairs: readonly CircuitPair[]): Promise<readonly CircuitRuns[]> => {
  const all: CircuitRuns[] = [];
  for (const { model, prompt, corrupt, metric } of pairs) {
    if (prompt.ids.length !== corrupt.ids.length)
      throw new UsageError(
        `a circuit needs prompts of as many tokens, and these have ${prompt.ids.length} and ${corrupt.ids.length}`,
        {
          code: 'OPTION_INVALID',
          hint: '`cutaway tokenize MODEL --text` counts them.',
        },
      );
    if (metric.sites.length > 0)
      throw new UsageError('the metric of a circuit reads scores, not sites', {
        code: 'OPTION_INVALID',
        hint: 'Use logit, prob, logprob or entropy.',
      });
    all.push(await CircuitRuns.open(model, wiringOf(model), { prompt, corrupt, metric }));
  }
  return all;
};

/** The guesses of one pair; those that are there already are not made again. */
const pairScores = async (
  runs: CircuitRuns,
  at: number,
  { encode, onProgress, ledger }: CircuitRequest,
): Promise<ReadonlyMap<string, number>> => {
  const { edges } = runs.wiring;
  const there = edges.flatMap((edge, i) => {
    const score = ledger?.known(`score:${at}:${i}`);
    return score === undefined ? [] : [[edge.name, score] as const];
  });
  if (there.length === edges.length) return new Map(there);
  const scores = await edgeScores(runs, encode, (done, total) => onProgress?.(done, total, 'layers guessed'));
  for (const [i, edge] of edges.entries()) await ledger?.add(`score:${at}:${i}`, scores.get(edge.name) ?? NaN);
  return scores;
};

const scoresOf = async (all: readonly CircuitRuns[], request: CircuitRequest): Promise<ReadonlyMap<string, number>> => {
  const sums = new Map<string, number>();
  for (const [at, runs] of all.entries()) {
    const scores = await pairScores(runs, at, request);
    for (const [name, score] of scores) sums.set(name, (sums.get(name) ?? 0) + score / all.length);
  }
  return sums;
};

/**
 * A part of the model, as edges between what writes to the stream and what reads it, that does most of what the whole
 * does: all other edges carry the corrupted run. Edges are ordered by a guess; the fewest that keep the target are
 * found, and of these each that can go is taken out.
 * @throws UsageError OPTION_INVALID for a model or a pair that it does not fit
 * @throws EngineError ENGINE_FAILED, and what `onSegment` throws to stop
 * @source Conmy et al. 2023, "Towards automated circuit discovery"; Syed, Rager & Conmy 2023 for the order
 */
export const findCircuit = async (request: CircuitRequest): Promise<Circuit> => {
  const all = await opened(request.pairs);
  const [first] = request.pairs;
  const wiring = wiringOf((first as CircuitPair).model);
  const ends = {
    clean: mean(await Promise.all(all.map((r) => r.score(r.clean.stream.get('logits') ?? new Float32Array())))),
    corrupted: mean(await Promise.all(all.map((r) => r.score(r.corrupt.stream.get('logits') ?? new Float32Array())))),
  };
  if (Math.abs(ends.clean - ends.corrupted) < 1e-6)
    throw new UsageError('the metric is the same in the clean and the corrupted run: there is nothing to keep', {
      code: 'OPTION_INVALID',
      hint: 'Give another corrupted prompt, or a metric that tells the two apart.',
    });
  const search = new Search(wiring, all, ends, request.ledger);
  const scores = await scoresOf(all, request);
  const ordered = byWorth(wiring.edges, scores);
  const begun =
    request.size === undefined
      ? await search.fewest(ordered, request)
      : connected(ordered.slice(0, request.size), wiring);
  const edges = request.size === undefined ? await pruned(search, begun, request) : begun;
  const faithfulness = await search.share(edges);
  const own = new Set(edges);
  const complement = await search.share(wiring.edges.filter((e) => !own.has(e)));
  const effects = await effectsOf(search, { edges, share: faithfulness }, request);
  const small = request.threshold ?? smallEffect;
  return {
    edges: edges.map((edge) => ({ edge, score: scores.get(edge.name) ?? NaN, effect: effects.get(edge.name) })),
    ...{ total: wiring.edges.length, ...ends, faithfulness, complement },
    superfluous: [...effects.values()].filter((e) => e < small).length,
    ...{ tried: effects.size, runs: search.runs, known: search.known },
  };
};
