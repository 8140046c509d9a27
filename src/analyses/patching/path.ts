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
import { kindOf, rowsOf, shapeIn, type Cell, type Ledger, type Metric } from '../sweep/index.js';

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

/** `attn.z` of `encoder.attn.z`. */
const bareKind = (place: PlacedSite): string => kindOf(place).replace(/^(?:en|de)coder\./, '');

/** What a layer adds to the stream, part by part. */
const written = ['attn_out', 'cross_attn_out', 'mlp_out'];

/**
 * Receivers from a list of selectors, such as `blocks.5.attn.q[head=3]`; `logits` alone: none but the scores.
 * @throws UsageError OPTION_INVALID, SELECTOR_INVALID
 */
export const receiversOf = (model: SweepModel, text: string, prompt: Prompt): readonly Receiver[] => {
  if (text.trim() === 'logits') return [];
  const places = placedSites(model.variant.order);
  return parseGlobs(text).flatMap((glob) => {
    const found = places.filter((p) => matches(glob, p.name));
    if (found.length === 0 || found.some((p) => !['block', 'cross'].includes(p.instance.segment.kind)))
      throw invalid(
        `no part of a layer is called ${glob.text}`,
        'Receivers are selectors such as blocks.5.attn.q[head=3], comma-separated, or logits alone.',
      );
    const whole = found.find((p) => written.includes(bareKind(p)));
    if (whole)
      throw invalid(
        `a path ends in what a part reads, and ${whole.name} is what it writes`,
        'Name its inputs: ln2.normalized for an MLP, attn.q, attn.k or attn.v for heads.',
      );
    return found.map((place): Receiver => {
      const { axes } = place.type;
      const { tokens } = (rowsOf(place).isSource ? prompt.source : prompt) ?? prompt;
      const value = { name: place.name, axes, shape: shapeIn(place, prompt), tokens };
      const chosen = resolveSelector(glob.where, value);
      return { place, indices: axes.map((axis) => chosen.get(axis)) };
    });
  });
};

/** What is added to the stream in each layer: kept as it was, so that nothing else carries the change on. */
const carriersOf = ({ variant }: SweepModel, mlps: PathRequest['mlps']): readonly PlacedSite[] =>
  placedSites(variant.order).filter((p) => {
    const kind = bareKind(p);
    return written.includes(kind) && (kind !== 'mlp_out' || mlps === 'frozen');
  });

/** What adds something to the stream, and which of a layer's parts it is: attention, cross-attention, MLP; −1: what comes before. */
const senderSteps: Readonly<Record<string, number>> = {
  ...{ embed: -1, pos_embed: -1, resid_pre: -1 },
  ...{ 'attn.z': 0, 'attn.result': 0, attn_out: 0 },
  ...{ 'cross_attn.z': 1, 'cross_attn.result': 1, cross_attn_out: 1 },
  ...{ mlp_out: 2, 'mlp.post': 2 },
};

const stepOfSender = ({ place }: Cell): number => {
  const step = senderSteps[bareKind(place)];
  if (step !== undefined) return step;
  throw invalid(
    `${place.name} adds nothing to the stream by itself`,
    'Senders are z (heads), mlp_out, attn_out, mlp.post or an embedding.',
  );
};

/** Of which of a layer's parts a site is read. An MLP beside attention reads what attention reads. */
const stepOfReceiver = (place: PlacedSite): number => {
  const { id, graph } = place.instance.segment;
  const kind = bareKind(place);
  if (/^(cross_attn|ln_cross)/.test(kind)) return 1;
  return graph.sites.some((s) => s.name === `${id}.resid_mid`) && /^(mlp|ln2)/.test(kind) ? 2 : 0;
};

/** How far along the way from the tokens to the scores the parts of a model are. */
class Way {
  readonly #parts: ReadonlyMap<string, number>;
  constructor({ variant }: SweepModel) {
    this.#parts = new Map(variant.order.map((instance, i) => [instance.name, i]));
  }

  partOf({ instance }: PlacedSite): number {
    return this.#parts.get(instance.name) ?? -1;
  }

  /** Is something of a later part, or of a later step of the same? */
  isBehind(place: PlacedSite, step: number, sender: Cell): boolean {
    const [from, to] = [this.partOf(sender.place), this.partOf(place)];
    return to === from ? step > stepOfSender(sender) : to > from;
  }

