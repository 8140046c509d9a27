import { bug } from '../../base/index.js';
import { add, constant, expandLike, reshape } from '../algebra.js';
import type { Value } from '../builder.js';
import { branchesOf } from '../gradient.js';
import { fitted } from '../gradients/fit.js';
import { spliced, type Slice } from '../gradients/form.js';
import type { Branch, Reached } from '../gradients/rule.js';
import type { Graph, Node, Site } from '../graph.js';
import { relevanceOf, stopsRelevance } from '../relevance.js';
import type { RelevanceRules } from '../relevance/rules.js';
import type { ValueId, ValueType } from '../value.js';
import { verify } from '../verify.js';
import { Additions } from './additions.js';
import { changed, type ValueEdit } from './edit.js';
import { prune } from './prune.js';

/** Which gradients of one graph are asked for, and where they come from. */
export interface GradientRequest {
  /** Sites that the scalar is a function of: its derivative by each is the input `seed SITE`. */
  readonly seeds: readonly string[];
  /** Outputs that others read: the gradient of each is the input `upstream OUTPUT`. */
  readonly upstream: readonly string[];
  /** Sites, inputs and weights whose gradients are outputs: `grad(SITE)`, `grad(input NAME)`, `grad(weight NAME)`. */
  readonly sites: readonly string[];
  readonly inputs: readonly string[];
  readonly weights: readonly string[];
  /** Changes of a site's gradient on its way back. */
  readonly edits: readonly ValueEdit[];
  /** Layer-wise relevance goes back in place of gradients: what comes out times the value is the value's relevance. */
  readonly rules?: RelevanceRules;
}

export const seedInput = (site: string): string => `seed ${site}`;
export const upstreamInput = (output: string): string => `upstream ${output}`;
/** What the gradient of a site is called, also in results and files. */
export const gradientOfSite = (site: string): string => `grad(${site})`;
export const gradientOfInput = (input: string): string => `grad(input ${input})`;
/** What the gradient of a weight is called, also in results and files. */
export const gradientOfWeight = (weight: string): string => `grad(weight ${weight})`;

const isFloat = ({ dtype }: ValueType): boolean => dtype === 'float32' || dtype === 'float64';

/** A gradient in the very shape of its value. */
const settled = (gradient: Value, value: Value): Value =>
  gradient.type.shape.join() === value.type.shape.join() ? gradient : expandLike(gradient, value);

/** One graph while its gradients are added to it. */
class Backward {
  readonly #a: Additions;
  readonly #terms = new Map<ValueId, Value[]>();
  /** Gradients of slices of a value, which are put side by side. */
  readonly #slices = new Map<ValueId, Slice[]>();
  readonly #totals = new Map<ValueId, Value>();
  readonly #sites: ReadonlyMap<string, Site>;
  readonly #live: ReadonlySet<ValueId>;

  constructor(
    readonly graph: Graph,
    readonly request: GradientRequest,
  ) {
    this.#a = new Additions(graph, 'grad');
    this.#sites = new Map(graph.sites.map((s) => [s.name, s]));
    this.#live = this.#depending();
  }

