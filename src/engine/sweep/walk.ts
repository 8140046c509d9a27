import { bug } from '../../base/index.js';
import { fromInput, handedOn, readName, rowsInputs, typesOf, type Graph, type ValueType } from '../../graph/index.js';
import { concat, int64From, range, take, type FloatTensor, type Tensor } from '../../tensor/index.js';
import type { Compiled, Form } from '../run/compiled.js';
import { siteIn, type Instance } from '../run/order.js';
import type { LiveEdit } from '../run/request.js';
import { isDoubled, type Rows } from '../run/rows.js';
import { keptOf, rowsFrom, rowsOfStack, type BaseRun } from './base-run.js';
import { batchedEdits, changedValue, frameOf, type Change, type Frame } from './change.js';
import { feedsOf, SharedInputs, tiled } from './feeds.js';
import { usualForm, wholeForm } from './model.js';
import type { SweptSite } from './places.js';
import type { SweepVariant } from './swept.js';
import { runRows } from './rowwise.js';

/** Where only some rows of the last stream are read: nothing else is given. */
const chosenForm = { rows: 'chosen', taps: [], values: [] } as const;
const isRowsInput = (name: string): boolean => rowsInputs.some((input) => input === name);

/** Rows of the stream that go through an instance in one call. */
const mostRows = 1024;

/** Runs that have reached a place, and what they were handed that is not the base run's. */
interface Batch {
  readonly members: readonly number[];
  /** [member, row, ...], rows from the walk's first on. */
  readonly handed: ReadonlyMap<string, Tensor>;
}

export interface WalkRequest {
  readonly base: BaseRun;
  readonly sites: ReadonlyMap<string, SweptSite>;
  /** Sites of the variants that are wanted, by their names in the run order. */
  readonly observe: ReadonlySet<string>;
  /** The first row that the variants change. */
  readonly from: number;
  readonly variants: readonly SweepVariant[];
  /** Positions whose rows of the last stream are read; undefined: all from the first changed on. */
  readonly scored: readonly number[] | undefined;
}

/** What a variant has in the end, beside what is the base run's. */
export interface Walked {
  /** The stream before the head: [1, row, model]; undefined: the base run's. */
  readonly resid: readonly (Tensor | undefined)[];
  /** The position of each of its rows. */
  readonly positions: readonly number[];
  /** Sites, rows from the first changed on, by name. */
  readonly sites: readonly ReadonlyMap<string, Tensor>[];
}

const isFloat = (tensor: Tensor | undefined): tensor is FloatTensor =>
  tensor?.dtype === 'float32' || tensor?.dtype === 'float64';

const float = (tensor: Tensor | undefined, what: string): FloatTensor => {
  if (isFloat(tensor)) return tensor;
  throw bug(`${what} has no numbers`);
};

/** Variants that begin to differ at one row, led through the model together: each joins where its first change is. */
export class Walk {
  #batch: Batch = { members: [], handed: new Map() };
  readonly #observed: Map<string, Tensor>[];
  readonly #shared = new Map<string, SharedInputs>();
  /** Which rows the last instance gives, counted from the first changed; undefined before it, and where it gives all. */
  #chosen: readonly number[] | undefined;

  constructor(readonly request: WalkRequest) {
    this.#observed = request.variants.map(() => new Map<string, Tensor>());
  }

