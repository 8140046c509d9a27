import { bug } from '../../base/index.js';
import {
  gradientOfInput,
  gradientOfSite,
  gradientOfWeight,
  handedOn,
  readName,
  seedInput,
  typesOf,
  upstreamInput,
  type Graph,
  type ValueType,
} from '../../graph/index.js';
import { float32, float64, range, sizeOf, type FloatTensor, type Tensor } from '../../tensor/index.js';
import type { Tensors } from '../backend.js';
import type { Compilations, Form } from '../run/compiled.js';
import { siteIn } from '../run/order.js';
import type { Moment, Variant } from '../run/request.js';
import { doubledWithZeros, undoubled, type Rows } from '../run/rows.js';
import type { Stage } from './plan.js';

/** A tensor of floats in the precision of an engine's other values. */
export const floats = (
  like: Pick<Tensor, 'dtype'> | undefined,
  shape: readonly number[],
  data?: ArrayLike<number>,
): FloatTensor => {
  const numbers = data ?? new Float32Array(sizeOf(shape));
  return like?.dtype === 'float64'
    ? float64(shape, Float64Array.from(numbers))
    : float32(shape, Float32Array.from(numbers));
};

const isFloat = (tensor: Tensor): tensor is FloatTensor => tensor.dtype === 'float32' || tensor.dtype === 'float64';

const float = (tensor: Tensor | undefined, name: string): FloatTensor => {
  if (!tensor || !isFloat(tensor)) throw bug(`no gradient ${name} came back`);
  return tensor;
};

/** Two gradients of one value added up. */
export const summed = (a: FloatTensor | undefined, b: FloatTensor): FloatTensor =>
  a
    ? floats(
        b,
        b.shape,
        b.data.map((x, i) => x + (a.data[i] ?? 0)),
      )
    : b;

/** What is needed to run the way back through one stage. */
export interface StageRun {
  readonly stage: Stage;
  /** As the pass ran it, gradients left out. */
  readonly form: Form;
  readonly moment: Moment;
  /** Are the values that it needs kept, or to be computed again? */
  readonly kept: boolean;
  /** Rows of the whole sequence: the head may have been run on the last alone. */
  readonly whole: Rows;
  /** How many sequences went forward, and of how many, the first, gradients go back. */
  readonly items: { readonly all: number; readonly back: number };
  /** The scalar's derivatives by sites, by their names in the segment, in the shapes that the graph has. */
  readonly seeds: Tensors;
}

/** Rows of a part of the sequence, with zeros in place of the others. [batch, row, model] -> [batch, position, model] */
const spread = (rows: FloatTensor, part: Rows, whole: Rows): FloatTensor => {
  const [batch = 1, count = 0, width = 0] = rows.shape;
  const length = whole.positions.length;
  if (part.positions.join() === whole.positions.join()) return rows; // two rows may be the last one twice
  const all = floats(rows, [batch, length, width]);
  const [at = 0] = part.positions;
  for (let b = 0; b < batch; b++) {
    const first = b * count * width; // the row stands there twice, the second without gradient
    all.data.set(rows.data.subarray(first, first + width), (b * length + at) * width);
  }
  return all;
};

/** Gradients on their way from the last instance to the first. */
export class WayBack {
  /** By the names in the run order. */
  readonly sites = new Map<string, FloatTensor>();
  readonly weights = new Map<string, FloatTensor>();
  /** Of values that instances handed on, and which are not reached yet. */
  readonly #handed = new Map<string, FloatTensor>();

  constructor(
    readonly compilations: Compilations,
    readonly variant: Variant,
  ) {}

  async through(run: StageRun): Promise<void> {
    const { request } = run.stage;
    const came = request.upstream.some((name) => this.#handed.has(name));
    if (came || request.seeds.length > 0) this.#take(run, await this.#results(run));
    else this.#forget(run);
  }

  /** The values that the instance handed on are no longer those that earlier ones did. */
  #forget({ stage }: StageRun): void {
    for (const name of handedOn(stage.instance.segment)) this.#handed.delete(name);
  }

  async #results(run: StageRun): Promise<{ results: Tensors; graph: Graph }> {
    const { stage, form, kept } = run;
    const gradient = { request: stage.request, part: kept ? ('backward' as const) : ('alone' as const) };
    const { graph, executable } = await this.compilations.get(stage.instance.segment, { ...form, gradient });
    const fed = this.#feeds(graph, run);
    const fetch = graph.outputs.map((o) => o.name);
    return { graph, results: fetch.length === 0 ? new Map() : await executable.run(fed, fetch) };
  }

  #feeds(graph: Graph, { stage, moment, seeds, items: { all, back } }: StageRun): Tensors {
    const edits = this.variant.gradients?.get(stage.instance.name) ?? [];
    const given = new Map<string, Tensor>([
      ...moment.results, // before what was fed: a stream is handed on under the name that it came with
      ...moment.fed,
      ...edits.flatMap((edit) => [...edit.numbers(moment.rows)]),
      ...[...seeds].map(([site, seed]) => [seedInput(site), seed] as const),
      ...stage.request.upstream.map((name) => [upstreamInput(name), this.#upstream(name, moment)] as const),
    ]);
    return new Map(
      graph.inputs.map(({ name, type }) => {
        const tensor = given.get(name);
        if (!tensor) throw bug(`nothing to feed ${name} of ${graph.name} with`);
        const isWhole = back < all && type.axes[0] === 'batch' && tensor.shape[0] === all;
        return [name, isWhole ? range(tensor, 0, [0, back]) : tensor];
      }),
    );
  }

  /** Zeros where nobody who read the value had a gradient. */
  #upstream(name: string, { results }: Moment): FloatTensor {
    const there = results.get(name);
    return this.#handed.get(name) ?? floats(there, there?.shape ?? []);
  }

  #take(run: StageRun, { results, graph }: { results: Tensors; graph: Graph }): void {
    const { stage, moment, whole } = run;
    const { instance, request } = stage;
    const types = typesOf(graph);
    const typeOf = (name: string): ValueType | undefined =>
      types.get(graph.outputs.find((o) => o.name === name)?.value ?? ('' as never));
    this.#forget(run);
    for (const name of request.sites) {
      const key = gradientOfSite(name);
      const gradient = undoubled(float(results.get(key), key), typeOf(key)?.axes ?? [], moment.rows);
      this.sites.set(siteIn(instance, name), float(gradient, key));
    }
    for (const name of request.weights) {
      const key = gradientOfWeight(name);
      this.weights.set(name, summed(this.weights.get(name), float(results.get(key), key)));
    }
    for (const name of request.inputs) {
      const key = gradientOfInput(name);
      const rows = float(results.get(key), key);
      const gradient = instance.segment.kind === 'head' ? spread(rows, moment.rows, whole) : rows;
      const handed = readName(instance.segment, name);
      this.#handed.set(handed, summed(this.#handed.get(handed), gradient));
    }
  }
}

/** A scalar's derivative by a site, as the graph takes it: with zeros for the second copy of a doubled row. */
export const seedOf = (
  value: Tensor,
  slope: Float64Array,
  { type, rows }: { type: ValueType; rows: Rows },
): FloatTensor => doubledWithZeros(floats(value, value.shape, slope), type, rows);
