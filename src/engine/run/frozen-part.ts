import { bug, UsageError } from '../../base/index.js';
import {
  beforeCap,
  givenName,
  heldName,
  isolate,
  isolatedFrom,
  isolatedTo,
  paramInput,
  shapeOf,
  weightsAsInputs,
  type Graph,
  type InputRule,
  type Isolated,
  type Program,
  type Segment,
} from '../../graph/index.js';
import { concat, float32, range, sizeOf, type Tensor } from '../../tensor/index.js';
import type { Executable } from '../backend.js';
import { asFloat32 } from './as-float32.js';
import type { Compilations } from './compiled.js';
import { makeInput } from './inputs.js';
import type { Variant } from './request.js';

/** Where a frozen part is: a segment, and two of its values. */
export interface PartPlace {
  readonly segment: Segment;
  /** A site of the segment, or an input. */
  readonly from: string;
  /** A site. Scores that a cap keeps in bounds are taken before it. */
  readonly to: string;
  /** Sites that are given at each run. */
  readonly given?: readonly string[];
}

/** What a frozen part is run with, beside the rows. */
export interface PartRun {
  /** The position of each row, for what depends on it; left out: 0. */
  readonly positions?: readonly number[];
  /** Tokens of the sequence; left out: one more than the last position. */
  readonly length?: number;
  /** The divisors of the norms on the way, as `divisors` gives them; left out: 1. */
  readonly held?: ReadonlyMap<string, Tensor>;
  /** The values of the sites that are given. [1, row, ...] */
  readonly given?: ReadonlyMap<string, Tensor>;
}

interface Model {
  readonly program: Program;
  readonly compilations: Compilations;
}

const valueOf = (graph: Graph, site: string) => {
  const value = graph.sites.find((s) => s.name === site)?.value;
  if (value === undefined) throw bug(`graph ${graph.name} has no site ${site}`);
  return beforeCap(graph, value)?.value ?? value;
};

/** A way through a segment as a part of its graph. @throws UsageError METHOD_UNFIT where it is not affine */
const isolatedPart = ({ segment, from, to, given }: PartPlace): Isolated => {
  const { graph } = segment;
  const part = isolate(graph, { from, to: valueOf(graph, to), ...(given ? { given } : {}) });
  if (!('obstacle' in part)) return part;
  throw new UsageError(
    `${to} is not a sum over what ${from} is made of: ${part.obstacle.op} stands between, in ${part.obstacle.scope || segment.id}`,
    {
      code: 'METHOD_UNFIT',
      hint: 'What parts contribute is told where scores are linear in the stream but for the scale of norms; gradients (`cutaway inspect --grad-of`) work for any model.',
    },
  );
};

/** Can a value be told apart into what its summands give? */
export const isFrozenLinear = (place: PartPlace): boolean =>
  !('obstacle' in isolate(place.segment.graph, { ...place, to: valueOf(place.segment.graph, place.to) }));

/** @throws UsageError OPTION_INVALID where it cannot */
export const checkFrozenLinear = (place: PartPlace): void => void isolatedPart(place);

const rowsIn = (rows: Tensor): number => rows.shape[1] ?? 0;

const ones = (shape: readonly number[]): Tensor => float32(shape, new Float32Array(sizeOf(shape)).fill(1));

/**
 * A part of the model as the affine function that it is once the scales of its norms are held: any weights between two
 * sites, whatever their names and layout in the file. Frozen norms: Elhage 2021; Geva 2022.
 */
export class FrozenPart {
  readonly #weights: Variant['weights'];
  constructor(
    readonly isolated: Isolated,
    readonly made: { readonly part: Executable; readonly divisors: Executable | undefined },
    readonly model: { readonly inputs: Readonly<Record<string, InputRule>>; readonly weights: Variant['weights'] },
  ) {
    this.#weights = model.weights;
  }

  /**
   * @throws UsageError OPTION_INVALID where the way is not affine
   * @throws EngineError ENGINE_FAILED
   */
  static async open(
    { program, compilations }: Model,
    variant: Pick<Variant, 'weights'>,
    place: PartPlace,
  ): Promise<FrozenPart> {
    const isolated = isolatedPart(place);
    const compile = (graph: Graph): Promise<Executable> => {
      const own = graph.params.map((p) => p.name).filter((name) => variant.weights.has(name));
      return compilations.backend.compile(weightsAsInputs(graph, new Set(own)), compilations.weights);
    };
    const part = await compile(isolated.graph);
    const divisors = isolated.held.length > 0 ? await compile(isolated.divisors) : undefined;
    return new FrozenPart(isolated, { part, divisors }, { inputs: program.inputs, weights: variant.weights });
  }

