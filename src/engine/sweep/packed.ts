import { bug } from '../../base/index.js';
import {
  handedOn,
  readName,
  rowParts,
  rowsInPlace,
  type Program,
  type RowPart,
  type Segment,
} from '../../graph/index.js';
import { concat, range, take, type Tensor } from '../../tensor/index.js';
import type { Compiled } from '../run/compiled.js';
import type { Instance } from '../run/order.js';
import type { Rows } from '../run/rows.js';
import type { BaseRun } from './base-run.js';
import { feedsOf, SharedInputs } from './feeds.js';
import type { Group } from './group.js';
import { joined, mostRows } from './limits.js';
import { usualForm, type SweepModel } from './model.js';
import type { Scratch } from './scratch.js';

/** Members of a group that go through an instance in one call. */
interface Piece {
  readonly group: number;
  readonly members: readonly [number, number];
  /** Of each member. */
  readonly rows: number;
}

/** Pieces that go through together. */
type Load = readonly Piece[];

/** Groups divided into loads of not more than `mostRows` rows each, in their order. */
const loadsOf = (groups: readonly Group[]): readonly Load[] => {
  const loads: Piece[][] = [];
  let free = 0;
  for (const [g, group] of groups.entries()) {
    const [count, rows] = [group.batch.members.length, group.positions.length];
    for (let start = 0; start < count;) {
      if (free < rows) {
        loads.push([]);
        free = Math.max(mostRows, rows);
      }
      const end = Math.min(count, start + Math.floor(free / rows));
      loads.at(-1)?.push({ group: g, members: [start, end], rows });
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
export const packs = ({ segment, name }: Instance, { program, variant }: SweepModel): boolean => {
  if ((variant.edits.get(name) ?? []).length > 0) return false;
  const known = fitting.get(segment) ?? fits(segment, program);
  fitting.set(segment, known);
  return known;
};

const fits = (segment: Segment, program: Program): boolean => {
  if (segment.kind !== 'block' || segment.stack === 'encoder' || segment.cache.length === 0) return false;
  const parts = rowParts(segment.graph, handedOn(segment));
  if (!parts) return false;
  return [parts.before, parts.after].every((graph) =>
    graph.inputs.every(({ name: input, type }) => {
      const rule = program.inputs[input];
      return rule ? ofRows.has(rule.rule) : rowsInPlace(type);
    }),
  );
};

const sideBySide = <T extends Tensor>(tensor: T): T => {
  const [batch = 1, rows = 1, ...rest] = tensor.shape;
  return { ...tensor, shape: [1, batch * rows, ...rest] };
};

/** A piece's part of rows that stand side by side: [member, row, ...]. */
const pieceOf = <T extends Tensor>(tensor: T, [start, end]: readonly [number, number], members: number): T => {
  const part = range(tensor, 1, [start, end]);
  return { ...part, shape: [members, (end - start) / members, ...part.shape.slice(2)] };
};

interface LoadRequest {
  readonly base: BaseRun;
  readonly at: number;
  readonly instance: Instance;
  readonly groups: readonly Group[];
  readonly compiled: Readonly<Record<RowPart, Compiled>>;
  readonly scratch: Scratch;
}

/** Where each piece's rows are among those of its load, by how many rows of each member are there. */
const placesOf = (load: Load, rows: (piece: Piece) => number): readonly (readonly [number, number])[] => {
  let next = 0;
  return load.map((piece) => {
    const start = next;
    next += countOf(piece) * rows(piece);
    return [start, next] as const;
  });
};

const countOf = ({ members: [start, end] }: Piece): number => end - start;

const isFloat32 = (tensor: Tensor): tensor is Tensor<'float32'> => tensor.dtype === 'float32';

/** Values [member, row, ...] side by side. */
const together = (name: string, parts: readonly Tensor[], scratch: Scratch): Tensor =>
  parts.every(isFloat32) ? scratch.sideBySide(name, parts) : concat(parts.map(sideBySide), 1);

/** One load through an instance. */
class LoadRun {
  readonly #handed = new Map<string, Tensor | undefined>();
  /** The position of each row. */
  readonly #positions: readonly number[];
  /** Where each piece's rows are. */
  readonly #places: readonly (readonly [number, number])[];

  constructor(
    readonly load: Load,
    readonly request: LoadRequest,
  ) {
    this.#places = placesOf(load, ({ rows }) => rows);
    this.#positions = load.flatMap((piece) =>
      new Array<readonly number[]>(countOf(piece)).fill(this.#group(piece).positions).flat(),
    );
  }

  /** @returns [piece] what the instance hands on: [member, row, ...] */
  async run(): Promise<readonly ReadonlyMap<string, Tensor>[]> {
    const { compiled } = this.request;
    const before = await this.#part(compiled.before, {
      shared: this.#shared(this.#positions),
      given: (name) => this.#packed(name),
    });
    const mixed = await this.#between(before);
    const after = await this.#after(before, mixed);
    const ends = placesOf(this.load, (piece) => this.#group(piece).chosen?.length ?? piece.rows);
    return this.load.map(
      (piece, i) =>
        new Map([...after].map(([name, value]) => [name, pieceOf(value, ends[i] ?? [0, 0], countOf(piece))] as const)),
    );
  }

  #group({ group }: Piece): Group {
    const found = this.request.groups[group];
    if (!found) throw bug('a load has a piece of no group');
    return found;
  }

  #shared(positions: readonly number[]): SharedInputs {
    const { base } = this.request;
    return new SharedInputs(base.model.program, sideBySideRows(base.rows, positions));
  }

  async #part(
    { graph, executable }: Compiled,
    { shared, given }: { readonly shared: SharedInputs; readonly given: (name: string) => Tensor | undefined },
  ): Promise<ReadonlyMap<string, Tensor>> {
    const { base, instance } = this.request;
    const feeds = feedsOf({ instance, graph, variant: base.model.variant, edits: [], shared, given });
    return executable.run(
      feeds,
      graph.outputs.map((o) => o.name),
    );
  }

  #handedName(input: string): string {
    return readName(this.request.instance.segment, input);
  }

  /** What all members of the load are handed, side by side. */
  #packed(input: string): Tensor | undefined {
    const name = this.#handedName(input);
    if (this.#handed.has(name)) return this.#handed.get(name);
    const { at, scratch } = this.request;
    const parts = this.load.flatMap((piece) => this.#group(piece).handedTo(at, name, piece.members) ?? []);
    const value = parts.length < this.load.length ? undefined : together(`handed ${name}`, parts, scratch);
    this.#handed.set(name, value);
    return value;
  }

  /** Where rows look at each other: each piece by itself. @returns side by side */
  async #between(before: ReadonlyMap<string, Tensor>): Promise<ReadonlyMap<string, Tensor>> {
    const { at, instance, compiled, scratch } = this.request;
    const results: ReadonlyMap<string, Tensor>[] = [];
    for (const [i, piece] of this.load.entries()) {
      const [group, count, place] = [this.#group(piece), countOf(piece), this.#places[i] ?? ([0, 0] as const)];
      const given = (name: string): Tensor | undefined => {
        const own = before.get(name);
        if (own) return pieceOf(own, place, count);
        return group.past(instance, name, count) ?? group.handedTo(at, this.#handedName(name), piece.members);
      };
      results.push(await this.#part(compiled.between, { shared: group.inputs(instance, count), given }));
    }
    return new Map(
      compiled.between.graph.outputs.map(({ name }) => {
        const parts = results.flatMap((r) => r.get(name) ?? []);
        return [name, together(name, parts, scratch)] as const;
      }),
    );
  }

  /** The rest, of the rows that are read. */
  async #after(
    before: ReadonlyMap<string, Tensor>,
    mixed: ReadonlyMap<string, Tensor>,
  ): Promise<ReadonlyMap<string, Tensor>> {
    const rows = this.#chosen();
    const isWhole = rows.length === this.#positions.length;
    const positions = rows.map((r) => this.#positions[r] ?? 0);
    const given = (name: string): Tensor | undefined => {
      const value = before.get(name) ?? mixed.get(name) ?? this.#packed(name);
      return value && !isWhole ? take(value, 1, rows) : value;
    };
    return this.#part(this.request.compiled.after, { shared: this.#shared(positions), given });
  }

  /** Which rows the instance gives: behind the last only those that are scored. */
  #chosen(): readonly number[] {
    const chosen = this.load.flatMap((piece, i) => {
      const [start = 0] = this.#places[i] ?? [];
      const own = this.#group(piece).chosen ?? Array.from({ length: piece.rows }, (_, r) => r);
      return Array.from({ length: countOf(piece) }, (_, m) => own.map((r) => start + m * piece.rows + r)).flat();
    });
    // a product of one row would take another kernel
    return chosen.length === 1 ? [...chosen, ...chosen] : chosen;
  }
}

/** Rows of several sequences side by side, as those of one. */
const sideBySideRows = (base: Rows, positions: readonly number[]): Rows => ({
  ids: [positions.map(() => 0)],
  ...{ lengths: [base.length], positions, keys: positions, length: base.length, step: 0 },
});

/** Groups through an instance together, each row of the products beside the others. @returns [group] what it hands on */
export const runPacked = async ({
  base,
  at,
  instance,
  groups,
  scratch,
}: Omit<LoadRequest, 'compiled'>): Promise<readonly ReadonlyMap<string, Tensor>[]> => {
  const { compilations, variant } = base.model;
  const compile = (part: RowPart): Promise<Compiled> =>
    compilations.get(instance.segment, { ...usualForm(instance, variant), taps: [], part });
  const compiled = {
    before: await compile('before'),
    between: await compile('between'),
    after: await compile('after'),
  };
  const parts = groups.map((): ReadonlyMap<string, Tensor>[] => []);
  for (const load of loadsOf(groups)) {
    const results = await new LoadRun(load, { base, at, instance, groups, compiled, scratch }).run();
    load.forEach(({ group }, i) => parts[group]?.push(results[i] ?? new Map()));
  }
  return parts.map((p) => joined(p));
};
