import type { Weights } from '../../formats/index.js';
import type { Graph, Node, ValueId } from '../../graph/index.js';
import type { Tensor } from '../../tensor/index.js';
import type { Backend, Executable, Tensors } from '../backend.js';
import { checkFit, held, SeenExtents } from './fit.js';
import { failed, type Precision } from './kernel.js';
import { compute } from './kernels.js';

export interface ReferenceOptions {
  /** `float32`: every operation rounds its result to float32. `float64`: the graph's float32 values are float64. */
  readonly precision: Precision;
}

/** Milliseconds of computing after which the event loop gets its turn. */
const turnMs = 30;

/** Nodes that these values need, in the graph's order. */
const needed = (graph: Graph, values: Iterable<ValueId>): readonly Node[] => {
  const wanted = new Set(values);
  const nodes = graph.nodes.toReversed().filter((node) => {
    if (!wanted.has(node.id)) return false;
    for (const input of node.inputs) wanted.add(input);
    return true;
  });
  return nodes.reverse();
};

/** For each value, the last of these nodes that reads it. */
const lastReaders = (nodes: readonly Node[]): Map<ValueId, Node> =>
  new Map(nodes.flatMap((node) => node.inputs.map((id) => [id, node] as const)));

class Reference implements Executable {
  readonly #weights = new Map<ValueId, Tensor>();
  readonly #outputs: ReadonlyMap<string, ValueId>;

  constructor(
    readonly graph: Graph,
    readonly precision: Precision,
  ) {
    this.#outputs = new Map(graph.outputs.map((o) => [o.name, o.value]));
  }

  async bind(weights: Weights): Promise<this> {
    for (const { id, name, type } of this.graph.params) {
      const tensor = held(await weights.read(name), type, this.precision);
      checkFit(`weight ${name}`, { tensor, type, extents: new SeenExtents(), precision: this.precision });
      this.#weights.set(id, tensor);
    }
    return this;
  }

  async run(feeds: Tensors, fetch: readonly string[]): Promise<Map<string, Tensor>> {
    const wanted = new Map(fetch.map((name) => [name, this.#valueOf(name)]));
    const keep = new Set(wanted.values());
    const values = await this.#evaluate(feeds, keep);
    return new Map([...wanted].map(([name, id]) => [name, known(values, id)]));
  }

  async dispose(): Promise<void> {
    this.#weights.clear();
  }

  async #evaluate(feeds: Tensors, keep: ReadonlySet<ValueId>): Promise<Map<ValueId, Tensor>> {
    const { graph, precision } = this;
    const extents = new SeenExtents();
    const values = new Map([...this.#weights, ...this.#fed(feeds, extents)]);
    const nodes = needed(graph, keep);
    const last = lastReaders(nodes);
    let turn = performance.now();
    for (const node of nodes) {
      const inputs = node.inputs.map((id) => known(values, id));
      const tensor = compute(node, inputs, precision);
      checkFit(`${node.id} (${node.op})`, { tensor, type: node.type, extents, precision });
      values.set(node.id, tensor);
      for (const id of node.inputs) if (last.get(id) === node && !keep.has(id)) values.delete(id);
      if (performance.now() - turn < turnMs) continue;
      await new Promise((resolve) => setTimeout(resolve));
      turn = performance.now();
    }
    return values;
  }

  #fed(feeds: Tensors, extents: SeenExtents): (readonly [ValueId, Tensor])[] {
    return this.graph.inputs.map(({ id, name, type }) => {
      const fed = feeds.get(name);
      if (!fed) throw failed(`graph ${this.graph.name} was run without its input ${name}`);
      const tensor = held(fed, type, this.precision);
      checkFit(`input ${name}`, { tensor, type, extents, precision: this.precision });
      return [id, tensor];
    });
  }

  #valueOf(name: string): ValueId {
    const value = this.#outputs.get(name);
    if (value === undefined) throw failed(`graph ${this.graph.name} has no output ${name}`);
    return value;
  }
}

const known = (values: ReadonlyMap<ValueId, Tensor>, id: ValueId): Tensor => {
  const tensor = values.get(id);
  if (!tensor) throw failed(`${id} is not there`);
  return tensor;
};

/**
 * The plain engine that others are checked against: one operation after the other, in its simplest form.
 * Results of float32 values are float64 tensors in that precision.
 */
export const makeReference = ({ precision }: ReferenceOptions): Backend => ({
  name: `reference ${precision}`,
  compile: (graph, weights) => new Reference(graph, precision).bind(weights),
  dispose: () => Promise.resolve(),
});
