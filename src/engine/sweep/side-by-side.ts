import { bug } from '../../base/index.js';
import { handedOn, readName, sideBySide, sideBySideInputs, type Program, type Segment } from '../../graph/index.js';
import { concat, int64From, range, type Tensor } from '../../tensor/index.js';
import type { Compiled } from '../run/compiled.js';
import type { Instance } from '../run/order.js';
import type { Rows } from '../run/rows.js';
import type { BaseRun } from './base-run.js';
import { feedsOf, SharedInputs } from './feeds.js';
import type { Group } from './group.js';
import { byMember, oneAfterAnother, type Handed } from './handed.js';
import { mostRows } from './limits.js';
import { usualForm, type SweepModel } from './model.js';
import type { Scratch } from './scratch.js';

/** Members of a group that go through an instance in one call. */
interface Piece {
  readonly group: Group;
  readonly members: readonly [number, number];
}

/** Pieces that go through together. */
type Load = readonly Piece[];

const countOf = ({ members: [start, end] }: Piece): number => end - start;

/** Groups divided into loads of about as many rows each and not many more than `mostRows`, in their order. */
const loadsOf = (groups: readonly Group[]): readonly Load[] => {
  const total = groups.reduce((sum, { batch, positions }) => sum + batch.members.length * positions.length, 0);
  const most = Math.ceil(total / Math.ceil(total / mostRows));
  const loads: Piece[][] = [];
  let free = 0;
  for (const group of groups) {
    const [count, rows] = [group.batch.members.length, group.positions.length];
    for (let start = 0; start < count;) {
      if (free <= 0) {
        loads.push([]);
        free = most;
      }
      const end = Math.min(count, start + Math.ceil(free / rows));
      loads.at(-1)?.push({ group, members: [start, end] });
      free -= (end - start) * rows;
      start = end;
    }
  }
  return loads;
};

/** Rules of inputs that say something of each row by itself, whatever stands beside it. */
const ofRows: ReadonlySet<string> = new Set(['rope']);

const fitting = new WeakMap<Segment, boolean>();

/** Can rows of several groups go through an instance side by side, apart from where they look at each other? */
export const goesSideBySide = ({ segment, name }: Instance, { program, variant }: SweepModel): boolean => {
  if ((variant.edits.get(name) ?? []).length > 0) return false;
  const known = fitting.get(segment) ?? fits(segment, program);
  fitting.set(segment, known);
  return known;
};

const fits = (segment: Segment, program: Program): boolean => {
  const { graph, cache } = segment;
  if (segment.kind !== 'block' || segment.stack === 'encoder' || cache.length === 0) return false;
  const rowInputs = sideBySide(graph, { wanted: handedOn(segment), cache })?.inputs.filter(isOfRows);
  const rules = rowInputs?.map(({ name }) => program.inputs[name]);
  return rules?.every((rule) => !rule || ofRows.has(rule.rule)) ?? false;
};

/** Is an input of the form one of the rows that are given? */
const isOfRows = ({ type }: { readonly type: { readonly shape: readonly unknown[] } }): boolean =>
  type.shape[1] === 'rows';

/** One sequence of a load: which of its group's rows are its own, and where all of them are among the given rows. */
interface Member {
  readonly group: Group;
  readonly index: number;
  /** Counted from the group's first row. */
  readonly own: readonly number[];
  readonly places: readonly number[];
}

interface LoadRequest {
  readonly base: BaseRun;
  readonly at: number;
  readonly instance: Instance;
  readonly compiled: Compiled;
  readonly scratch: Scratch;
}

/** One load through an instance: the base run's rows are given, and behind them those in which its members differ. */
class LoadRun {
  readonly #members: readonly Member[];
  /** The first row that any member differs in: sequences begin with it. */
  readonly #from: number;

