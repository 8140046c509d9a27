import { bug } from '../../base/index.js';
import { handedOn, readName, typesOf, type ValueType } from '../../graph/index.js';
import { concat, range, take, type Tensor } from '../../tensor/index.js';
import { siteIn, type Instance } from '../run/order.js';
import { isDoubled, type Rows } from '../run/rows.js';
import { rowsFrom, rowsOfStack, type BaseRun } from './base-run.js';
import { changedValue, frameOf, type Change, type Frame } from './change.js';
import { SharedInputs, tiled } from './feeds.js';
import { differingRows, floatOf, type Handed } from './handed.js';
import type { SweptSite } from './places.js';
import type { SweepVariant } from './swept.js';

/** What all groups of a walk have in common. */
export interface WalkContext {
  readonly base: BaseRun;
  readonly sites: ReadonlyMap<string, SweptSite>;
  /** Sites of the variants that are wanted, by their names in the run order. */
  readonly observe: ReadonlySet<string>;
  /** Positions whose rows of the last stream are read; undefined: all from the first changed on. */
  readonly scored: readonly number[] | undefined;
}

/** What the variants of a group have in the end, beside what is the base run's. */
export interface Walked {
  /** The stream before the head: [1, row, model]; undefined: the base run's. */
  readonly resid: readonly (Tensor | undefined)[];
  /** The position of each of its rows. */
  readonly positions: readonly number[];
  /** Sites, rows from the first changed on, by name. */
  readonly sites: readonly ReadonlyMap<string, Tensor>[];
}

/** Runs that have reached a place, and what they were handed that is not the base run's. */
export interface Batch {
  readonly members: readonly number[];
  readonly handed: Handed;
}

/** Variants that begin to differ at one row, as far as they have come: each joins where its first change is. */
export class Group {
  #batch: Batch = { members: [], handed: new Map() };
  readonly #observed: Map<string, Tensor>[];
  readonly #shared = new Map<string, SharedInputs>();
  /** Which rows the last instance gives, counted from the first changed; undefined before it, and where it gives all. */
  #chosen: readonly number[] | undefined;
  #differing: readonly (readonly number[])[] = [];

  /** @param from the first row that the variants change */
  constructor(
    readonly context: WalkContext,
    readonly from: number,
    readonly variants: readonly SweepVariant[],
  ) {
    this.#observed = variants.map(() => new Map<string, Tensor>());
  }

  get batch(): Batch {
    return this.#batch;
  }

  get chosen(): readonly number[] | undefined {
    return this.#chosen;
  }

  /** What there is behind everything before the head. */
  get walked(): Walked {
    const { members, handed } = this.#batch;
    const resid = handed.get('resid');
    const resids = this.variants.map((_, v) => {
      const b = members.indexOf(v);
      return b >= 0 ? resid?.[b] : undefined;
    });
    const rows = this.#chosen ?? this.positions.map((p) => p - this.from);
    return { resid: resids, positions: rows.map((r) => this.from + r), sites: this.#observed };
  }

  /** Positions of the model's own rows from the first changed on. */
  get positions(): readonly number[] {
    return this.context.base.rows.positions.slice(this.from);
  }

  /** Rows of so many sequences in the stack of an instance. */
  inputs(instance: Instance, batch: number): SharedInputs {
    const stack = instance.segment.stack === 'encoder' ? 'encoder' : 'own';
    const key = `${stack} ${batch}`;
    const { base } = this.context;
    const made =
      this.#shared.get(key) ??
      new SharedInputs(base.model.program, rowsOfStack(instance, rowsFrom(base.prompt, this.from, batch)));
    this.#shared.set(key, made);
    return made;
  }

  rowsIn(instance: Instance): Rows {
    return this.inputs(instance, 1).rows;
  }

  swept({ site }: Pick<Change, 'site'>): SweptSite {
    const swept = this.context.sites.get(site);
    if (!swept) throw bug(`${site} is not among the sites of the sweep`);
    return swept;
  }

  /** The changes of a variant in an instance. */
  changesIn(v: number, instance: Instance): readonly Change[] {
    const changes = this.variants[v]?.changes ?? [];
    return changes.filter((c) => this.swept(c).place.instance.name === instance.name);
  }

  /** Do members change something inside an instance, so that it has to run whole with edits? */
  changesInside(instance: Instance): boolean {
    return this.#batch.members.some((v) => this.innerChanges(v, instance).length > 0);
  }

  /** The changes of a variant of what is computed inside an instance. */
  innerChanges(v: number, instance: Instance): readonly Change[] {
    return this.changesIn(v, instance).filter((c) => ['behind', 'edit'].includes(this.swept(c).way.kind));
  }

  /**
   * Lets variants join whose first change is in an instance.
   * @returns those that join behind it, by the only site that they change in it: what follows is computed alone
   */
  begin(at: number, instance: Instance): ReadonlyMap<SweptSite, readonly number[]> {
    const starters = this.variants.flatMap((_, v) =>
      !this.#batch.members.includes(v) && this.changesIn(v, instance).length > 0 ? [v] : [],
    );
    const behind = new Map<SweptSite, number[]>();
    const joining: number[] = [];
    for (const v of starters) {
      const site = this.#behindSite(v, instance);
      if (!site) joining.push(v);
      else behind.set(site, [...(behind.get(site) ?? []), v]);
    }
    if (joining.length > 0) this.merge(at, { members: joining, handed: new Map() });
    return behind;
  }

  #behindSite(v: number, instance: Instance): SweptSite | undefined {
    const sites = [...new Set(this.changesIn(v, instance).map((c) => c.site))];
    const [first] = sites;
    const swept = first === undefined ? undefined : this.context.sites.get(first);
    return sites.length === 1 && swept?.way.kind === 'behind' ? swept : undefined;
  }

