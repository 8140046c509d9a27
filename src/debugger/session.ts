import { siteIn, type Condition, type Instance, type Variant } from '../engine/index.js';
import { typesOf, type ValueId } from '../graph/index.js';
import type { Tensor } from '../tensor/index.js';
import { Breakpoints, type Breakpoint, type Change, type Stopping } from './breakpoints.js';
import { ExceptionWatch } from './exception-watch.js';
import type { ExceptionFilter } from './exceptions.js';
import { endOfModule, startOfModule, type Granularity, type Position } from './position.js';
import { makeSource, type OpLine, type Source } from './source.js';
import { Timeline, type TimelineRequest } from './timeline.js';

/** Why a run stands where it stands. */
export type Stop =
  | { readonly reason: 'entry' | 'step' | 'goto' | 'pause'; readonly position: Position }
  | { readonly reason: 'breakpoint'; readonly position: Position; readonly breakpoint: Breakpoint }
  /** What a data breakpoint watches changed in the instance that was just passed. */
  | ({ readonly reason: 'data'; readonly position: Position } & Change)
  | {
      readonly reason: 'exception';
      readonly position: Position;
      readonly filter: ExceptionFilter;
      readonly description: string;
    }
  /** The generation has ended, or, going backward, its beginning was reached. */
  | { readonly reason: 'end' | 'beginning'; readonly position: Position };

/** A site's value, float32 or as it is computed. */
interface SiteValue {
  readonly tensor: Tensor;
  readonly axes: readonly string[];
}

/** Values of one step that are kept, since several conditions may ask for them. */
const readsKept = 16;

/** A part of the model that the run is inside of, innermost first. */
export type Frame =
  | { readonly kind: 'op'; readonly op: OpLine }
  | { readonly kind: 'module'; readonly module: string }
  | { readonly kind: 'layer'; readonly instance: Instance }
  | { readonly kind: 'step'; readonly step: number }
  | { readonly kind: 'generation' };

/**
 * A run under control: it stands before an operation and can be stepped, forward and back, run to a breakpoint, looked
 * into and changed. Nothing that is done here changes a number unless it is an edit.
 */
export class DebugSession {
  readonly source: Source;
  readonly breakpoints = new Breakpoints();
  readonly #watch: ExceptionWatch;
  readonly #timeline: Timeline;
  #op = 0;
  #paused = false;
  #read: { readonly step: number; readonly variant: Variant; readonly values: Map<string, SiteValue> };

  constructor(request: TimelineRequest) {
    this.source = makeSource(request.program);
    this.#timeline = new Timeline(request);
    this.#watch = new ExceptionWatch(this.#timeline, this.source);
    this.#read = { step: 0, variant: request.variant, values: new Map() };
  }

  /** What stops a running `continue` besides breakpoints. */
  get exceptions(): readonly ExceptionFilter[] {
    return this.#watch.filters;
  }

  set exceptions(filters: readonly ExceptionFilter[]) {
    this.#watch.filters = filters;
  }

