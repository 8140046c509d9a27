import { carried, type Program } from '../../graph/index.js';
import { bytesPer, range, sizeOf, take, type Tensor } from '../../tensor/index.js';
import type { Compilations } from './compiled.js';
import type { Instance } from './order.js';
import { capturedIn } from './instance-form.js';
import { Pass, type PassState } from './pass.js';
import type { ForwardRequest, Variant } from './request.js';
import { isDoubled, type Rows } from './rows.js';

export interface KeptRequest extends Pick<ForwardRequest, 'onSegment'> {
  readonly variant: Variant;
  readonly ids: readonly number[];
  readonly source?: readonly number[] | undefined;
  readonly logits: 'all' | 'last' | 'none';
  /** Whether later runs may begin where this one is the same; true where left out. */
  readonly keep?: boolean;
  /** Sites whose values `onSites` is told, as soon as their instance has run; nobody else keeps them. */
  readonly capture?: ReadonlySet<string>;
  readonly onSites?: (values: ReadonlyMap<string, Tensor>) => void | Promise<void>;
}

/** A pass over one prompt, with the stream between its instances. */
export interface KeptRun {
  readonly variant: Variant;
  readonly rows: Rows;
  /** The instances that ran. */
  readonly instances: readonly Instance[];
  /** The stream [1, position, model] after an instance of that name. */
  stream(name: string): Tensor | undefined;
  /** [1, position, vocab], or the last position's; of a classifier its labels. */
  readonly logits: Tensor<'float32'> | undefined;
  /** Where the run was not made by our engine: scores of rows of a stream, [1, row, model], that stand at these positions. */
  readonly score?: (rows: Tensor, positions: readonly number[]) => Promise<Tensor<'float32'>>;
  /** How many instances were not computed, since an earlier run had them. */
  readonly reused: number;
}

interface Trace {
  readonly prompt: string;
  readonly pass: Pass;
  /** Before each instance, and behind the last. */
  readonly states: readonly PassState[];
  /** What the head scored, and of which rows. */
  readonly scores?: { readonly of: 'all' | 'last'; readonly logits: Tensor<'float32'> } | undefined;
  readonly bytes: number;
}

const bytesOf = (tensor: Tensor): number => sizeOf(tensor.shape) * bytesPer[tensor.dtype];

/** What states hold, a tensor that several of them share counted once. */
const bytesHeld = (states: readonly PassState[]): number => {
  const tensors = new Set(states.flatMap(({ handed }) => [...handed.values()]));
  return [...tensors].reduce((sum, tensor) => sum + bytesOf(tensor), 0);
};

const sameNumbers = (a: Tensor | undefined, b: Tensor): boolean =>
  a !== undefined && a.data.length === b.data.length && a.data.every((x, i) => Object.is(x, b.data[i]));

/** Are an instance's edits the same in two variants, numbers included? */
const sameEdits = (name: string, [a, b]: readonly [Variant, Variant], rows: Rows): boolean => {
  const [one, other] = [a.edits.get(name) ?? [], b.edits.get(name) ?? []];
  if (JSON.stringify(one.map((e) => e.edit)) !== JSON.stringify(other.map((e) => e.edit))) return false;
  return one.every((edit, i) => {
    const theirs = other[i]?.numbers(rows) ?? new Map<string, Tensor>();
    return [...edit.numbers(rows)].every(([input, tensor]) => sameNumbers(theirs.get(input), tensor));
  });
};

const sameWeights = ({ segment }: Instance, [a, b]: readonly [Variant, Variant]): boolean =>
  segment.graph.params.every(({ name }) => {
    const [one, other] = [a.weights.get(name), b.weights.get(name)];
    return one === other || (one !== undefined && other !== undefined && sameNumbers(one, other));
  });

/** How many instances, from the first on, do the same in both passes. */
const sharedInstances = (a: Pass, b: Pass): number => {
  const variants = [a.request.variant, b.request.variant] as const;
  const differs = a.instances.findIndex((instance, i) => {
    const other = b.instances[i];
    const same = other?.name === instance.name && other.segment === instance.segment;
    return !same || !sameEdits(instance.name, variants, b.rows) || !sameWeights(instance, variants);
  });
  return differs < 0 ? a.instances.length : differs;
};

/** The stream of a state, without the second copy of a doubled row. */
const streamOf = (state: PassState | undefined, rows: Rows): Tensor | undefined => {
  const stream = state?.handed.get(carried);
  if (!stream || !isDoubled(rows) || stream.shape[1] === 1) return stream;
  return range(stream, 1, [0, (stream.shape[1] ?? 2) - 1]);
};

/** The scores of a run that was kept, of the rows that another asks for. A row has the same bits whatever is scored beside it. */
const scoresFor = ({ scores }: Trace, pass: Pass, wanted: 'all' | 'last'): Tensor<'float32'> | undefined => {
  if (!scores || scores.of === wanted || pass.program.facts.output !== 'next') return scores?.logits;
  if (scores.of === 'last') return undefined;
  const rows = scores.logits.shape[1] ?? 1;
  return take<Tensor<'float32'>>(scores.logits, 1, [rows - 1]);
};

