import {
  extentOf,
  inferNode,
  verify,
  type Dim,
  type Graph,
  type GraphInput,
  type Node,
  type OpAttrs,
  type OpName,
  type Param,
  type ValueId,
  type ValueType,
} from '../../../graph/index.js';
import { bool, float32, int64From, sizeOf, type Tensor } from '../../../tensor/index.js';
import { weightPool, type PooledWeight } from './pooled-weights.js';
import { randomNumbers } from './random.js';
import { rangeOf, type Operand, type Range } from './range.js';

/** What is fed to an input. */
export type Kind = 'signed' | 'positive' | 'integers' | 'truths';

/** A value of the graph that is being made. */
export interface Entry extends Operand {
  readonly id: ValueId;
  readonly type: ValueType;
}

/** An axis: its name, and its extent. */
export type Axis = readonly [name: string, dim: Dim];

const dtypeOf = { signed: 'float32', positive: 'float32', integers: 'int64', truths: 'bool' } as const;
const rangeOfKind: Readonly<Record<Kind, Range>> = {
  signed: { low: -2, high: 2, error: 0 },
  positive: { low: 0.5, high: 2, error: 0 },
  integers: { low: -4, high: 4, error: 0 },
  truths: { low: 0, high: 1, error: 0 },
};

/** A graph while it is made, with what is fed to it. Every value knows its range. */
export class Draft {
  readonly entries: Entry[] = [];
  readonly feeds = new Map<string, Tensor>();
  readonly weights = new Map<string, PooledWeight>();
  readonly #inputs: GraphInput[] = [];
  readonly #params: Param[] = [];
  readonly #nodes: Node[] = [];
  readonly #extents: Record<string, number>;
  readonly #seed: number;

  constructor(extents: Readonly<Record<string, number>>, seed: number) {
    this.#extents = { ...extents };
    this.#seed = seed;
  }

  get size(): number {
    return this.#nodes.length;
  }

  /** The node that makes a value. */
  made({ id }: Entry): Node | undefined {
    return this.#nodes.find((n) => n.id === id);
  }

  extent(dim: Dim): number {
    return extentOf(dim, this.#extents);
  }

  /** A new name for an extent that is a sum. */
  nameExtent(extent: number): string {
    const name = `sum${Object.keys(this.#extents).length}`;
    this.#extents[name] = extent;
    return name;
  }

  /** A new input, and what it is fed with; `limits` of integers, both inclusive. */
  input(kind: Kind, axes: readonly Axis[], limits = rangeOfKind[kind]): Entry {
    const id = `x${this.#inputs.length}` as ValueId;
    const type: ValueType = { dtype: dtypeOf[kind], shape: axes.map((a) => a[1]), axes: axes.map((a) => a[0]) };
    this.#inputs.push({ id, name: `in ${id}`, type });
    const entry = this.#entry(id, type, limits);
    this.feeds.set(`in ${id}`, this.#numbers(kind, entry.shape, limits));
    return entry;
  }

  /** A new weight of fixed extents. */
  param(axes: readonly (readonly [string, number])[]): Entry {
    const id = `w${this.#params.length}` as ValueId;
    const type: ValueType = { dtype: 'float32', shape: axes.map((a) => a[1]), axes: axes.map((a) => a[0]) };
    const entry = this.#entry(id, type, { low: -1, high: 1, error: 0 });
    const start = (this.#seed * 13 + this.#params.length * 101) % (weightPool.length - sizeOf(entry.shape));
    const dtype = (this.#seed + this.#params.length) % 3 === 0 ? 'bfloat16' : 'float32';
    // One name, one weight, in all graphs: an engine keeps a weight under its name.
    const name = `${id} ${dtype}[${entry.shape.join()}]@${start}`;
    this.#params.push({ id, name, type });
    this.weights.set(name, { shape: entry.shape, start, dtype });
    return entry;
  }

  /** A new node, or undefined where the operator does not take these operands, or should not. */
  add<K extends OpName>(op: K, attrs: OpAttrs[K], operands: readonly Entry[]): Entry | undefined {
    const range = rangeOf(op, attrs, operands);
    const type = range && this.#infer(op, attrs, operands);
    if (!type) return undefined;
    const id = `v${this.#nodes.length}` as ValueId;
    const node = { id, op, attrs, inputs: operands.map((o) => o.id), scope: '', type };
    this.#nodes.push(node as unknown as Node);
    return this.#entry(id, type, range);
  }

  /** The verified graph; output i is named `out i`. */
  finish(outputs: readonly Entry[]): Graph {
    return verify({
      name: 'random',
      inputs: this.#inputs,
      params: this.#params,
      nodes: this.#nodes,
      sites: [],
      outputs: outputs.map((entry, i) => ({ name: `out ${i}`, value: entry.id })),
    });
  }

  #infer(op: OpName, attrs: OpAttrs[OpName], operands: readonly Entry[]): ValueType | undefined {
    try {
      const types = operands.map((o) => o.type);
      return inferNode(op, attrs, types);
    } catch {
      return undefined; // the plan tries other operands
    }
  }

  #entry(id: ValueId, type: ValueType, range: Range): Entry {
    const entry = { id, type, dtype: type.dtype, shape: type.shape.map((d) => this.extent(d)), range };
    this.entries.push(entry);
    return entry;
  }

  /** Half of the inputs lie on a grid, so that equal numbers meet. */
  #numbers(kind: Kind, shape: readonly number[], { low, high }: Range): Tensor {
    const seed = this.#seed + 31 * this.#inputs.length;
    const random = randomNumbers(sizeOf(shape), seed);
    const whole = (x: number): number => low + Math.floor(x * (high - low + 1));
    if (kind === 'integers') return int64From(shape, random.map(whole));
    if (kind === 'truths') return bool(shape, Uint8Array.from(random, whole));
    const grid = (x: number): number => (seed % 2 === 0 ? Math.round(8 * x) / 8 : x);
    return float32(
      shape,
      Float32Array.from(random, (x) => low + grid(x) * (high - low)),
    );
  }
}