  get position(): Position {
    return { ...this.#timeline.place, op: this.#op };
  }

  /** The instance that the run is in; undefined at the end of a step. */
  get instance(): Instance | undefined {
    return this.#timeline.next;
  }

  /** The instances of the present step, in order: `position.at` counts them. */
  get instances(): readonly Instance[] {
    return this.#timeline.instances;
  }

  /** The prompt and the tokens made so far. */
  get ids(): readonly number[] {
    return this.#timeline.ids;
  }

  /** Scores of the next token, at the end of a step; before it none, though the run has been there. [vocab] */
  get logits(): Float32Array | undefined {
    return this.#timeline.logits;
  }

  /** Scores that an earlier step ended with, where they are kept. [vocab] */
  logitsOf(step: number): Float32Array | undefined {
    return this.#timeline.logitsOf(step);
  }

  /** The token that the present step led to, once it has ended; null: none. */
  get chosen(): number | null | undefined {
    return this.#timeline.chosen;
  }

  get variant(): Variant {
    return this.#timeline.variant;
  }

  /** What the run is inside of, innermost first. */
  get frames(): readonly Frame[] {
    const { instance, position } = this;
    const op = this.#ops[position.op];
    const parts = op?.module === undefined || op.module === '' ? [] : op.module.split('.');
    const modules = parts.map((_, i): Frame => ({
      kind: 'module',
      module: parts.slice(0, parts.length - i).join('.'),
    }));
    return [
      ...(op ? [{ kind: 'op', op } as const] : []),
      ...modules,
      ...(instance ? [{ kind: 'layer', instance } as const] : []),
      { kind: 'step', step: position.step },
      { kind: 'generation' },
    ];
  }

  /** The first place of the present instance that could stop, and what stops there; for a run that begins here. */
  async here(): Promise<Stop | undefined> {
    const stopping = this.#stoppingAt(this.#op);
    const breakpoint = stopping && (await this.breakpoints.hit(stopping, { counting: true }));
    return breakpoint && { reason: 'breakpoint', position: this.position, breakpoint };
  }

  /** Ends what is under way before its next instance. */
  pause(): void {
    this.#paused = true;
  }

  /** Goes on by one unit; at the end of the generation nothing happens. */
  async stepForward(by: Granularity): Promise<Stop> {
    const { step } = this.position;
    if (by === 'op' || by === 'module') {
      const op = by === 'op' ? this.#op + 1 : endOfModule(this.#ops, this.#op);
      if (op < this.#ops.length) return this.#stand(op, 'step');
    }
    this.#paused = false;
    if (!(await this.#pass())) return { reason: 'end', position: this.position };
    while (by === 'token' && this.position.step === step) {
      if (this.#wasPaused()) return { reason: 'pause', position: this.position };
      if (!(await this.#pass())) return { reason: 'end', position: this.position };
    }
    return { reason: 'step', position: this.position };
  }

  /** Out of the innermost module, or, outside of any, out of the layer. */
  async stepOut(): Promise<Stop> {
    const inModule = (this.#ops[this.#op]?.module ?? '') !== '';
    return this.stepForward(inModule ? 'module' : 'layer');
  }

  /** Back by one unit: to the beginning of the present one, or, where the run stands there, of the one before. */
  async stepBack(by: Granularity): Promise<Stop> {
    const { step, at, op } = this.position;
    if (by === 'op' && op > 0) return this.#stand(op - 1, 'step');
    if (by === 'module' && op > 0) {
      const start = startOfModule(this.#ops, op);
      return this.#stand(start < op ? start : startOfModule(this.#ops, op - 1), 'step');
    }
    if (by === 'layer' && op > 0) return this.#stand(0, 'step');
    if (by === 'token') return this.goTo({ step: at > 0 || op > 0 ? step : step - 1, at: 0, op: 0 }, 'step');
    if (!(await this.#passBack())) return { reason: 'beginning', position: this.position };
    const last = Math.max(0, this.#ops.length - 1);
    if (by === 'op') return this.#stand(last, 'step');
    return this.#stand(by === 'module' ? startOfModule(this.#ops, last) : 0, 'step');
  }

  /** Runs to the next breakpoint or exception, or to the end. */
  async continue(): Promise<Stop> {
    this.#paused = false;
    await this.breakpoints.remember();
    let from = this.#op + 1;
    for (;;) {
      const stop = await this.#through(from);
      if (stop) return stop;
      if (this.#wasPaused()) return { reason: 'pause', position: this.position };
      from = 0;
    }
  }

  /** Runs backward to the breakpoint before, or to the beginning. */
  async reverseContinue(): Promise<Stop> {
    this.#paused = false;
    this.#watch.forget();
    await this.breakpoints.remember();
    let below = this.#op;
    for (;;) {
      const stop = await this.#lastIn(below);
      if (stop) return stop;
      if (!(await this.#passBack())) {
        this.#op = 0;
        return { reason: 'beginning', position: this.position };
      }
      const change = await this.breakpoints.changed({ counting: false });
      if (change) return { reason: 'data', position: this.position, ...change };
      if (this.#wasPaused()) return { reason: 'pause', position: this.position };
      below = this.#ops.length;
    }
  }

  /** Goes to a place, in the past or the future. It stays where it is where there is no such place. */
  async goTo({ step, at, op }: Position, reason: 'step' | 'goto' = 'goto'): Promise<Stop> {
    const here = this.position;
    this.#watch.forget();
    this.#paused = false;
    if (step < 0) return { reason: 'beginning', position: here };
    const isThere = await this.#timeline.goTo({ step, at }, () => this.#wasPaused());
    if (!isThere && this.#wasPaused()) return { ...this.#stand(0, reason), reason: 'pause' };
    if (isThere) return this.#stand(Math.min(op, Math.max(0, this.#ops.length - 1)), reason);
    await this.#timeline.goTo(here);
    this.#op = here.op;
    return { reason: 'end', position: here };
  }

  /**
   * Values of the instance that the run is in: sites by their names in the segment, and operations' results. Those that
   * come later than the run stands can be looked at too; what they will be is settled.
   */
  look(sites: readonly string[], values: readonly ValueId[] = []): Promise<ReadonlyMap<string, Tensor>> {
    return this.#timeline.look(sites, values);
  }

  /**
   * A site's value in this step, by its name in the run order; undefined where it is not computed yet, or not in this
   * step.
   */
  async read(name: string): Promise<SiteValue | undefined> {
    const { step } = this.position;
    if (this.#read.step !== step || this.#read.variant !== this.variant || this.#read.values.size >= readsKept)
      this.#read = { step, variant: this.variant, values: new Map() };
    const { values } = this.#read;
    const value = values.get(name) ?? (await this.#readNow(name));
    if (value) values.set(name, value);
    return value;
  }

  /** Keys and values of the tokens before this step, as the present instance reads them, by the names of its inputs. */
  cached(): ReadonlyMap<string, Tensor> {
    return this.instance ? this.#timeline.cached(this.instance) : new Map();
  }

  async #readNow(name: string): Promise<SiteValue | undefined> {
    const { at } = this.position;
    for (const [i, instance] of this.#timeline.instances.slice(0, at + 1).entries()) {
      const site = instance.segment.graph.sites.find((s) => siteIn(instance, s.name) === name);
      if (!site) continue;
      const tensor = (await this.#timeline.lookAt(i, [site.name])).get(site.name);
      const axes = typesOf(instance.segment.graph).get(site.value)?.axes ?? [];
      return tensor && { tensor, axes };
    }
    return undefined;
  }

  /** Goes on with another variant. It counts from the beginning of the instance that the run is in. */
  async change(variant: Variant): Promise<void> {
    await this.#timeline.change(variant);
    this.#watch.forget();
    this.#op = Math.min(this.#op, Math.max(0, this.#ops.length - 1));
  }

  /** What puts the run back as it is now, as long as nothing has run since: to undo a change. */
  mark(): () => void {
    const [op, restore] = [this.#op, this.#timeline.mark()];
    return () => {
      restore();
      this.#op = op;
      this.#watch.forget();
    };
  }

  get #ops(): readonly OpLine[] {
    return this.instance ? this.source.opsOf(this.instance.segment.id) : [];
  }

  #wasPaused(): boolean {
    return this.#paused;
  }

  #stand(op: number, reason: 'step' | 'goto'): Stop {
    this.#op = op;
    return { reason, position: this.position };
  }

  async #pass(conditions: readonly Condition[] = []): Promise<boolean> {
    const moved = await this.#timeline.forward(conditions);
    if (moved) this.#op = 0;
    return moved;
  }

  /** To the instance before, at its first operation. */
  async #passBack(): Promise<boolean> {
    const { step, at } = this.position;
    const place = at > 0 ? { step, at: at - 1 } : { step: step - 1, at: this.#timeline.instances.length };
    if (place.step < 0) return false;
    this.#op = 0;
    if (at > 0) return this.#timeline.goTo(place);
    await this.#timeline.goTo({ step: step - 1, at: 0 });
    return this.#timeline.goTo({ step: step - 1, at: this.#timeline.instances.length });
  }

  /** Through the rest of the instance, from this operation on, into the next; a stop on the way. */
  async #through(from: number): Promise<Stop | undefined> {
    const here = this.position;
    const conditions = this.#lowered(from);
    const stop = conditions ? undefined : await this.#firstIn(from);
    if (stop) return stop;
    const watched = this.#watch.conditions;
    if (!(await this.#pass([...(conditions ?? []), ...watched]))) return { reason: 'end', position: this.position };
    const { held } = this.#timeline;
    const holds = (conditions ?? []).some(({ key }) => held.has(key));
    const again = holds ? await this.#again(here, from) : undefined;
    return again ?? (await this.#exception(here)) ?? (await this.#changed());
  }

  /** A condition held as far as float32 can tell: back, to be asked exactly. */
  async #again({ step, at, op }: Position, from: number): Promise<Stop | undefined> {
    await this.#timeline.goTo({ step, at });
    this.#op = op;
    const stop = await this.#firstIn(from);
    if (!stop) await this.#pass(this.#watch.conditions);
    return stop;
  }

  /** What has to be seen while the rest of the instance runs; undefined where each operation has to be asked. */
  #lowered(from: number): readonly Condition[] | undefined {
    const { instance } = this;
    if (!instance || !this.#concerned(instance)) return [];
    const places = this.#ops.slice(from).flatMap((_, i) => this.#stoppingAt(from + i) ?? []);
    return this.breakpoints.lowered(places);
  }

  async #changed(): Promise<Stop | undefined> {
    const change = await this.breakpoints.changed({ counting: true });
    return change && { reason: 'data', position: this.position, ...change };
  }

  /** What went wrong in the instance that was just passed. */
  async #exception(before: Position): Promise<Stop | undefined> {
    const found = await this.#watch.found(before);
    if (!found) return undefined;
    const { op = this.#op, filter, description } = found;
    this.#op = op;
    return { reason: 'exception', position: this.position, filter, description };
  }

  #stoppingAt(op: number): Stopping | undefined {
    const { instance } = this;
    const at = this.#ops[op];
    if (!instance || !at) return undefined;
    const { segment, name } = instance;
    const site = at.site === undefined || segment.kind !== 'block' ? at.site : `${name}.${at.site}`;
    return { position: { ...this.position, op }, line: at.line, layer: segment.layer, site, instance };
  }

  #concerned({ segment }: Instance): boolean {
    const lines = new Set(this.source.opsOf(segment.id).map((op) => op.line));
    return this.breakpoints.concern(segment.layer, lines);
  }

  async #firstIn(from: number): Promise<Stop | undefined> {
    const { instance } = this;
    if (!instance || !this.#concerned(instance)) return undefined;
    for (let op = from; op < this.#ops.length; op++) {
      const stopping = this.#stoppingAt(op);
      const breakpoint = stopping && (await this.breakpoints.hit(stopping, { counting: true }));
      if (!breakpoint) continue;
      this.#op = op;
      return { reason: 'breakpoint', position: this.position, breakpoint };
    }
    return undefined;
  }

  async #lastIn(below: number): Promise<Stop | undefined> {
    const { instance } = this;
    if (!instance || !this.#concerned(instance)) return undefined;
    for (let op = below - 1; op >= 0; op--) {
      const stopping = this.#stoppingAt(op);
      const breakpoint = stopping && (await this.breakpoints.hit(stopping, { counting: false }));
      if (!breakpoint) continue;
      this.#op = op;
      return { reason: 'breakpoint', position: this.position, breakpoint };
    }
    return undefined;
  }
}
