import { UsageError } from '../base/index.js';
import type { Breakpoint, DebugSession, ExceptionFilter, Watched } from '../debugger/index.js';
import {
  canonicalName,
  lowerExpression,
  placedSites,
  type Condition,
  type ExpressionValue,
  type Instance,
  type Sequence,
} from '../engine/index.js';
import { formatExpression, nodesOf, parseExpression, sitesOf, type Expression } from '../language/index.js';
import type { Tensor } from '../tensor/index.js';
import type { OpenModel } from './open-model.js';

/** What points ask of the model under the debugger. */
export interface Debugged {
  readonly model: OpenModel;
  readonly session: DebugSession;
  /** What selectors are resolved against. */
  readonly sequence: Sequence;
  evaluate(expression: Expression): Promise<ExpressionValue>;
  /** @throws UsageError SITE_UNKNOWN */
  checkSite(site: string): string;
  /** A token by its text in quotes, or its id. */
  token(name: string): Promise<{ readonly token: number; readonly text: string }>;
}

/** Is this a value that is only not there yet? */
export const isNotYet = (error: unknown): boolean =>
  error instanceof UsageError && error.info.code === 'SITE_NOT_CAPTURED';

/** FNV-1a over the bytes, to tell one tensor from another. @source RFC draft-eastlake-fnv */
const hashOf = ({ data }: Pick<Tensor, 'data'>): string => {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
};

/** Does it ask for the layer where the run is in none? */
export const isOutside = ({ session }: Pick<Debugged, 'session'>, tree: Expression): boolean =>
  session.instance?.segment.layer === undefined && nodesOf(tree).some((n) => n.kind === 'word' && n.word === 'layer');

const watchedOf = (value: ExpressionValue): Watched => {
  if (typeof value !== 'object') return value;
  if (value.data.length === 1) return value.data[0] ?? NaN;
  return `[${value.shape.join(', ')}] ${hashOf(value)}`;
};

/** Does it change while a step runs, once it is known? */
const moves = (tree: Expression): boolean =>
  nodesOf(tree).some(
    (n) => (n.kind === 'word' && n.word === 'layer') || (n.kind === 'token' && n.by.startsWith('lens_')),
  );

const invalid = (message: string, hint: string): UsageError =>
  new UsageError(message, { code: 'COMMAND_INVALID', hint });

/** A weight as the instance that comes next reads it; undefined where it reads it not. */
const weightValue = (debuggee: Debugged, name: string): (() => Promise<Watched | undefined>) => {
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

/**
 * What a data breakpoint watches: an expression, or `weight NAME`. What does not change within a step is evaluated
 * once a step.
 * @throws UsageError EXPRESSION_*, SITE_UNKNOWN, WEIGHT_UNKNOWN
 */
export const watchedValue = (debuggee: Debugged, text: string): (() => Promise<Watched | undefined>) => {
  const weight = /^weight\s+(\S+)$/.exec(text.trim())?.[1];
  if (weight !== undefined) return weightValue(debuggee, weight);
  const tree = parseExpression(text);
  checkSites(debuggee, tree);
  const lasts = !moves(tree);
  let known: { readonly variant: unknown; readonly step: number; readonly value: Watched } | undefined;
  return async () => {
    const { variant, position } = debuggee.session;
    if (isOutside(debuggee, tree)) return undefined;
    if (lasts && known?.variant === variant && known.step === position.step) return known.value;
    try {
      const value = watchedOf(await debuggee.evaluate(tree));
      known = { variant, step: position.step, value };
      return value;
    } catch (error) {
      if (isNotYet(error)) return undefined;
      throw error;
    }
  };
};

const checkSites = (debuggee: Debugged, tree: Expression): void => {
  for (const { site } of sitesOf(tree)) debuggee.checkSite(site);
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

const loweredIn = (debuggee: Debugged, tree: Expression, instance: Instance): ReturnType<Lowered> => {
  const { segment } = instance;
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

/** What stands in braces, quotes inside it honoured. */
const braced = /\{((?:[^{}"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*)\}/g;

/**
 * A text with expressions in braces, as a log point writes it.
 * @throws UsageError EXPRESSION_* for an expression that cannot be read
 */
export const logText = (
  debuggee: Debugged,
  template: string,
  shown: (value: ExpressionValue) => string,
): (() => Promise<string>) => {
  const parts = template.split(braced).map((part, i) => (i % 2 === 0 ? part : parseExpression(part)));
  for (const part of parts) if (typeof part !== 'string') checkSites(debuggee, part);
  const told = async (part: Expression): Promise<string> => {
    if (isOutside(debuggee, part)) return '–';
    return debuggee.evaluate(part).then(shown, (error: unknown) => {
      if (isNotYet(error)) return '–';
      throw error;
    });
  };
  return async () => {
    const texts: string[] = [];
    for (const part of parts) texts.push(typeof part === 'string' ? part : await told(part));
    return texts.join('');
  };
};

const collapsed = 0.1;

/**
 * `nan`, `inf`, `overflow16`, `repetition`, `entropy [NATS]`, `lost TOKEN` (a text in quotes, or an id).
 * @throws UsageError COMMAND_INVALID, AMBIGUOUS_TOKEN
 */
export const exceptionFilter = async (debuggee: Debugged, text: string): Promise<ExceptionFilter> => {
  const [, kind = '', rest = ''] = /^\s*(\S*)\s*(.*?)\s*$/s.exec(text) ?? [];
  switch (kind) {
    case 'nan':
    case 'inf':
    case 'overflow16':
    case 'repetition':
      if (rest === '') return { kind };
      throw invalid(`${kind} takes nothing after it`, `catch ${kind}`);
    case 'entropy': {
      const below = rest === '' ? collapsed : Number(rest);
      if (below > 0 && Number.isFinite(below)) return { kind, below };
      throw invalid('entropy is compared with a number of nats', 'catch entropy 0.5');
    }
    case 'lost':
      return { kind, ...(await debuggee.token(rest)) };
    default:
      throw invalid(
        kind === '' ? 'catch what?' : `there is no exception ${kind}`,
        'catch nan, inf, overflow16, repetition, entropy [NATS], or lost TOKEN',
      );
  }
};