  run(): Graph {
    const { request, graph } = this;
    for (const name of request.seeds) this.#seed(this.#site(name).value, seedInput(name));
    for (const name of request.upstream) this.#seed(this.#output(name), upstreamInput(name));
    for (const node of graph.nodes.toReversed()) {
      const upstream = this.#live.has(node.id) ? this.#total(node.id) : undefined;
      if (!upstream) continue;
      if (this.#takeSlice(node, upstream)) continue;
      const inputs = node.inputs.map((id) => this.#value(id));
      const live = node.inputs.map((id) => this.#live.has(id));
      const branches = this.#branches(node, { inputs, output: this.#value(node.id), upstream, live });
      node.inputs.forEach((id, i) => {
        const branch = branches[i];
        if (branch && this.#live.has(id) && isFloat(this.#a.typeOf(id))) this.#give(id, branch());
      });
    }
    const outputs = [...this.#wanted()].map(([name, gradientOf]) => ({ name, value: gradientOf().id }));
    const applied = this.#a.applied();
    return verify({ ...applied, outputs: [...graph.outputs, ...outputs] });
  }

  #branches(node: Node, at: Reached): readonly (Branch | undefined)[] {
    const { rules } = this.request;
    return rules ? relevanceOf(node, at, { rules, params: this.graph.params }) : branchesOf(node, at);
  }

  /** What is asked for: the name of each output, and the making of it. */
  *#wanted(): Generator<readonly [string, () => Value]> {
    const { sites, inputs, weights } = this.request;
    for (const name of sites) yield [gradientOfSite(name), () => this.#ofSite(name)];
    for (const name of inputs) yield [gradientOfInput(name), () => this.#orZero(this.#named('inputs', name))];
    for (const name of weights) yield [gradientOfWeight(name), () => this.#orZero(this.#named('params', name))];
  }

  /** Values that depend on what gradients are wanted of: only through them does anything go back. */
  #depending(): ReadonlySet<ValueId> {
    const { sites, inputs, weights, edits, rules } = this.request;
    const stops = (node: Node): boolean => rules !== undefined && stopsRelevance(node, rules);
    const live = new Set<ValueId>([
      ...sites.flatMap((name) => [this.#source(name), this.#site(name).value]),
      ...edits.map(({ site }) => this.#source(site)),
      ...inputs.map((name) => this.#named('inputs', name)),
      ...weights.map((name) => this.#named('params', name)),
    ]);
    for (const node of this.graph.nodes) if (node.inputs.some((id) => live.has(id)) && !stops(node)) live.add(node.id);
    return live;
  }

  /** The value that a site's gradient comes to: of a summand that nobody reads by itself, the sum. */
  #source(name: string): ValueId {
    const site = this.#site(name);
    return site.partOf?.value ?? site.value;
  }

  #site(name: string): Site {
    const site = this.#sites.get(name);
    if (!site) throw bug(`graph ${this.graph.name} has no site ${name}`);
    return site;
  }

  #named(kind: 'inputs' | 'params', name: string): ValueId {
    const found = this.graph[kind].find((v) => v.name === name);
    if (!found) throw bug(`graph ${this.graph.name} has no ${name} among its ${kind}`);
    return found.id;
  }

  #output(name: string): ValueId {
    const output = this.graph.outputs.find((o) => o.name === name);
    if (!output) throw bug(`graph ${this.graph.name} has no output ${name}`);
    return output.value;
  }

  #value(id: ValueId): Value {
    const value = (made: ValueId): Value => ({
      id: made,
      type: this.#a.typeOf(made),
      builder: {
        op: (op, attrs, inputs) =>
          value(
            this.#a.op(
              op,
              attrs,
              inputs.map((x) => x.id),
            ),
          ),
      },
    });
    return value(id);
  }

  #seed(id: ValueId, name: string): void {
    if (this.#live.has(id)) this.#give(id, this.#value(this.#a.input(name, this.#a.typeOf(id))));
  }

  /** Slices wait for the others of their value: side by side they are one joining, not as many sums with zeros. */
  #takeSlice({ op, attrs, inputs: [id] }: Node, upstream: Value): boolean {
    if (op !== 'Slice' || id === undefined) return false;
    this.#slices.set(id, [...(this.#slices.get(id) ?? []), { ...attrs, gradient: upstream }]);
    return true;
  }

  #give(id: ValueId, term: Value): void {
    const terms = this.#terms.get(id) ?? [];
    this.#terms.set(id, terms);
    terms.push(fitted(term, this.#a.typeOf(id)));
  }

  /** The whole gradient of a value, once all of its readers were passed, as edits leave it. */
  #total(id: ValueId): Value | undefined {
    const known = this.#totals.get(id);
    if (known) return known;
    const slices = this.#slices.get(id) ?? [];
    this.#slices.delete(id);
    for (const term of spliced(this.#value(id), slices)) this.#give(id, term);
    const [first, ...others] = this.#terms.get(id) ?? [];
    if (!first) return undefined;
    const whole = settled(
      others.reduce((x, y) => add(x, y), first),
      this.#value(id),
    );
    const edits = this.request.edits.filter(({ site }) => this.#source(site) === id);
    const edited = edits.reduce((old, edit) => this.#value(changed(this.#a, old.id, edit)), whole);
    this.#totals.set(id, edited);
    return edited;
  }

  #orZero(id: ValueId): Value {
    const value = this.#value(id);
    return this.#total(id) ?? expandLike(constant(value, 0), value);
  }

  /** Every summand has the gradient of the sum, and what the scalar has of it by itself. */
  #ofSite(name: string): Value {
    const { value, partOf } = this.#site(name);
    if (!partOf) return this.#orZero(value);
    const own = this.#total(value);
    const whole = this.#orZero(partOf.value);
    const { axes } = this.#a.typeOf(value);
    const shape = axes.map((_, i) => (i < partOf.axis ? 0 : i === partOf.axis ? 1 : Number(whole.type.shape[i - 1])));
    const spread = expandLike(reshape(whole, shape, axes), this.#value(value));
    return own ? add(spread, own) : spread;
  }
}

/**
 * A graph with the gradients of a scalar added to it, reverse mode. The scalar is not in the graph: its derivatives by
 * sites are inputs. A gradient is of the value as it is consumed: the sum of what comes from all its readers.
 * @source Griewank & Walther 2008, ch. 3
 * @throws BugError INTERNAL for a name that the graph does not have
 */
export const withGradients = (graph: Graph, request: GradientRequest): Graph => new Backward(graph, request).run();

/** A graph's gradients alone: all that they need is computed again on the way. */
export const onlyGradients = (graph: Graph, request: GradientRequest): Graph => {
  const whole = withGradients(graph, request);
  return prune({ ...whole, outputs: whole.outputs.slice(graph.outputs.length) });
};

const keptPrefix = 'kept ';
/** Is this the name of a value that is kept for the way back? */
export const isKept = (name: string): boolean => name.startsWith(keptPrefix);

/** The operators that take the time: what they give is worth keeping, since computing it again is dearer than a copy. */
const isProduct = ({ op }: Node): boolean => op === 'Linear' || op === 'MatMul';

/**
 * A graph with gradients as two that run one after the other: what it was, which also gives the products that the way
 * back needs (`isKept`), and the way back, which computes all else again.
 */
export const splitGradients = (
  graph: Graph,
  request: GradientRequest,
): { readonly before: Graph; readonly after: Graph } => {
  const back = onlyGradients(graph, request);
  const products = new Map(graph.nodes.filter(isProduct).map((n) => [n.id, n]));
  const given = back.nodes.filter((n) => products.has(n.id));
  const kept = given.map(({ id, type }) => ({ id, name: keptPrefix + id, type }));
  const nodes = back.nodes.filter((n) => !products.has(n.id));
  const after = prune({ ...back, nodes, inputs: [...back.inputs, ...kept] });
  const needed = after.inputs.filter((v) => isKept(v.name)).map(({ id, name }) => ({ name, value: id }));
  return { before: prune({ ...graph, outputs: [...graph.outputs, ...needed] }), after };
};
