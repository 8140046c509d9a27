import { UsageError } from '../../base/index.js';
import type { Breakpoint, DebugSession, Watched } from '../../debugger/index.js';
import {
  canonicalName,
  lowerExpression,
  placedSites,
  type Condition,
  type Instance,
  type Sequence,
} from '../../engine/index.js';
import { formatExpression, nodesOf, parseExpression, sitesOf, type Expression } from '../../language/index.js';
import type { Tensor } from '../../tensor/index.js';
import type { OpenModel } from '../open-model.js';
import { isInSomeLayer, localTree, type LocalSites } from './local-sites.js';
import { hashOf } from './watching.js';

/** What conditions inside a graph, and watched weights, ask of the model under the debugger. */
interface Debugged {
  readonly model: OpenModel;
  readonly session: DebugSession;
  /** What selectors are resolved against. */
  readonly sequence: Sequence;
  localIn(instance: Instance): LocalSites;
}

/** A weight as the instance that comes next reads it; undefined where it reads it not. */
export const weightValue = (debuggee: Debugged, name: string): (() => Promise<Watched | undefined>) => {
  const { segments } = debuggee.model.program;
  if (!segments.some((s) => s.graph.params.some((p) => p.name === name)))
    throw new UsageError(`no weight is called ${name}`, {
      code: 'WEIGHT_UNKNOWN',
      hint: '`list --weights` names all.',
    });
  const hashes = new WeakMap<Tensor, string>();
  return () => {
    const { instance, variant } = debuggee.session;
    if (!instance?.segment.graph.params.some((p) => p.name === name)) return Promise.resolve(undefined);
    const edited = variant.weights.get(name);
    if (!edited) return Promise.resolve('as in the file');
    const hash = hashes.get(edited) ?? hashOf(edited);
    hashes.set(edited, hash);
    return Promise.resolve(`edited ${hash}`);
  };
};

/** The tree with the layer's number in it. */
const withLayer = (node: Expression, layer: number): Expression => {
  switch (node.kind) {
    case 'word':
      return node.word === 'layer' ? { kind: 'number', value: layer } : node;
    case 'reduce':
    case 'unary':
      return { ...node, of: withLayer(node.of, layer) };
    case 'binary':
    case 'cosine':
      return { ...node, left: withLayer(node.left, layer), right: withLayer(node.right, layer) };
    default:
      return node;
  }
};

/** Where an expression's sites are, seen from an instance: all in it, all in later ones, or elsewhere. */
const sitesFrom = (debuggee: Debugged, tree: Expression, at: Instance): 'here' | 'later' | 'elsewhere' => {
  const { order } = debuggee.session.variant;
  const placed = new Map(placedSites(order).map((p) => [p.name, p.instance.name]));
  const indices = order.map((i) => i.name);
  const own = indices.indexOf(at.name);
  const found = sitesOf(tree).map(({ site }) =>
    indices.indexOf(placed.get(canonicalName(debuggee.model.program, site)) ?? ''),
  );
  if (found.every((i) => i === own)) return 'here';
  return found.every((i) => i > own) ? 'later' : 'elsewhere';
};

/** The condition of an expression inside an instance's graph. @throws UsageError EXPRESSION_INVALID */
const conditionIn = (debuggee: Debugged, tree: Expression, instance: Instance): Condition => {
  const { program } = debuggee.model;
  const names = new Map(
    placedSites(debuggee.session.variant.order)
      .filter((p) => p.instance.name === instance.name)
      .map((p) => [p.name, p.site.name]),
  );
  const nameOf = (site: string): string => names.get(canonicalName(program, site)) ?? site;
  const lower: Condition['lower'] = (graph, tag) => {
    const made = lowerExpression(graph, tree, { tag, nameOf });
    return { ...made, numbers: (rows) => made.numbers(rows, debuggee.sequence) };
  };
  lower(instance.segment.graph, 'condition'); // throws here what has no form
  return { key: formatExpression(tree), lower };
};

const loweredIn = (debuggee: Debugged, text: Expression, instance: Instance): ReturnType<Lowered> => {
  const { segment } = instance;
  const sites = debuggee.localIn(instance);
  const tree = localTree(text, sites);
  if (sitesOf(tree).some(({ site }) => isInSomeLayer(site, sites))) return 'never'; // of other layers alone
  if (segment.kind === 'head' || segment.stack === 'encoder') return undefined;
  const nodes = nodesOf(tree);
  const isOpen = nodes.some((n) => n.kind === 'word' && n.word !== 'layer') || nodes.some((n) => n.kind === 'token');
  if (isOpen || sitesOf(tree).length === 0) return undefined;
  const where = sitesFrom(debuggee, tree, instance);
  if (where === 'elsewhere') return undefined;
  if (where === 'later') return nodes.some((n) => n.kind === 'word') ? undefined : 'never';
  if (nodes.some((n) => n.kind === 'word') && segment.layer === undefined) return undefined;
  try {
    return conditionIn(debuggee, withLayer(tree, segment.layer ?? 0), instance);
  } catch (error) {
    if (error instanceof UsageError && error.info.code === 'EXPRESSION_INVALID') return undefined;
    throw error;
  }
};

type Lowered = NonNullable<Breakpoint['lowered']>;

/** A condition as part of the graphs of the instances that have its sites; kept until the experiment changes. */
export const loweredCondition = (debuggee: Debugged, text: string): Lowered => {
  const tree = parseExpression(text);
  let variant: unknown;
  const known = new Map<string, ReturnType<Lowered>>();
  return (instance) => {
    if (variant !== debuggee.session.variant) known.clear();
    variant = debuggee.session.variant;
    if (!known.has(instance.name)) known.set(instance.name, loweredIn(debuggee, tree, instance));
    return known.get(instance.name);
  };
};