  /**
   * What the part makes of each row beyond what it makes of nothing.
   * @param rows [1, row, ...] of the form of `from`
   * @returns [1, row, ...] of the form of `to`
   */
  async linear(rows: Tensor, run: PartRun = {}): Promise<Tensor<'float32'>> {
    const all = await this.affine(rows, run);
    const zero = await this.constant(run);
    const each = zero.data.length;
    const data = Float32Array.from(all.data);
    for (let row = 0; row < data.length; row += each)
      for (let i = 0; i < each; i++) data[row + i] = (data[row + i] ?? 0) - (zero.data[i] ?? 0);
    return float32(all.shape, data);
  }

  /** What the part makes of nothing: its biases. [1, 1, ...] */
  async constant({ positions, length, held, given }: PartRun = {}): Promise<Tensor<'float32'>> {
    const type = this.isolated.graph.inputs.find((i) => i.name === isolatedFrom)?.type;
    if (!type) throw bug('a part of a graph does not read where it begins');
    const shape = shapeOf(type, { batch: 1, position: 1, source: 1 });
    const first = (values: ReadonlyMap<string, Tensor>) =>
      new Map([...values].map(([name, t]) => [name, range(t, 1, [0, 1])]));
    return this.affine(float32(shape, new Float32Array(sizeOf(shape))), {
      ...(positions ? { positions: positions.slice(0, 1) } : {}),
      ...(length === undefined ? {} : { length }),
      ...(held ? { held: first(held) } : {}),
      ...(given ? { given: first(given) } : {}),
    });
  }

  /** What the part makes of each row, its biases too. */
  async affine(rows: Tensor, run: PartRun = {}): Promise<Tensor<'float32'>> {
    const count = rowsIn(rows);
    const twice = count === 1; // a product of one row takes another kernel, with other last bits
    const fed = twice ? concat([rows, rows], 1) : rows;
    const result = (await this.made.part.run(this.#feeds(this.isolated.graph, fed, { run, twice }), [isolatedTo])).get(
      isolatedTo,
    );
    if (!result) throw bug('a part of a graph gave nothing');
    return asFloat32(range(result, 1, [0, count]));
  }

  /** The divisors of the norms on the way, of real rows. */
  async divisors(
    rows: Tensor,
    run: Pick<PartRun, 'positions' | 'length' | 'given'> = {},
  ): Promise<ReadonlyMap<string, Tensor>> {
    const { divisors } = this.made;
    if (!divisors) return new Map();
    const count = rowsIn(rows);
    const twice = count === 1;
    const fed = twice ? concat([rows, rows], 1) : rows;
    const names = this.isolated.held.map(heldName);
    const results = await divisors.run(this.#feeds(this.isolated.divisors, fed, { run, twice }), names);
    return new Map([...results].map(([name, t]) => [name, range(t, 1, [0, count])]));
  }

  async dispose(): Promise<void> {
    await this.made.part.dispose();
    await this.made.divisors?.dispose();
  }

  #feeds(graph: Graph, rows: Tensor, { run, twice }: { run: PartRun; twice: boolean }): ReadonlyMap<string, Tensor> {
    const count = rowsIn(rows);
    const doubled = (t: Tensor): Tensor => (twice ? concat([t, t], 1) : t);
    const own = run.positions ?? Array.from({ length: count }, () => 0);
    const positions = twice ? [...own, ...own].slice(0, 2) : own;
    const length = run.length ?? Math.max(...positions) + 1;
    const given = new Map([...(run.given ?? [])].map(([site, t]) => [givenName(site), t]));
    const fed = new Map<string, Tensor>();
    for (const { name, type } of graph.inputs) {
      const value = run.held?.get(name) ?? given.get(name);
      const rule = this.model.inputs[name];
      if (name === isolatedFrom) fed.set(name, rows);
      else if (value) fed.set(name, doubled(value));
      else if (name.startsWith('held '))
        fed.set(name, ones(shapeOf(type, { batch: 1, position: count, source: count })));
      else if (name.startsWith('weight:')) fed.set(name, this.#weight(name));
      else if (rule)
        fed.set(
          name,
          makeInput(rule, { ids: [positions.map(() => 0)], lengths: [length], positions, keys: [], length, step: 0 }),
        );
      else throw bug(`a part of a graph reads ${name}, which nothing gives`);
    }
    return fed;
  }

  #weight(name: string): Tensor {
    const found = [...this.#weights].find(([own]) => paramInput(own) === name)?.[1];
    if (!found) throw bug(`${name} is not there`);
    return found;
  }
}
