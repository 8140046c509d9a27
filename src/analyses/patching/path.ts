import { UsageError } from '../../base/index.js';
import {
  placedSites,
  Sweep,
  type Change,
  type PlacedSite,
  type Prompt,
  type SweepModel,
  type SweepVariant,
  type SweptRun,
} from '../../engine/index.js';
import { matches, parseGlobs, resolveSelector } from '../../language/index.js';
import { kindOf, type Cell, type Ledger, type Metric } from '../sweep/index.js';

/** Where a path ends: a part of a site of later layers; none: the scores. */
export interface Receiver {
  readonly place: PlacedSite;
  readonly indices: readonly (readonly number[] | undefined)[];
}

export interface PathRequest {
  readonly prompt: Prompt;
  /** Of as many tokens. */
  readonly other: { readonly prompt: Prompt; readonly metric: Metric };
  /** What sends: heads' z, mlp_out, attn_out or an embedding. */
  readonly senders: readonly Cell[];
  readonly receivers: readonly Receiver[];
  readonly metric: Metric;
  /** Whether MLPs on the way compute again, or keep what they gave. */
  readonly mlps: 'frozen' | 'computed';
  readonly ledger?: Ledger;
  readonly onProgress?: (done: number, total: number) => void;
}

export interface PathPatched {
  readonly base: number;
  readonly other: number;
  /** The metric where only what goes straight from each sender to the receivers is the other run's; NaN: no path leads there. */
  readonly values: readonly number[];
}

const invalid = (message: string, hint: string): UsageError =>
  new UsageError(message, { code: 'OPTION_INVALID', hint });

/**
 * Receivers from a list of selectors, such as `blocks.5.attn.q[head=3]`; `logits` alone: none but the scores.
 * @throws UsageError OPTION_INVALID, SELECTOR_INVALID
 */
export const receiversOf = (model: SweepModel, text: string, prompt: Prompt): readonly Receiver[] => {
  if (text.trim() === 'logits') return [];
  const places = placedSites(model.variant.order);
  return parseGlobs(text).flatMap((glob) => {
    const found = places.filter((p) => matches(glob, p.name));
    if (found.length === 0 || found.some((p) => p.instance.segment.kind !== 'block'))
      throw invalid(
        `no part of a layer is called ${glob.text}`,
        'Receivers are selectors such as blocks.5.attn.q[head=3], comma-separated, or logits alone.',
      );
    const whole = found.find((p) => ['attn_out', 'mlp_out'].includes(kindOf(p)));
    if (whole)
      throw invalid(
        `a path ends in what a part reads, and ${whole.name} is what it writes`,
        'Name its inputs: ln2.normalized for an MLP, attn.q, attn.k or attn.v for heads.',
      );
    return found.map((place): Receiver => {
      const { axes, shape } = place.type;
      const extents = shape.map((dim) => (typeof dim === 'number' ? dim : dim === 'batch' ? 1 : prompt.ids.length));
      const value = { name: place.name, axes, shape: extents, tokens: prompt.tokens };
      const chosen = resolveSelector(glob.where, value);
      return { place, indices: axes.map((axis) => chosen.get(axis)) };
    });
  });
};

/** What is added to the stream in each layer: kept as it was, so that nothing else carries the change on. */
const carriersOf = ({ variant }: SweepModel, mlps: PathRequest['mlps']): readonly PlacedSite[] => {
  const kinds = ['attn_out', ...(mlps === 'frozen' ? ['mlp_out'] : [])];
  const found = placedSites(variant.order).filter(
    (p) => p.instance.segment.stack === undefined && kinds.includes(kindOf(p)),
  );
  if (found.some((p) => kindOf(p) === 'attn_out')) return found;
  throw new UsageError('paths are followed in models of one stack of layers', {
    code: 'METHOD_UNFIT',
    hint: 'For an encoder-decoder, patch with --method patch.',
  });
};

const senderKinds = ['attn.z', 'attn.result', 'attn_out', 'mlp_out', 'mlp.post', 'embed', 'pos_embed', 'resid_pre'];

/** How far along in the model a place is: layers count from 1. */
const depthOf = ({ instance }: PlacedSite): number => (instance.segment.layer ?? -1) + 1;

const sends = (cell: Cell): 'attention' | 'mlp' | 'before' => {
  const kind = kindOf(cell.place);
  if (!senderKinds.includes(kind))
    throw invalid(
      `${cell.place.name} adds nothing to the stream by itself`,
      'Senders are z (heads), mlp_out, attn_out, mlp.post or an embedding.',
    );
  return kind.startsWith('mlp') ? 'mlp' : kind.startsWith('attn') ? 'attention' : 'before';
};

/** Everything behind a sender is kept as the base run has it, so that the change goes along the stream alone. */
const frozen = (sender: Cell, carriers: readonly PlacedSite[], base: SweptRun): readonly Change[] => {
  const [depth, kind] = [depthOf(sender.place), sends(sender)];
  const behind = (place: PlacedSite): boolean => {
    const own = depthOf(place);
    if (own !== depth) return own > depth;
    return kind === 'before' || (kind === 'attention' && kindOf(place) === 'mlp_out');
  };
  return carriers.filter(behind).map(({ name, type }) => ({
    site: name,
    indices: type.axes.map(() => undefined),
    to: { kind: 'value', tensor: base.site(name) },
  }));
};