  /** Does anything that a sender writes reach a receiver? What an encoder's parts write reaches keys and values of the decoder. */
  reaches(sender: Cell, { place }: Receiver): boolean {
    const { stack, kind } = place.instance.segment;
    if (sender.place.instance.segment.stack === 'encoder' && stack !== 'encoder') return kind === 'cross';
    return this.isBehind(place, stepOfReceiver(place), sender);
  }

  /** Everything behind a sender is kept as the base run has it, so that the change goes along the stream alone. */
  frozen(sender: Cell, carriers: readonly PlacedSite[], base: SweptRun): readonly Change[] {
    return carriers
      .filter((place) => this.isBehind(place, senderSteps[bareKind(place)] ?? 0, sender))
      .map(({ name, type }) => ({
        site: name,
        indices: type.axes.map(() => undefined),
        to: { kind: 'value', tensor: base.site(name) },
      }));
  }
}

/** A sender with the receivers that it reaches. */
interface Sending {
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
  async follow(ways: readonly Sending[], first: readonly SweepVariant[]): Promise<void> {
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

/** All senders together; by their layer where results are kept, so that what is done of both runs is never much. */
const inParts = (ways: readonly Sending[], along: Way, { ledger }: PathRequest): readonly (readonly Sending[])[] => {
  if (!ledger) return [ways];
  const parts = [...new Set(ways.map((w) => along.partOf(w.cell.place)))];
  return parts.map((part) => ways.filter((w) => along.partOf(w.cell.place) === part));
};

const checkLengths = (prompt: Prompt, other: Prompt): void => {
  if (prompt.ids.length === other.ids.length && prompt.source?.ids.length === other.source?.ids.length) return;
  throw invalid(
    'paths are patched between prompts of as many tokens',
    'Give prompts of the same length: `cutaway tokenize MODEL --text` counts them.',
  );
};

/**
 * Path patching: the metric where receivers get what they would if one sender alone had the other run's value and
 * nothing between the two had changed. With no receivers: what of the sender goes straight to the scores.
 * @throws UsageError OPTION_INVALID where a path cannot be followed so
 * @source Wang et al. 2022, "Interpretability in the wild", §3; Goldowsky-Dill et al. 2023, "Localizing model behavior with path patching"
 */
export const patchPaths = async (model: SweepModel, request: PathRequest): Promise<PathPatched> => {
  const { prompt, other, senders, receivers, metric, mlps, ledger } = request;
  checkLengths(prompt, other.prompt);
  const [along, carriers] = [new Way(model), carriersOf(model, mlps)];
  senders.forEach(stepOfSender);
  const names = receivers.map((r) => r.place.name);
  const sweep = await Sweep.open(model, {
    prompt,
    changes: [...senders.map((c) => c.place.name), ...carriers.map((p) => p.name), ...names],
    observe: [...metric.sites, ...names],
    positions: metric.positions,
    tokens: metric.tokens,
  });
  const source = await sweep.other(other.prompt, { scores: other.metric });
  const values = senders.map((_, s) => ledger?.known(s) ?? NaN);
  const ways = senders.flatMap((cell, s): Sending[] => {
    if (ledger?.known(s) !== undefined) return [];
    const own = receivers.filter((r) => along.reaches(cell, r));
    const toScores = receivers.length === 0 && cell.place.instance.segment.stack !== 'encoder';
    return toScores || own.length > 0 ? [{ s, cell, own }] : [];
  });
  const changed = ({ cell }: Sending): SweepVariant => {
    const { name } = cell.place;
    const change: Change = { site: name, indices: cell.indices, to: { kind: 'value', tensor: source.site(name) } };
    return { changes: [change, ...along.frozen(cell, carriers, sweep.baseRun)] };
  };
  const total = ways.length * (receivers.length === 0 ? 1 : 2);
  const follower = new Follower(sweep, request, total, async (s, value) => {
    values[s] = value;
    await ledger?.add(s, value);
  });
  for (const part of inParts(ways, along, request)) await follower.follow(part, part.map(changed));
  return { base: metric.of(sweep.baseRun), other: other.metric.of(source), values };
};