  /** The rows that the last instance has to give; one is given twice, since one alone would take another kernel. */
  #rowsOfLast(instance: Instance): readonly number[] | undefined {
    const { base, scored, from, observe } = this.request;
    const isLast = base.body.at(-1) === instance && instance.segment.kind === 'block';
    if (!isLast || !scored || isDoubled(base.rows)) return undefined;
    if (instance.segment.graph.sites.some((s) => observe.has(siteIn(instance, s.name)))) return undefined;
    const rows = scored.filter((p) => p >= from).map((p) => p - from);
    if (rows.length === 0) return undefined;
    const padded = rows.length === 1 ? [...rows, ...rows] : rows;
    return padded.length < base.rows.positions.length - from ? padded : undefined;
  }

  /** Through everything before the head. */
  async body(): Promise<Walked> {
    const { base } = this.request;
    for (const [at, instance] of base.body.entries()) {
      await base.model.onSegment?.(instance.name);
      await this.#through(at, instance);
    }
    const { members, handed } = this.#batch;
    const resid = handed.get('resid');
    const resids = this.request.variants.map((_, v) => {
      const b = members.indexOf(v);
      return resid && b >= 0 ? range(resid, 0, [b, b + 1]) : undefined;
    });
    const { from } = this.request;
    const rows = this.#chosen ?? base.rows.positions.slice(from).map((p) => p - from);
    return { resid: resids, positions: rows.map((r) => from + r), sites: this.#observed };
  }

  /** The changes of a variant in an instance. */
  #changesIn(v: number, instance: Instance): readonly Change[] {
    const changes = this.request.variants[v]?.changes ?? [];
    return changes.filter((c) => this.#swept(c).place.instance.name === instance.name);
  }

  #swept({ site }: Change): SweptSite {
    const swept = this.request.sites.get(site);
    if (!swept) throw bug(`${site} is not among the sites of the sweep`);
    return swept;
  }

  async #through(at: number, instance: Instance): Promise<void> {
    const starters = this.request.variants.flatMap((_, v) =>
      !this.#batch.members.includes(v) && this.#changesIn(v, instance).length > 0 ? [v] : [],
    );
    const alone = starters.filter((v) => this.#behindSite(v, instance) !== undefined);
    const joining = starters.filter((v) => !alone.includes(v));
    this.#join(at, joining);
    await this.#whole(at, instance);
    this.#chosen = this.#rowsOfLast(instance);
    const bySite = new Map<string, number[]>();
    for (const v of alone) {
      const site = this.#behindSite(v, instance)?.place.name ?? '';
      bySite.set(site, [...(bySite.get(site) ?? []), v]);
    }
    for (const [site, members] of bySite) {
      const swept = this.request.sites.get(site);
      if (swept) await this.#behind(at, swept, members);
    }
  }

  /** The only site that a variant changes in its first instance, where what follows can be computed alone. */
  #behindSite(v: number, instance: Instance): SweptSite | undefined {
    const sites = [...new Set(this.#changesIn(v, instance).map((c) => c.site))];
    const [first] = sites;
    const swept = first === undefined ? undefined : this.request.sites.get(first);
    return sites.length === 1 && swept?.way.kind === 'behind' ? swept : undefined;
  }

  /** Adds variants that are so far as the base run is, before an instance. */
  #join(at: number, joining: readonly number[]): void {
    if (joining.length === 0) return;
    this.#merge(at, { members: joining, handed: new Map() });
  }

  /** Puts other runs behind those of the batch; what one side was handed otherwise, the other has from the base run. */
  #merge(at: number, other: Batch): void {
    const own = this.#batch;
    const names = [...new Set([...own.handed.keys(), ...other.handed.keys()])];
    const part = ({ members, handed }: Batch, name: string): Tensor[] =>
      members.length === 0 ? [] : [handed.get(name) ?? tiled(this.#baseHanded(at, name), members.length)];
    const handed = names.map((name) => {
      const parts = [...part(own, name), ...part(other, name)];
      return [name, parts.length === 1 ? (parts[0] as Tensor) : concat(parts, 0)] as const;
    });
    this.#batch = { members: [...own.members, ...other.members], handed: new Map(handed) };
  }

  /** What the base run was handed before an instance, rows from the first changed on. */
  #baseRows(at: number, name: string): Tensor {
    const value = this.request.base.states[at]?.get(name);
    if (!value) throw bug(`nothing named ${name} was handed on`);
    return this.#cutRows(value, this.#handedType(at, name));
  }

  /** The same; behind the last instance the rows that are read. */
  #baseHanded(at: number, name: string): Tensor {
    const rows = this.#baseRows(at, name);
    return at === this.request.base.body.length ? this.#ofChosen(rows) : rows;
  }

  /** Of what the last instance gave whole, the rows that are read. */
  #ofChosen<T extends Tensor>(value: T): T {
    return this.#chosen ? take(value, 1, this.#chosen) : value;
  }

  /** The type of what was handed on under a name before an instance. */
  #handedType(at: number, name: string): ValueType {
    const { body } = this.request.base;
    for (const { segment } of body.slice(0, at).toReversed()) {
      const output = segment.graph.outputs.find((o) => o.name === name);
      const type = output && typesOf(segment.graph).get(output.value);
      if (type && handedOn(segment).includes(name)) return type;
    }
    throw bug(`nothing named ${name} was handed on`);
  }

  #cutRows<T extends Tensor>(value: T, { shape }: ValueType): T {
    const { from } = this.request;
    const a = shape.indexOf('position');
    return from === 0 || a < 0 ? value : range(value, a, [from, value.shape[a] ?? from]);
  }

  /** Runs an instance on the batch, where it is handed anything that is not the base run's or where something changes in it. */
  async #whole(at: number, instance: Instance): Promise<void> {
    const { segment } = instance;
    const given = handedOn(segment);
    const { members } = this.#batch;
    const touched =
      segment.graph.inputs.some(({ name }) => this.#batch.handed.has(readName(segment, name))) ||
      members.some((v) => this.#changesIn(v, instance).length > 0);
    if (!touched) {
      const handed = [...this.#batch.handed].filter(([name]) => !given.includes(name));
      this.#batch = { members, handed: new Map(handed) };
      return;
    }
    this.#changeHanded(at, instance, 'input');
    this.#chosen = this.#rowsOfLast(instance);
    const outputs = await this.#inChunks(at, instance);
    const rest = [...this.#batch.handed].filter(([name]) => !given.includes(name));
    this.#batch = { members, handed: new Map([...rest, ...outputs]) };
    this.#changeHanded(at + 1, instance, 'output');
  }

  /** Carries out changes of what is handed to an instance, or on by it. */
  #changeHanded(at: number, instance: Instance, kind: 'input' | 'output'): void {
    const { members, handed } = this.#batch;
    const changed = new Map(handed);
    members.forEach((v, b) => {
      for (const change of this.#changesIn(v, instance)) {
        const { way, type } = this.#swept(change);
        if (way.kind !== kind) continue;
        const all = changed.get(way.handed) ?? tiled(this.#baseHanded(at, way.handed), members.length);
        const copy =
          all === handed.get(way.handed) || !changed.has(way.handed) ? { ...all, data: all.data.slice() } : all;
        changed.set(way.handed, copy as Tensor);
        const one = float(range(copy as Tensor, 0, [b, b + 1]), way.handed);
        one.data.set(changedValue(one, [change], this.#frame(instance, type, kind)).data);
      }
    });
    this.#batch = { members, handed: changed };
  }

  /** The frame of what is handed to an instance, or on by it. */
  #frame(instance: Instance, type: ValueType, kind: 'input' | 'output'): Frame {
    const { from } = this.request;
    const frame = frameOf(type, rowsOfStack(instance, this.#rows(1)));
    const chosen = kind === 'output' ? this.#chosen : undefined;
    return chosen ? frame.map((axis, a) => (a === 1 ? chosen.map((r) => from + r) : axis)) : frame;
  }

  #rows(batch: number): Rows {
    return rowsFrom(this.request.base.prompt, this.request.from, batch);
  }

  #inputs(instance: Instance, batch: number): SharedInputs {
    const stack = instance.segment.stack === 'encoder' ? 'encoder' : 'own';
    const key = `${stack} ${batch}`;
    const made =
      this.#shared.get(key) ??
      new SharedInputs(this.request.base.model.program, rowsOfStack(instance, this.#rows(batch)));
    this.#shared.set(key, made);
    return made;
  }

  /** The batch through an instance, some of its runs at a time; the rest of them have no edits of their own inside. */
  async #inChunks(at: number, instance: Instance): Promise<ReadonlyMap<string, Tensor>> {
    const { members } = this.#batch;
    const rows = rowsOfStack(instance, this.#rows(1)).positions.length;
    const most = Math.max(1, Math.floor(mostRows / rows));
    const parts: ReadonlyMap<string, Tensor>[] = [];
    for (let from = 0; from < members.length; from += most)
      parts.push(await this.#chunk(at, instance, [from, Math.min(from + most, members.length)]));
    return joined(parts);
  }

  /** Changes inside an instance, as edits of its graph. */
  #innerEdits(instance: Instance, members: readonly number[]): readonly LiveEdit[] {
    const inner = members.map((v) =>
      this.#changesIn(v, instance).filter((c) => ['behind', 'edit'].includes(this.#swept(c).way.kind)),
    );
    const sites = [...new Set(inner.flatMap((changes) => changes.map((c) => c.site)))].sort();
    return sites.flatMap((site, i) => {
      const { place, type } = this.#swept({ site } as Change);
      const own = inner.map((changes) => changes.filter((c) => c.site === site));
      return batchedEdits({ site: place.site.name, type, tag: `change${i}` }, own);
    });
  }

  async #chunk(
    at: number,
    instance: Instance,
    [start, end]: readonly [number, number],
  ): Promise<ReadonlyMap<string, Tensor>> {
    const { base } = this.request;
    const { compilations, variant } = base.model;
    const members = this.#batch.members.slice(start, end);
    const inner = this.#innerEdits(instance, members);
    const plain = wholeForm(instance, variant, keptOf(base.kept, instance));
    const edited = {
      ...usualForm(instance, variant),
      taps: plain.taps,
      edits: [...plain.edits, ...inner.map((e) => e.edit)],
    };
    const form: Form = { ...(inner.length === 0 ? plain : edited), ...(this.#chosen ? chosenForm : {}) };
    const compiled = await compilations.get(instance.segment, form);
    const given = (name: string): Tensor | undefined => {
      const chosen = this.#chosen && isRowsInput(name) ? int64From([this.#chosen.length], this.#chosen) : undefined;
      const past = chosen ?? this.#past(instance, name, members.length);
      if (past) return past;
      const handed = readName(instance.segment, name);
      const own = this.#batch.handed.get(handed);
      if (own) return range(own, 0, [start, end]);
      return base.states[at]?.has(handed) ? tiled(this.#baseHanded(at, handed), members.length) : undefined;
    };
    const edits = [...(variant.edits.get(instance.name) ?? []), ...inner];
    return this.#execute({ instance, compiled, members, edits, given });
  }

  /** The base run's keys or values before the first changed row, for each sequence of a batch. */
  #past(instance: Instance, name: string, batch: number): Tensor | undefined {
    const { base, from } = this.request;
    const spec = instance.segment.cache.find((c) => c.past === name);
    const fresh = spec && base.fresh(instance, spec.past);
    return fresh && tiled(range(fresh, 1, [0, from]), batch);
  }

  /** Runs one form of an instance for some members. @returns what it hands on */
  async #execute({
    instance,
    compiled: { graph, executable },
    members,
    edits,
    given,
  }: {
    instance: Instance;
    compiled: Compiled;
    members: readonly number[];
    edits: readonly LiveEdit[];
    given: (input: string) => Tensor | undefined;
  }): Promise<ReadonlyMap<string, Tensor>> {
    const { variant } = this.request.base.model;
    const shared = this.#inputs(instance, members.length);
    const feeds = feedsOf({ instance, graph, variant, edits, shared, given });
    const outputs = new Set(graph.outputs.map((o) => o.name));
    const own = handedOn(instance.segment).filter((name) => outputs.has(name));
    const seen = instance.segment.graph.sites
      .map((s) => s.name)
      .filter((name) => this.request.observe.has(siteIn(instance, name)));
    const fetched = seen.filter((name) => outputs.has(name));
    const results = await executable.run(feeds, [...new Set([...own, ...fetched])]);
    for (const name of seen) {
      const input = graph.inputs.find((i) => i.id === graph.sites.find((s) => s.name === name)?.value);
      const value = results.get(name) ?? feeds.get(input?.name ?? '');
      if (value) members.forEach((v, b) => this.#observed[v]?.set(siteIn(instance, name), range(value, 0, [b, b + 1])));
    }
    return new Map(own.flatMap((name) => (results.has(name) ? [[name, results.get(name) as Tensor] as const] : [])));
  }

  /** Variants whose first change is at one site inside an instance: only what follows it is computed. They join behind it. */
  async #behind(at: number, swept: SweptSite, members: readonly number[]): Promise<void> {
    const { instance, site } = swept.place;
    const { base } = this.request;
    const { compilations, variant } = base.model;
    const form: Form = {
      ...usualForm(instance, variant),
      taps: keptOf(base.kept, instance).sites,
      behind: [site.name],
    };
    const compiled = await compilations.get(instance.segment, form);
    if (
      swept.way.kind === 'behind' &&
      swept.way.rowwise &&
      ![...this.request.observe].some((name) => name.startsWith(`${instance.name}.`))
    )
      return this.#rowwise(at, swept, { members, compiled });
    const rows = rowsOfStack(instance, this.#rows(1));
    const most = Math.max(1, Math.floor(mostRows / rows.positions.length));
    const parts: ReadonlyMap<string, Tensor>[] = [];
    for (let from = 0; from < members.length; from += most) {
      const some = members.slice(from, from + most);
      const given = this.#givenBehind(at, swept, { members: some, graph: compiled.graph });
      const edits = variant.edits.get(instance.name) ?? [];
      parts.push(await this.#execute({ instance, compiled, members: some, edits, given }));
    }
    const chosen = [...joined(parts)].map(([name, value]) => [name, this.#ofChosen(value)] as const);
    this.#merge(at + 1, { members, handed: new Map(chosen) });
  }

  #givenBehind(
    at: number,
    { place: { instance }, way, type }: SweptSite,
    { members, graph }: { members: readonly number[]; graph: Graph },
  ): (input: string) => Tensor | undefined {
    const { base } = this.request;
    const reads = way.kind === 'behind' ? way.reads : [];
    const site = way.kind === 'behind' ? way.value : undefined;
    const types = new Map(graph.inputs.map((i) => [i.name, i.type]));
    const frame = frameOf(type, rowsOfStack(instance, this.#rows(1)));
    return (name) => {
      const past = this.#past(instance, name, members.length);
      if (past) return past;
      const id = reads.find((r) => fromInput(r) === name);
      const read = types.get(name);
      if (id !== undefined && read) {
        const value = this.#cutRows(base.value(instance, id), read);
        if (id !== site) return read.shape[0] === 'batch' ? tiled(value, members.length) : value;
        const one = float(value, name);
        return concat(
          members.map((v) => changedValue(one, this.#changesIn(v, instance), frame)),
          0,
        );
      }
      const handed = readName(instance.segment, name);
      return base.states[at]?.has(handed) ? tiled(this.#baseHanded(at, handed), members.length) : undefined;
    };
  }

  /** Where no row looks at another: the changed rows of all members side by side, and nothing else. */
  async #rowwise(
    at: number,
    swept: SweptSite,
    { members, compiled }: { members: readonly number[]; compiled: Compiled },
  ): Promise<void> {
    const { base, from } = this.request;
    const { instance } = swept.place;
    const changes = members.map((v) => this.#changesIn(v, instance));
    const shared = this.#inputs(instance, 1);
    const results = await runRows({ base, at, swept, changes, compiled, shared });
    const handed = [...results.values].map(([name, value]) => {
      const before = this.#baseRows(at + 1, name);
      let next = 0;
      const parts = results.rows.map((list) => {
        const part = replacedRows(before, value, { rows: list.map((p) => p - from), from: next });
        next += list.length;
        return part;
      });
      return [name, this.#ofChosen(concat(parts, 0))] as const;
    });
    this.#merge(at + 1, { members, handed: new Map(handed) });
  }
}

/** A copy of a value [1, row, ...] with some of its rows taken from others that stand side by side. */
const replacedRows = <T extends Tensor>(
  value: T,
  others: Tensor,
  { rows, from }: { rows: readonly number[]; from: number },
): T => {
  const data = value.data.slice();
  const width = data.length / (value.shape[1] ?? 1);
  rows.forEach((row, i) =>
    data.set(others.data.subarray((from + i) * width, (from + i + 1) * width) as never, row * width),
  );
  return { ...value, data };
};

const joined = (parts: readonly ReadonlyMap<string, Tensor>[]): ReadonlyMap<string, Tensor> => {
  const [first] = parts;
  if (!first || parts.length === 1) return first ?? new Map<string, Tensor>();
  return new Map(
    [...first.keys()].map(
      (name) =>
        [
          name,
          concat(
            parts.flatMap((p) => p.get(name) ?? []),
            0,
          ),
        ] as const,
    ),
  );
};
