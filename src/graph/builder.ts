import { bug } from '../base/index.js';
import type { Graph, GraphInput, Node, Param, Site } from './graph.js';
import { inferNode } from './infer.js';
import type { OpAttrs, OpName } from './ops.js';
import type { ValueId, ValueType } from './value.js';
import { verify } from './verify.js';

/** What makes nodes: a graph that is being built, or a pass that adds to one. */
export interface NodeMaker {
  op<K extends OpName>(op: K, attrs: OpAttrs[K], inputs: readonly Value[]): Value;
}

/** A value while a graph is being built: free functions such as `add(x, y)` take these. */
export interface Value {
  readonly id: ValueId;
  readonly type: ValueType;
  readonly builder: NodeMaker;
}

/** Collects the nodes of one graph. Mutable only while building; `finish` gives the verified graph. */
export class GraphBuilder implements NodeMaker {
  readonly #inputs: GraphInput[] = [];
  readonly #params = new Map<string, Value>();
  readonly #paramList: Param[] = [];
  readonly #nodes: Node[] = [];
  readonly #sites: Site[] = [];
  #scope = '';
  constructor(readonly name: string) {}

  /** Runs `build` with a scope for the nodes it makes. */
  within<T>(scope: string, build: () => T): T {
    const outer = this.#scope;
    this.#scope = scope;
    try {
      return build();
    } finally {
      this.#scope = outer;
    }
  }

  input(name: string, type: ValueType): Value {
    const known = this.#inputs.find((i) => i.name === name);
    if (known) return this.#value(known.id, known.type);
    this.#inputs.push({ id: name as ValueId, name, type });
    return this.#value(name as ValueId, type);
  }

  /** A weight by its name in the file; the same name twice is the same value. */
  param(name: string, shape: readonly number[], axes: readonly string[]): Value {
    const known = this.#params.get(name);
    if (known) return known;
    const type: ValueType = { dtype: 'float32', shape, axes };
    const value = this.#value(`w${this.#paramList.length}` as ValueId, type);
    this.#params.set(name, value);
    this.#paramList.push({ id: value.id, name, type });
    return value;
  }

  op<K extends OpName>(op: K, attrs: OpAttrs[K], inputs: readonly Value[]): Value {
    const type = inferNode(
      op,
      attrs,
      inputs.map((v) => v.type),
    );
    const id = `v${this.#nodes.length}` as ValueId;
    const node = { id, op, attrs, inputs: inputs.map((v) => v.id), scope: this.#scope, type };
    this.#nodes.push(node as unknown as Node);
    return this.#value(id, type);
  }

  /** Names a value as a site, by its full name. */
  site(name: string, value: Value): Value {
    return this.#site({ name, value: value.id, onRequest: false }, value);
  }

  /** A site that is computed only when asked for: the summands, along `axis`, of a value that is there already. */
  siteOnRequest(name: string, value: Value, partOf: { readonly value: Value; readonly axis: number }): Value {
    const whole = { value: partOf.value.id, axis: partOf.axis };
    return this.#site({ name, value: value.id, onRequest: true, partOf: whole }, value);
  }

  /** The verified graph with these outputs. */
  finish(outputs: Readonly<Record<string, Value>>): Graph {
    return verify({
      name: this.name,
      inputs: this.#inputs,
      params: this.#paramList,
      nodes: this.#nodes,
      sites: this.#sites,
      outputs: Object.entries(outputs).map(([name, value]) => ({ name, value: value.id })),
    });
  }

  #site(site: Site, value: Value): Value {
    if (this.#sites.some((s) => s.name === site.name)) throw bug(`site ${site.name} is named twice`);
    this.#sites.push(site);
    return value;
  }

  #value(id: ValueId, type: ValueType): Value {
    return { id, type, builder: this };
  }
}