  /** Puts other runs behind those of the batch; what one side was handed otherwise, the other has from the base run. */
  merge(at: number, other: Batch): void {
    const own = this.#batch;
    const names = [...new Set([...own.handed.keys(), ...other.handed.keys()])];
    const part = ({ members, handed }: Batch, name: string): readonly Tensor[] =>
      handed.get(name) ?? this.#baseForEach(at, name, members);
    const handed = names.map((name) => [name, [...part(own, name), ...part(other, name)]] as const);
    this.#batch = { members: [...own.members, ...other.members], handed: new Map(handed) };
  }

  /** Which rows of what a member is handed are not the base run's, counted from the first changed. */
  differing(b: number): readonly number[] {
    return this.#differing[b] ?? [];
  }

  /** Leaves out members that are handed what the base run was and change nothing here: they go on as it did. */
  settle(at: number, instance: Instance): void {
    const { members, handed } = this.#batch;
    const differing = this.#compared(at);
    const isDone = (v: number): boolean => this.changesIn(v, instance).every((c) => this.swept(c).way.kind === 'input');
    const left = members.flatMap((v, b) => (differing[b] || !isDone(v) ? [b] : []));
    this.#differing = left.map((b) => differing[b] ?? []);
    if (left.length === members.length) return;
    const some = [...handed].map(([name, values]) => [name, left.flatMap((b) => values[b] ?? [])] as const);
    this.#batch = { members: left.map((b) => members[b] ?? 0), handed: new Map(left.length === 0 ? [] : some) };
  }

