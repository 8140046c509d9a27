import { bug } from '../base/index.js';
import {
  KvCache,
  Pass,
  type Compilations,
  type Condition,
  type ForwardResult,
  type Instance,
  type Passed,
  type PassState,
  type Variant,
} from '../engine/index.js';
import type { Program, ValueId } from '../graph/index.js';
import type { Tensor } from '../tensor/index.js';

/** A place between two instances of a pass: instance `at` of step `step` runs next. */
export interface Place {
  readonly step: number;
  readonly at: number;
}

export interface TimelineRequest {
  readonly program: Program;
  readonly compilations: Compilations;
  readonly variant: Variant;
  readonly ids: readonly number[];
  readonly source?: readonly number[];
  /** The token that follows from the scores of a step; undefined: the generation ends there. */
  readonly choose: (logits: Float32Array, ids: readonly number[], step: number) => number | undefined;
  /** Called before each instance that is run, with its name. */
  readonly onInstance?: (name: string) => Promise<void> | void;
  /** What states may take together; beyond it the oldest steps keep their first alone. 512 MB where left out. */
  readonly maxStateBytes?: number;
}

const defaultMaxStateBytes = 512 * 2 ** 20;

/** One pass of the generation: what it was fed, and what is known of it. */
interface Step {
  readonly ids: readonly number[];
  /** Tokens in the cache before it. */
  readonly past: number;
  readonly pass: Pass;
  /** By instance: the state in which it runs next. The first is always there. */
  readonly states: Map<number, PassState>;
  result: ForwardResult | undefined;
  /** The token that it led to; null: none, the generation ends. */
  chosen: number | null | undefined;
  /** What its states and scores take. */
  bytes: number;
}

/** How a pass is made. */
interface Passing {
  readonly cache: KvCache;
  readonly step: number;
  /** What it went through before it was changed. */
  readonly passed?: readonly Passed[];
}

/** States share what was not handed on anew. */
const bytesOf = ({ states, result }: Step): number => {
  const tensors = new Set([...states.values()].flatMap(({ handed }) => [...handed.values()]));
  return [...tensors, result?.logits].reduce((sum, t) => sum + (t?.data.byteLength ?? 0), 0);
};

const hasEnded = ({ pass }: Step): boolean => pass.next === undefined;

/**
 * A generation that can be moved about in. Where it has been, it can go back to: a state is what was handed on, which
 * is kept, and how many tokens the cache counts. Going somewhere by steps or at once gives the same bits, since every
 * instance runs on the same numbers.
 */
export class Timeline {
  readonly #cache = new KvCache();
  readonly #steps: Step[] = [];
  #variant: Variant;
  #step = 0;
  #held: ReadonlySet<string> = new Set();

  constructor(readonly request: TimelineRequest) {
    this.#variant = request.variant;
    this.#begin(request.ids, 0);
  }

