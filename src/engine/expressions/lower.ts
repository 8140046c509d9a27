import type { DebuggerError } from '../../base/index.js';
import { Additions, verify, type Graph, type OpName, type ValueId, type ValueType } from '../../graph/index.js';
import {
  checkExpression,
  invalidExpression,
  type BinaryNode,
  type Expression,
  type Reduction,
  type SiteNode,
  type SiteName,
} from '../../language/index.js';
import type { Tensors } from '../backend.js';
import type { Sequence } from '../experiment/index.js';
import type { Rows } from '../run/rows.js';
import { maskIn, partIn, type Part } from './masks.js';

/** A graph that also computes an expression. */
export interface Lowered {
  readonly graph: Graph;
  /** The output that holds it: without axes, bool for a condition and else float32. */
  readonly output: string;
  /** The tensors of the inputs that were added, for a pass's rows in this segment. */
  readonly numbers: (rows: Rows, sequence: Sequence) => Tensors;
}

export interface LoweringOptions {
  /** The output's name, and the prefix of the inputs; unique in the graph. */
  readonly tag: string;
  /** A site's name in the graph, where it differs from the one in the expression. */
  readonly nameOf?: (site: SiteName) => string;
}

/** Where the numbers of a part are: which count, and how many do. */
interface Mask {
  readonly key: string;
  readonly part: Part;
  readonly mask: ValueId;
  readonly count: ValueId;
}

/** What stands for a node: a value without axes, or numbers with a shape, of which some count. */
interface TensorMeaning {
  readonly kind: 'tensor';
  readonly id: ValueId;
  readonly over: Mask;
}
type Meaning = TensorMeaning | { readonly kind: 'number' | 'truth'; readonly id: ValueId };

const arithmetic: Readonly<Record<string, 'Add' | 'Sub' | 'Mul' | 'Div'>> = {
  '+': 'Add',
  '-': 'Sub',
  '*': 'Mul',
  '/': 'Div',
};

const outside = (what: string, node: Expression): DebuggerError =>
  invalidExpression(
    `${what} has no form inside the graph of one segment`,
    'Evaluate it on captured values; in the graph are functions of sites of one segment, arithmetic and comparisons.',
    node,
  );

class Lowering {
  readonly masks = new Map<string, Mask>();
  readonly #a: Additions;

  constructor(
    readonly graph: Graph,
    readonly options: LoweringOptions,
  ) {
    this.#a = new Additions(graph, options.tag);
  }

  lowered(expression: Expression): Lowered {
    const type = checkExpression(expression);
    const meaning = this.#meaning(expression);
    const value = type === 'truth' ? this.#truth(meaning, expression) : this.#number(meaning, expression);
    const { tag } = this.options;
    const graph = this.#a.applied();
    const masks = [...this.masks.values()];
    return {
      graph: verify({ ...graph, outputs: [...graph.outputs, { name: tag, value }] }),
      output: tag,
      numbers: (rows, sequence) => new Map(masks.flatMap((m, i) => this.#fed(maskIn(m.part, rows, sequence), i))),
    };
  }

  #fed({ mask, count }: ReturnType<typeof maskIn>, i: number): [string, typeof mask | typeof count][] {
    const { tag } = this.options;
    return [
      [`${tag}.${i}.mask`, mask],
      [`${tag}.${i}.count`, count],
    ];
  }

  #op(name: Exclude<OpName, 'Constant'>, ...inputs: readonly ValueId[]): ValueId {
    return this.#a.op(name, {}, inputs);
  }