  /** [member] the rows in which it differs from the base run; undefined where it is handed nothing else. */
  #compared(at: number): readonly (readonly number[] | undefined)[] {
    const count = this.positions.length;
    const all = [...this.#batch.handed].map(([name, values]) => {
      const isOfRows = this.#handedType(at, name).shape[1] === 'position';
      const base = this.baseRows(at, name);
      return values.map((value) => differingRows(value, base, isOfRows ? count : undefined));
    });
    return this.#batch.members.map((_, b) => {
      const rows = all.flatMap((of) => of[b] ?? []);
      const isOther = all.some((of) => of[b] !== undefined);
      return isOther ? [...new Set(rows)].sort((x, y) => x - y) : undefined;
    });
  }

  /** Is a member handed anything that is not the base run's, or does it change something here? */
  touches(instance: Instance): boolean {
    const { segment } = instance;
    return (
      segment.graph.inputs.some(({ name }) => this.#batch.handed.has(readName(segment, name))) ||
      this.#batch.members.some((v) => this.changesIn(v, instance).length > 0)
    );
  }

  /**
   * Before the last instance: which rows it has to give.
   * @param twice one row is given twice, since one alone would take another kernel
   */
  choose(instance: Instance, { twice }: { readonly twice: boolean }): void {
    const { base, scored, observe } = this.context;
    this.#chosen = undefined;
    const isLast = base.body.at(-1) === instance && instance.segment.kind === 'block';
    if (!isLast || !scored || isDoubled(base.rows)) return;
    if (instance.segment.graph.sites.some((s) => observe.has(siteIn(instance, s.name)))) return;
    const rows = scored.filter((p) => p >= this.from).map((p) => p - this.from);
    if (rows.length === 0) return;
    const chosen = rows.length === 1 && twice ? [...rows, ...rows] : rows;
    if (chosen.length < this.positions.length) this.#chosen = chosen;
  }

  /** Takes what an instance handed on to the members; undefined: it gave them what it gave the base run. */
  leave(instance: Instance, outputs: Handed = new Map()): void {
    const given = handedOn(instance.segment);
    const rest = [...this.#batch.handed].filter(([name]) => !given.includes(name));
    this.#batch = { ...this.#batch, handed: new Map([...rest, ...outputs]) };
  }

  /** Carries out changes of what is handed to an instance, or on by it. */
  changeHanded(at: number, instance: Instance, kind: 'input' | 'output'): void {
    const { members, handed } = this.#batch;
    const changed = new Map<string, Tensor[]>();
    members.forEach((v, b) => {
      for (const change of this.changesIn(v, instance)) {
        const { way, type } = this.swept(change);
        if (way.kind !== kind) continue;
        const all = changed.get(way.handed) ?? [
          ...(handed.get(way.handed) ?? this.#baseForEach(at, way.handed, members)),
        ];
        changed.set(way.handed, all);
        all[b] = changedValue(floatOf(all[b], way.handed), [change], this.#frame(instance, type, kind));
      }
    });
    this.#batch = { members, handed: new Map<string, readonly Tensor[]>([...handed, ...changed]) };
  }

  #baseForEach(at: number, name: string, members: readonly number[]): readonly Tensor[] {
    if (members.length === 0) return [];
    return new Array<Tensor>(members.length).fill(this.baseHanded(at, name));
  }

  /** The frame of what is handed to an instance, or on by it. */
  #frame(instance: Instance, type: ValueType, kind: 'input' | 'output'): Frame {
    const frame = frameOf(type, this.rowsIn(instance));
    const chosen = kind === 'output' ? this.#chosen : undefined;
    return chosen ? frame.map((axis, a) => (a === 1 ? chosen.map((r) => this.from + r) : axis)) : frame;
  }

  /** What some members are handed before an instance: their own, or the base run's for each; undefined: neither has any. */
  handedTo(at: number, name: string, [start, end]: readonly [number, number]): Tensor | undefined {
    const own = this.#batch.handed.get(name)?.slice(start, end);
    if (own) return own.length === 1 ? own[0] : concat(own, 0);
    return this.baseHandedTo(at, name, end - start);
  }

  /** What the base run was handed before an instance, for each of so many; undefined: nothing of that name. */
  baseHandedTo(at: number, name: string, batch: number): Tensor | undefined {
    return this.context.base.states[at]?.has(name) ? tiled(this.baseHanded(at, name), batch) : undefined;
  }

  /** The base run's keys or values before the first changed row, for each sequence of a batch. */
  past(instance: Instance, name: string, batch: number): Tensor | undefined {
    const spec = instance.segment.cache.find((c) => c.past === name);
    const fresh = spec && this.context.base.fresh(instance, spec.past);
    return fresh && tiled(range(fresh, 1, [0, this.from]), batch);
  }

  /** What the base run was handed before an instance, rows from the first changed on. */
  baseRows(at: number, name: string): Tensor {
    const value = this.context.base.states[at]?.get(name);
    if (!value) throw bug(`nothing named ${name} was handed on`);
    return this.cutRows(value, this.#handedType(at, name));
  }

  /** The same; behind the last instance the rows that are read. */
  baseHanded(at: number, name: string): Tensor {
    const rows = this.baseRows(at, name);
    return at === this.context.base.body.length ? this.ofChosen(rows) : rows;
  }

  /** Of what the last instance gave whole, the rows that are read. */
  ofChosen<T extends Tensor>(value: T): T {
    return this.#chosen ? take(value, 1, this.#chosen) : value;
  }

  cutRows<T extends Tensor>(value: T, { shape }: ValueType): T {
    const { from } = this;
    const a = shape.indexOf('position');
    return from === 0 || a < 0 ? value : range(value, a, [from, value.shape[a] ?? from]);
  }

  /** The type of what was handed on under a name before an instance. */
  #handedType(at: number, name: string): ValueType {
    const { body } = this.context.base;
    for (const { segment } of body.slice(0, at).toReversed()) {
      const output = segment.graph.outputs.find((o) => o.name === name);
      const type = output && typesOf(segment.graph).get(output.value);
      if (type && handedOn(segment).includes(name)) return type;
    }
    throw bug(`nothing named ${name} was handed on`);
  }

  /** Keeps a site's value for members. */
  see(site: string, members: readonly number[], value: Tensor): void {
    members.forEach((v, b) => this.#observed[v]?.set(site, range(value, 0, [b, b + 1])));
  }
}