const traceOf = (
  { prompt, pass, states }: Pick<Trace, 'prompt' | 'pass' | 'states'>,
  logits: Tensor<'float32'> | undefined,
): Trace => {
  const of = logits && pass.request.logits !== 'none' ? (pass.request.logits ?? 'last') : undefined;
  const scores = of && logits ? { of, logits } : undefined;
  return { prompt, pass, states, scores, bytes: bytesHeld(states) + (logits ? bytesOf(logits) : 0) };
};

/**
 * Runs prompts, and keeps the stream between the segments of the latest runs: what a later run does alike at its
 * beginning is not computed again. The numbers are the same to the bit, since each segment is run whole either way.
 */
export class KeptRuns {
  /** Latest last. */
  #traces: Trace[] = [];

  constructor(
    readonly limitBytes: number,
    readonly most = 4,
  ) {}

  /**
   * What is captured alone, with no scores asked for, runs from the first instance that has such a site, where an earlier
   * run has brought the stream there, to the last.
   * @throws EngineError ENGINE_FAILED
   */
  async run(
    model: { readonly program: Program; readonly compilations: Compilations },
    { variant, ids, source, logits, keep = true, onSegment, capture = new Set(), onSites }: KeptRequest,
  ): Promise<KeptRun> {
    const pass = new Pass(model.program, model.compilations, {
      ...{ variant, ids: [ids], capture, logits },
      ...(source ? { source: [source] } : {}),
      ...(onSegment ? { onSegment } : {}),
    });
    const prompt = JSON.stringify([ids, source]);
    const wanted = pass.instances.map((instance) => capturedIn(instance, capture).length > 0);
    const known = capture.size === 0 ? this.#known(prompt, pass, logits) : undefined;
    const states = [...(known?.states ?? this.#begin(prompt, pass, wanted))];
    const reused = states.length - 1;
    const end = logits === 'none' && capture.size > 0 ? wanted.lastIndexOf(true) + 1 : pass.instances.length;
    while (!known && states.length <= end) {
      await pass.advance();
      states.push(pass.state);
      if (pass.sites.size > 0) await onSites?.(new Map(pass.sites));
      pass.sites.clear();
    }
    const made = known?.logits ?? pass.finish().logits;
    if (keep) this.#keep(traceOf({ prompt, pass, states }, made));
    return {
      ...{ variant, rows: pass.rows, instances: pass.instances, logits: made, reused },
      stream: (name) => streamOf(states[pass.instances.findIndex((i) => i.name === name) + 1], pass.rows),
    };
  }

  clear(): void {
    this.#traces = [];
  }

  /** A run that an earlier one was in all, and whose scores are kept. */
  #known(
    prompt: string,
    pass: Pass,
    wanted: KeptRequest['logits'],
  ): (Trace & { logits: Tensor<'float32'> }) | undefined {
    if (wanted === 'none') return undefined;
    for (const trace of this.#traces) {
      if (trace.prompt !== prompt || trace.states.length <= pass.instances.length) continue;
      const logits = scoresFor(trace, pass, wanted);
      if (logits && sharedInstances(trace.pass, pass) === pass.instances.length) return { ...trace, logits };
    }
    return undefined;
  }

  /** Sets a pass where an earlier one has brought it, before its head and all that is wanted. @returns the states up to there */
  #begin(prompt: string, pass: Pass, wanted: readonly boolean[]): readonly PassState[] {
    const first = wanted.indexOf(true);
    const alike = this.#traces.filter((trace) => trace.prompt === prompt);
    const found = alike.map((trace) => ({ trace, shared: this.#shared(trace, pass) }));
    const best = found.reduce<(typeof found)[number] | undefined>(
      (most, one) => (one.shared > (most?.shared ?? 0) ? one : most),
      undefined,
    );
    const at = Math.min(best?.shared ?? 0, first < 0 ? Infinity : first);
    const state = best?.trace.states[at];
    if (!best || !state) return [pass.state];
    pass.restore(state);
    return best.trace.states.slice(0, at + 1);
  }

  /** Instances that a run need not compute, up to the head. */
  #shared(trace: Trace, pass: Pass): number {
    const head = pass.instances.findIndex((i) => i.segment.kind === 'head');
    const shared = sharedInstances(trace.pass, pass);
    return Math.min(shared, head < 0 ? shared : head, trace.states.length - 1);
  }

  /** Does an earlier run have all that another has? */
  #covers(one: Trace, other: Trace): boolean {
    if (one.prompt !== other.prompt || one.states.length < other.states.length) return false;
    if (other.scores && one.scores?.of !== other.scores.of && one.scores?.of !== 'all') return false;
    return sharedInstances(one.pass, other.pass) >= other.states.length - 1;
  }

  /** Keeps a run as the latest; what it has in common with another is kept once. */
  #keep(trace: Trace): void {
    const better = this.#traces.find((one) => this.#covers(one, trace));
    const kept = better ?? trace;
    const others = this.#traces.filter((one) => one !== better && !this.#covers(kept, one));
    this.#traces = [...others, kept].slice(-this.most);
    while (this.#traces.length > 0 && this.#bytes > this.limitBytes) this.#traces.shift();
  }

  get #bytes(): number {
    return this.#traces.reduce((sum, { bytes }) => sum + bytes, 0);
  }
}