  get place(): Place {
    return { step: this.#step, at: this.#current.pass.state.at };
  }

  /** The instances of the present step. */
  get instances(): readonly Instance[] {
    return this.#current.pass.instances;
  }

  /** The instance that runs next; undefined where the step has ended. */
  get next(): Instance | undefined {
    return this.#current.pass.next;
  }

  get variant(): Variant {
    return this.#variant;
  }

  /** The prompt and the tokens made before the present step. */
  get ids(): readonly number[] {
    const made = this.#steps.slice(0, this.#step).map((s) => s.chosen);
    return [...this.request.ids, ...made.filter((id): id is number => typeof id === 'number')];
  }

  /** What the present step's scores are, once it has ended. [vocab] */
  get logits(): Float32Array | undefined {
    return this.next ? undefined : this.#current.result?.logits?.data; // it may have been there before
  }

  /** The scores that an earlier step ended with, or this one; undefined where they are not kept. [vocab] */
  logitsOf(step: number): Float32Array | undefined {
    return this.#steps[step]?.result?.logits?.data;
  }

  /** The token that the present step led to, once it has ended; null: none. */
  get chosen(): number | null | undefined {
    return this.#current.chosen;
  }

  /** What was handed on to the next instance, by the one before it or earlier. */
  get handed(): ReadonlyMap<string, Tensor> {
    return this.#current.pass.state.handed;
  }

  /** The keys of the conditions that held in the instance that ran last. */
  get held(): ReadonlySet<string> {
    return this.#held;
  }

  /** What all states that are kept take. */
  get stateBytes(): number {
    return this.#steps.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Steps that were reached so far. */
  get reached(): number {
    return this.#steps.length;
  }

  /**
   * Runs the next instance, or, at the end of a step, begins the next one.
   * @param conditions seen while it runs: `held` tells which held
   * @returns whether there was anything to run
   */
  async forward(conditions: readonly Condition[] = []): Promise<boolean> {
    const step = this.#current;
    this.#held = new Set();
    if (hasEnded(step)) return this.#nextStep();
    const known = conditions.length === 0 ? step.states.get(step.pass.state.at + 1) : undefined;
    if (known) step.pass.restore(known);
    else {
      this.#held = await step.pass.advance(conditions);
      step.states.set(step.pass.state.at, step.pass.state);
    }
    if (hasEnded(step)) this.#end(step);
    step.bytes = bytesOf(step);
    this.#forgetOldest();
    return true;
  }

  /**
   * Goes to a place that was reached before, or that is reached by running on.
   * @param isStopped asked between instances: true stays where it came to
   * @returns whether it is there
   */
  async goTo({ step, at }: Place, isStopped = (): boolean => false): Promise<boolean> {
    if (step >= this.#steps.length) this.#enter(this.#steps.length - 1);
    while (step >= this.#steps.length) if (isStopped() || !(await this.forward())) return false;
    this.#enter(step);
    const known = [...this.#current.states.keys()].filter((n) => n <= at);
    const state = this.#current.states.get(Math.max(...known));
    if (!state) throw bug('a step has no first state');
    this.#current.pass.restore(state);
    while (this.place.at < at && this.next) {
      if (isStopped()) return false;
      await this.forward();
    }
    return this.place.at === at;
  }

  /** Keys (or values) of the tokens before this step, of an instance that caches them: [1, past, heads, headDim]. */
  cached(instance: Instance): ReadonlyMap<string, Tensor> {
    const counted = this.#cache.length;
    this.#cache.setLength(this.#current.past);
    const rows = instance.segment.cache.map((spec) => [spec.past, this.#cache.past(instance.name, spec)] as const);
    this.#cache.setLength(counted);
    return new Map(rows);
  }

  /** Values inside the next instance: sites by their names in the segment, values by id. */
  look(sites: readonly string[], values: readonly ValueId[] = []): Promise<ReadonlyMap<string, Tensor>> {
    return this.#current.pass.look(sites, values);
  }

  /**
   * The same of an instance of this step that ran already, or that comes next.
   * @param at which of the instances
   */
  async lookAt(at: number, sites: readonly string[]): Promise<ReadonlyMap<string, Tensor>> {
    const { pass, states } = this.#current;
    const [here, there] = [pass.state, states.get(at)];
    if (!there) throw bug(`instance ${at} was not reached`);
    const past = this.#cachedAt(pass.next === undefined);
    pass.restore(there);
    try {
      return await pass.look(sites);
    } finally {
      pass.restore(here);
      this.#cache.setLength(past);
    }
  }

  /**
   * Another variant from here on: what ran before stays as it was, also where one goes back to it, and what comes is
   * forgotten. A layer that comes in, and
   * has no keys and values of earlier tokens, gets them from a pass over those.
   */
  async change(variant: Variant): Promise<void> {
    const old = this.#current;
    const { at } = old.pass.state;
    this.#variant = variant;
    this.#steps.length = this.#step;
    this.#cache.setLength(old.past);
    const { encoded } = this.#cache;
    if (this.#step === 0) this.#cache.encoded = undefined;
    const { instances } = this.#passOver(old.ids, { cache: this.#cache, step: this.#step });
    const isKept = old.pass.instances.slice(0, at + 1).every((i, n) => instances[n]?.name === i.name);
    const passed = isKept ? old.pass.passed(at) : []; // another order: the step begins anew
    const made = this.#begin(old.ids, old.past, passed);
    this.#cache.forget(old.past, { but: new Set(passed.map(({ instance }) => instance.name)) });
    await this.#fill(variant);
    if (!isKept) return;
    for (const [n, state] of old.states) if (n <= at) made.states.set(n, state);
    const state = made.states.get(at);
    if (state) made.pass.restore(state);
    if (!hasEnded(made)) return;
    this.#cache.encoded = encoded;
    made.result = old.result;
    this.#end(made); // the scores stay, and another token may follow from them
  }

  /**
   * What puts the timeline back as it is now, past and future, as long as nothing has run since: a change of it can so
   * be as if it had never been made.
   */
  mark(): () => void {
    const steps = [...this.#steps];
    const [step, variant] = [this.#step, this.#variant];
    const { pass } = this.#current;
    const { state } = pass;
    const markCache = this.#cache.mark();
    return () => {
      this.#steps.splice(0, this.#steps.length, ...steps);
      [this.#step, this.#variant] = [step, variant];
      pass.restore(state);
      markCache();
    };
  }

  /** Keys and values of earlier tokens for the layers of an order that lack them. */
  async #fill({ order }: Variant): Promise<void> {
    const lacking = order.flatMap((instance) =>
      instance.segment.cache
        .filter((spec) => !this.#cache.isWhole(instance.name, spec))
        .map((spec) => ({ block: instance.name, spec })),
    );
    if (lacking.length === 0) return;
    const cache = new KvCache(this.#cache.encoded);
    for (const [step, { ids }] of this.#steps.slice(0, -1).entries()) await this.#passOver(ids, { cache, step }).run();
    for (const { block, spec } of lacking) this.#cache.fill(block, spec, cache);
  }

  #passOver(ids: readonly number[], { cache, step, passed = [] }: Passing): Pass {
    const { program, compilations, source, onInstance } = this.request;
    return new Pass(program, compilations, {
      ...{ variant: this.#variant, ids: [ids], cache, capture: new Set(), step, passed },
      ...(source ? { source: [source] } : {}),
      ...(onInstance ? { onSegment: onInstance } : {}),
    });
  }

  get #current(): Step {
    const step = this.#steps[this.#step];
    if (!step) throw bug('the timeline has no such step');
    return step;
  }

  #begin(ids: readonly number[], past: number, passed: readonly Passed[] = []): Step {
    const pass = this.#passOver(ids, { cache: this.#cache, step: this.#steps.length, passed });
    const states = new Map([[0, pass.state]]);
    const step = { ids, past, pass, states, result: undefined, chosen: undefined, bytes: 0 };
    this.#steps.push(step);
    return step;
  }

  #end(step: Step): void {
    step.result ??= step.pass.finish();
    const logits = step.result.logits?.data;
    step.chosen ??= (logits && this.request.choose(logits, this.ids, this.#step)) ?? null;
  }

  /** Steps beyond the bound keep their first state, from which the others are computed again: the same bits. */
  #forgetOldest(): void {
    let total = this.stateBytes;
    const most = this.request.maxStateBytes ?? defaultMaxStateBytes;
    for (const [i, step] of this.#steps.entries()) {
      if (total <= most) return;
      if (i === this.#step || step.states.size === 1) continue;
      total -= step.bytes;
      for (const at of [...step.states.keys()]) if (at > 0) step.states.delete(at);
      step.pass.forget();
      step.result = undefined;
      step.bytes = 0;
    }
  }

  #nextStep(): boolean {
    const { chosen, past, ids } = this.#current;
    if (typeof chosen !== 'number') return false;
    this.#cache.setLength(past + ids.length);
    if (this.#step + 1 >= this.#steps.length) this.#begin([chosen], past + ids.length);
    this.#enter(this.#step + 1);
    const first = this.#current.states.get(0);
    if (first) this.#current.pass.restore(first);
    return true;
  }

  /** Counts the tokens before this step again, for what is looked at in it; gives what was counted. */
  #cachedAt(ended: boolean): number {
    const counted = this.#cache.length;
    if (ended) this.#cache.setLength(this.#current.past);
    return counted;
  }

  #enter(step: number): void {
    this.#step = step;
    this.#cache.setLength(this.#current.past);
  }
}