  constructor(
    readonly load: Load,
    readonly request: LoadRequest,
  ) {
    const { base } = request;
    this.#from = Math.min(...load.map((piece) => piece.group.from));
    let next = base.rows.positions.length;
    this.#members = load.flatMap(({ group, members: [start, end] }) =>
      Array.from({ length: end - start }, (_, i): Member => {
        const own = group.differing(start + i);
        const places = group.positions.map((_row, r) => group.from + r);
        for (const row of own) places[row] = next++;
        return { group, index: start + i, own, places };
      }),
    );
  }

  /** @returns [piece] what the instance hands on */
  async run(): Promise<readonly Handed[]> {
    const { base, instance, compiled } = this.request;
    const { graph, executable } = compiled;
    const rows = new Set(graph.inputs.filter(isOfRows).map((i) => i.name));
    const [side, sequences] = [this.#sharedByRows(), this.#sharedBySequences()];
    const indices = this.#indices();
    const given = (name: string): Tensor | undefined =>
      indices.get(name) ?? (rows.has(name) ? (this.#rows(name) ?? side.get(name)) : this.#handed(name));
    const feeds = feedsOf({ instance, graph, variant: base.model.variant, edits: [], shared: sequences, given });
    const outputs = await executable.run(
      feeds,
      graph.outputs.map((o) => o.name),
    );
    return this.#divided(outputs);
  }

  #sharedByRows(): SharedInputs {
    const { base } = this.request;
    const own = this.#members.flatMap((m) => m.own.map((row) => m.group.from + row));
    const positions = [...base.rows.positions, ...own];
    return new SharedInputs(base.model.program, {
      ids: [positions.map(() => 0)],
      ...{ lengths: [base.rows.length], positions, keys: positions, length: base.rows.length, step: 0 },
    } satisfies Rows);
  }

  #sharedBySequences(): SharedInputs {
    const first = this.load.find(({ group }) => group.from === this.#from);
    if (!first) throw bug('a load has no first group');
    return first.group.inputs(this.request.instance, this.#members.length);
  }

  #handedName(input: string): string {
    return readName(this.request.instance.segment, input);
  }

  /** What the base run was handed, and behind it the members' own rows. [1, row, ...] */
  #rows(input: string): Tensor | undefined {
    const { at, base, scratch } = this.request;
    const name = this.#handedName(input);
    const first = base.states[at]?.get(name);
    if (!first) return undefined;
    const count = first.shape[1] ?? 0;
    const width = first.data.length / count;
    const total = this.#members.reduce((sum, m) => sum + m.own.length, count);
    const all = scratch.tensor(name, first.dtype, [1, total, ...first.shape.slice(2)]);
    all.data.set(first.data as never);
    let next = first.data.length;
    for (const { group, index, own } of this.#members) {
      const value = group.handedTo(at, name, [index, index + 1]);
      for (const [start, end] of runsOf(own)) {
        const part = value?.data.subarray(start * width, end * width);
        if (part) all.data.set(part as never, next);
        next += (end - start) * width;
      }
    }
    return all;
  }

  /** What sequences are handed that has no rows of theirs, as an encoder's. */
  #handed(input: string): Tensor | undefined {
    const { at } = this.request;
    const parts = this.load.flatMap(({ group, members }) => group.handedTo(at, this.#handedName(input), members) ?? []);
    return parts.length < this.load.length ? undefined : parts.length === 1 ? parts[0] : concat(parts, 0);
  }

  #indices(): ReadonlyMap<string, Tensor> {
    const from = this.#from;
    const { length } = this.request.base.rows.positions;
    const batch = this.#members.length;
    const counted = (start: number, end: number) => Array.from({ length: end - start }, (_, i) => start + i);
    const sequences = this.#members.flatMap((m) => [...counted(from, m.group.from), ...m.places]);
    const past = this.#members.flatMap(() => counted(0, from));
    const chosen = this.#members.flatMap((m) => chosenOf(m.group).map((r) => m.places[r] ?? 0));
    const mixed = this.#members.flatMap((m, b) =>
      chosenOf(m.group).map((r) => b * (length - from) + m.group.from - from + r),
    );
    // a product of one row would take another kernel
    const twice = (rows: readonly number[]) => (rows.length === 1 ? [...rows, ...rows] : rows);
    return new Map([
      [sideBySideInputs.sequences, int64From([batch, length - from], sequences)],
      [sideBySideInputs.past, int64From([batch, from], past)],
      [sideBySideInputs.chosen, int64From([twice(chosen).length], twice(chosen))],
      [sideBySideInputs.mixed, int64From([twice(mixed).length], twice(mixed))],
    ]);
  }

  #divided(outputs: ReadonlyMap<string, Tensor>): readonly Handed[] {
    let next = 0;
    return this.load.map((piece) => {
      const [count, rows] = [countOf(piece), chosenOf(piece.group).length];
      const start = next;
      next += count * rows;
      const part = (value: Tensor): Tensor => {
        const own = range(value, 1, [start, start + count * rows]);
        return { ...own, shape: [count, rows, ...own.shape.slice(2)] };
      };
      return byMember(new Map([...outputs].map(([name, value]) => [name, part(value)] as const)));
    });
  }
}

/** Rows that an instance gives of a group: behind the last those that are read. */
const chosenOf = ({ chosen, positions }: Group): readonly number[] => chosen ?? positions.map((_, r) => r);

/** Ascending numbers as ranges without a gap. */
const runsOf = (rows: readonly number[]): readonly (readonly [number, number])[] => {
  const runs: [number, number][] = [];
  for (const row of rows) {
    const last = runs.at(-1);
    if (last?.[1] === row) last[1] = row + 1;
    else runs.push([row, row + 1]);
  }
  return runs;
};

/** Groups through an instance together, each row of the products beside the others. @returns [group] what it hands on */
export const runSideBySide = async ({
  groups,
  ...request
}: Omit<LoadRequest, 'compiled'> & { readonly groups: readonly Group[] }): Promise<readonly Handed[]> => {
  const { base, instance } = request;
  const { compilations, variant } = base.model;
  const compiled = await compilations.get(instance.segment, {
    ...usualForm(instance, variant),
    ...{ taps: [], rows: 'sideBySide' },
  });
  const parts = new Map(groups.map((group) => [group, [] as Handed[]]));
  for (const load of loadsOf(groups)) {
    const results = await new LoadRun(load, { ...request, compiled }).run();
    load.forEach(({ group }, i) => parts.get(group)?.push(results[i] ?? new Map()));
  }
  return groups.map((group) => oneAfterAnother(parts.get(group) ?? []));
};