/** Does anything that a sender writes reach a receiver? In a layer where the MLP stands beside attention, not from there. */
const reaches = (sender: Cell, { place }: Receiver): boolean => {
  const [from, to] = [depthOf(sender.place), depthOf(place)];
  if (from !== to) return to > from;
  const { id, graph } = place.instance.segment;
  const isBehind = graph.sites.some((s) => s.name === `${id}.resid_mid`) && /^(mlp|ln2)/.test(kindOf(place));
  return sends(sender) === 'before' || (sends(sender) === 'attention' && isBehind);
};

/** A sender with the receivers that it reaches. */
interface Way {
  /** Which sender it is. */
  readonly s: number;
  readonly cell: Cell;
  readonly own: readonly Receiver[];
}

/** Runs ways, and tells what each sender does as soon as it is known. */
class Follower {
  #done = 0;
  constructor(
    readonly sweep: Sweep,
    readonly request: PathRequest,
    readonly total: number,
    readonly told: (sender: number, value: number) => void | Promise<void>,
  ) {}

  /** First what arrives at the receivers when a sender alone is changed, then a run in which they alone have that. */
  async follow(ways: readonly Way[], first: readonly SweepVariant[]): Promise<void> {
    const { receivers, metric } = this.request;
    const second: (SweepVariant & { readonly s: number })[] = [];
    await this.sweep.run(first, async (v, run) => {
      const { s, own } = ways[v] ?? { s: 0, own: [] };
      const arrived = ({ place, indices }: Receiver): Change => ({
        ...{ site: place.name, indices },
        to: { kind: 'value', tensor: run.site(place.name) },
      });
      if (receivers.length > 0) second.push({ s, changes: own.map(arrived) });
      else await this.told(s, metric.of(run));
      this.#ran();
    });
    await this.sweep.run(second, async (v, run) => {
      await this.told(second[v]?.s ?? 0, metric.of(run));
      this.#ran();
    });
  }

  #ran(): void {
    this.request.onProgress?.(++this.#done, this.total);
  }
}

/** All ways together; by the sender's layer where results are kept, so that what is done of both runs is never much. */
const inParts = (ways: readonly Way[], { ledger }: PathRequest): readonly (readonly Way[])[] => {
  if (!ledger) return [ways];
  const depths = [...new Set(ways.map((w) => depthOf(w.cell.place)))];
  return depths.map((depth) => ways.filter((w) => depthOf(w.cell.place) === depth));
};

/**
 * Path patching: the metric where receivers get what they would if one sender alone had the other run's value and
 * nothing between the two had changed. With no receivers: what of the sender goes straight to the scores.
 * @throws UsageError METHOD_UNFIT of two stacks, OPTION_INVALID where a path cannot be followed so
 * @source Wang et al. 2022, "Interpretability in the wild", §3; Goldowsky-Dill et al. 2023, "Localizing model behavior with path patching"
 */
export const patchPaths = async (model: SweepModel, request: PathRequest): Promise<PathPatched> => {
  const { prompt, other, senders, receivers, metric, mlps, ledger } = request;
  if (prompt.ids.length !== other.prompt.ids.length)
    throw invalid(
      'paths are patched between prompts of as many tokens',
      'Give prompts of the same length: `cutaway tokenize MODEL --text` counts them.',
    );
  const carriers = carriersOf(model, mlps); // first: in two stacks no sender has its usual name
  senders.forEach(sends);
  const names = receivers.map((r) => r.place.name);
  const sweep = await Sweep.open(model, {
    prompt,
    changes: [...senders.map((c) => c.place.name), ...carriers.map((p) => p.name), ...names],
    observe: [...metric.sites, ...names],
    positions: metric.positions,
    tokens: metric.tokens,
  });
  const source = await sweep.other(other.prompt, {
    positions: other.metric.positions,
    tokens: other.metric.tokens,
  });
  const values = senders.map((_, s) => ledger?.known(s) ?? NaN);
  const ways = senders.flatMap((cell, s): Way[] => {
    if (ledger?.known(s) !== undefined) return [];
    const own = receivers.filter((r) => reaches(cell, r));
    return receivers.length === 0 || own.length > 0 ? [{ s, cell, own }] : [];
  });
  const changed = ({ cell }: Way): SweepVariant => {
    const { name } = cell.place;
    const change: Change = { site: name, indices: cell.indices, to: { kind: 'value', tensor: source.site(name) } };
    return { changes: [change, ...frozen(cell, carriers, sweep.baseRun)] };
  };
  const total = ways.length * (receivers.length === 0 ? 1 : 2);
  const follower = new Follower(sweep, request, total, async (s, value) => {
    values[s] = value;
    await ledger?.add(s, value);
  });
  for (const part of inParts(ways, request)) await follower.follow(part, part.map(changed));
  return { base: metric.of(sweep.baseRun), other: other.metric.of(source), values };
};
