import { bug } from '../../base/index.js';
import { freshId, typesOf, type Graph, type GraphInput, type Node } from '../graph.js';
import { inferNode } from '../infer.js';
import type { OpAttrs, OpName } from '../ops.js';
import type { ValueId, ValueType } from '../value.js';

/** Collects the nodes and inputs that a rewrite adds. */
export class Additions {
  readonly inputs: GraphInput[] = [];
  readonly nodes: Node[] = [];
  readonly #used: Set<string>;
  readonly #types: Map<ValueId, ValueType>;
  constructor(
    readonly graph: Graph,
    readonly tag: string,
  ) {
    this.#types = typesOf(graph);
    this.#used = new Set(this.#types.keys());
  }

  typeOf(id: ValueId): ValueType {
    const type = this.#types.get(id);
    if (!type) throw bug(`no value ${id} in graph ${this.graph.name}`);
    return type;
  }

  input(name: string, type: ValueType): ValueId {
    const id = this.#claim(name, type);
    this.inputs.push({ id, name, type });
    return id;
  }

  op<K extends OpName>(op: K, attrs: OpAttrs[K], inputs: readonly ValueId[]): ValueId {
    const type = inferNode(
      op,
      attrs,
      inputs.map((id) => this.typeOf(id)),
    );
    const id = this.#claim(this.tag, type);
    this.nodes.push({ id, op, attrs, inputs, scope: this.tag, type } as unknown as Node);
    return id;
  }

  /** The graph with what was added, nodes in order. */
  applied(): Graph {
    const nodes = [...this.graph.nodes, ...this.nodes];
    return { ...this.graph, inputs: [...this.graph.inputs, ...this.inputs], nodes };
  }

  #claim(base: string, type: ValueType): ValueId {
    const id = freshId(this.#used, base);
    this.#used.add(id);
    this.#types.set(id, type);
    return id;
  }
}