  #constant(value: number): ValueId {
    return this.#a.op('Constant', { dtype: 'float32', shape: [], axes: [], values: [value] }, []);
  }

  #meaning(node: Expression): Meaning {
    switch (node.kind) {
      case 'number':
        return { kind: 'number', id: this.#constant(node.value) };
      case 'site':
        return this.#site(node);
      case 'reduce':
        return { kind: 'number', id: this.#reduced(node.by, this.#tensor(node.of)) };
      case 'cosine':
        return { kind: 'number', id: this.#cosine(node.left, node.right) };
      case 'unary':
        return this.#unary(node.operator, node.of);
      case 'binary':
        return this.#binary(node);
      case 'text':
      case 'word':
      case 'token':
        throw outside(node.kind === 'word' ? node.word : node.kind === 'token' ? node.by : 'a text', node);
    }
  }

  #site(node: SiteNode): Meaning {
    const name = this.options.nameOf?.(node.site) ?? node.site;
    const site = this.graph.sites.find((s) => s.name === name);
    if (!site) throw outside(node.site, node);
    const type = this.#a.typeOf(site.value);
    const id = type.dtype === 'float32' ? site.value : this.#a.op('Cast', { to: 'float32' }, [site.value]);
    return { kind: 'tensor', id, over: this.#mask(node, type) };
  }

  /** Parts of the same axes and selector share their mask. */
  #mask(node: SiteNode, type: ValueType): Mask {
    const key = JSON.stringify([type.axes, type.shape, node.where]);
    const known = this.masks.get(key);
    if (known) return known;
    const part = partIn(node, type);
    const input = `${this.options.tag}.${this.masks.size}`;
    const shape = type.shape.map((dim, a) => (part.maskAxes.includes(type.axes[a] ?? '') ? dim : 1));
    const mask = this.#a.input(`${input}.mask`, { dtype: 'bool', shape, axes: type.axes });
    const count = this.#a.input(`${input}.count`, { dtype: 'float32', shape: [], axes: [] });
    const made = { key, part, mask, count };
    this.masks.set(key, made);
    return made;
  }

  #tensor(node: Expression): TensorMeaning {
    const meaning = this.#meaning(node);
    if (meaning.kind === 'tensor') return meaning;
    throw outside('a function of a number', node);
  }

  /** Numbers that do not count replaced by one that changes nothing. */
  #kept(id: ValueId, { mask }: Mask, otherwise: number): ValueId {
    return this.#op('Where', mask, id, this.#constant(otherwise));
  }

  /** One number over all axes, which go: the last one first, which is long and side by side, so that the others are short. */
  #over(by: 'ReduceSum' | 'ReduceMax' | 'ReduceMin', id: ValueId): ValueId {
    const axes = [...this.#a.typeOf(id).axes.keys()].reverse();
    const whole = axes.reduce<ValueId>((x, axis) => this.#a.op(by, { axis }, [x]), id);
    return this.#a.op('Reshape', { shape: [], axes: [] }, [whole]);
  }

  #sum(id: ValueId, over: Mask): ValueId {
    return this.#over('ReduceSum', this.#kept(id, over, 0));
  }

  #mean(id: ValueId, over: Mask): ValueId {
    return this.#op('Div', this.#sum(id, over), over.count);
  }

  #nans(id: ValueId, over: Mask): ValueId {
    const broken = this.#op('Not', this.#op('Equal', id, id));
    return this.#sum(this.#a.op('Cast', { to: 'float32' }, [broken]), over);
  }

  /** NaN where one is there or nothing is: engines differ in what they make of it. */
  #extreme(by: 'ReduceMax' | 'ReduceMin', id: ValueId, over: Mask): ValueId {
    const kept = this.#kept(id, over, by === 'ReduceMax' ? -Infinity : Infinity);
    const sound = this.#a.op('Cast', { to: 'float32' }, [this.#op('Equal', kept, kept)]);
    const zero = this.#constant(0);
    const unknown = this.#op('Equal', this.#op('Mul', this.#over('ReduceMin', sound), over.count), zero);
    return this.#op('Where', unknown, this.#constant(NaN), this.#over(by, kept));
  }

  #norm(id: ValueId, over: Mask): ValueId {
    return this.#op('Sqrt', this.#sum(this.#op('Mul', id, id), over));
  }

  #std(id: ValueId, over: Mask): ValueId {
    const away = this.#op('Sub', id, this.#mean(id, over));
    return this.#op('Sqrt', this.#mean(this.#op('Mul', away, away), over));
  }

  #reduced(by: Reduction, { id, over }: { readonly id: ValueId; readonly over: Mask }): ValueId {
    switch (by) {
      case 'sum':
        return this.#sum(id, over);
      case 'mean':
        return this.#mean(id, over);
      case 'norm':
        return this.#norm(id, over);
      case 'std':
        return this.#std(id, over);
      case 'nan':
        return this.#nans(id, over);
      case 'max':
        return this.#extreme('ReduceMax', id, over);
      case 'min':
        return this.#extreme('ReduceMin', id, over);
      case 'absmax':
        return this.#extreme('ReduceMax', this.#op('Abs', id), over);
    }
  }

  #cosine(left: Expression, right: Expression): ValueId {
    const [a, b] = [this.#tensor(left), this.#tensor(right)];
    if (a.over.key !== b.over.key) throw outside('cosine of different parts', left);
    const dot = this.#sum(this.#op('Mul', a.id, b.id), a.over);
    return this.#op('Div', dot, this.#op('Mul', this.#norm(a.id, a.over), this.#norm(b.id, b.over)));
  }

  #unary(operator: '-' | '!', of: Expression): Meaning {
    const meaning = this.#meaning(of);
    if (operator === '!') return { kind: 'truth', id: this.#op('Not', this.#truth(meaning, of)) };
    return { ...meaning, id: this.#op('Neg', meaning.id) };
  }

  #binary(node: BinaryNode): Meaning {
    const { operator, left, right } = node;
    const [a, b] = [this.#meaning(left), this.#meaning(right)];
    const op = arithmetic[operator];
    if (op) return this.#combined(op, [a, b], node);
    if (operator === '&&' || operator === '||') {
      const sides = [this.#truth(a, left), this.#truth(b, right)];
      return { kind: 'truth', id: this.#op(operator === '&&' ? 'And' : 'Or', ...sides) };
    }
    if (a.kind === 'truth') return this.#equality(operator, a.id, b.id);
    return this.#comparison(operator, this.#number(a, left), this.#number(b, right));
  }

  /** Number by number; two tensors only of one part, since parts are masked and not cut out. */
  #combined(op: 'Add' | 'Sub' | 'Mul' | 'Div', [a, b]: readonly [Meaning, Meaning], node: BinaryNode): Meaning {
    const id = (): ValueId => this.#op(op, a.id, b.id);
    if (a.kind === 'tensor' && b.kind === 'tensor' && a.over.key !== b.over.key)
      throw outside('arithmetic on different parts', node);
    if (a.kind === 'tensor') return { kind: 'tensor', id: id(), over: a.over };
    return b.kind === 'tensor' ? { kind: 'tensor', id: id(), over: b.over } : { kind: 'number', id: id() };
  }

  #equality(operator: BinaryNode['operator'], a: ValueId, b: ValueId): Meaning {
    const equal = this.#op('Equal', a, b);
    return { kind: 'truth', id: operator === '!=' ? this.#op('Not', equal) : equal };
  }

  /** `<=` is less or equal, not the contrary of greater: NaN is neither. */
  #comparison(operator: BinaryNode['operator'], a: ValueId, b: ValueId): Meaning {
    if (operator === '==' || operator === '!=') return this.#equality(operator, a, b);
    const strict = this.#op(operator.startsWith('<') ? 'Less' : 'Greater', a, b);
    return { kind: 'truth', id: operator.endsWith('=') ? this.#op('Or', strict, this.#op('Equal', a, b)) : strict };
  }

  #truth(meaning: Meaning, node: Expression): ValueId {
    if (meaning.kind === 'truth') return meaning.id;
    return this.#op('Not', this.#op('Equal', this.#number(meaning, node), this.#constant(0)));
  }

  /** One number; of a tensor, where its selector names one index of each axis, its only number, or NaN for none. */
  #number(meaning: Meaning, node: Expression): ValueId {
    if (meaning.kind !== 'tensor') return meaning.id;
    const { part } = meaning.over;
    const single = part.type.axes.every((axis, a) => {
      const index = part.node.where[axis];
      const one = typeof index === 'number' || (typeof index === 'object' && 'token' in index);
      return one || axis === 'batch' || part.type.shape[a] === 1;
    });
    if (!single) throw outside('a tensor of several numbers', node);
    return this.#mean(meaning.id, meaning.over);
  }
}

/**
 * The graph with an expression as one more output, in float32: so that a condition is seen while a segment runs. What is
 * near a bound may fall on the other side than in `evaluate`, which computes in float64: evaluate again where it holds.
 * @throws UsageError EXPRESSION_INVALID for what reads more than sites of this graph, or mixes different parts of them
 */
export const lowerExpression = (graph: Graph, expression: Expression, options: LoweringOptions): Lowered =>
  new Lowering(graph, options).lowered(expression);
