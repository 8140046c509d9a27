import { UsageError } from '../../base/index.js';
import {
  canonicalName,
  evaluate,
  placedSites,
  unknownSite,
  type ExpressionToken,
  type ExpressionValues,
  type Instance,
  type Prompt,
  type SweptRun,
} from '../../engine/index.js';
import type { Program } from '../../graph/index.js';
import {
  formatExpression,
  invalidExpression,
  nodesOf,
  resolveSelector,
  scoresOf,
  sitesOf,
  tokensOf,
  type Expression,
} from '../../language/index.js';

/** What a metric is read with. */
export interface MetricRequest {
  readonly program: Program;
  readonly order: readonly Instance[];
  readonly prompt: Prompt;
  /** The tokens that a text is cut into, none added. */
  readonly encode: (text: string) => Promise<readonly ExpressionToken[]>;
}

/** A number that each run of a sweep has. */
export interface Metric {
  readonly expression: Expression;
  /** Positions whose scores it reads. */
  readonly positions: readonly number[];
  /** Tokens whose scores it reads there; undefined: it needs all. */
  readonly tokens: readonly number[] | undefined;
  /** Sites that it reads, by their names in the run order. */
  readonly sites: readonly string[];
  /** @throws UsageError AMBIGUOUS_TOKEN, ID_OUT_OF_RANGE, SELECTOR_INVALID, EXPRESSION_INVALID */
  readonly of: (run: SweptRun) => number;
}

const tokensIn = ({ ids, tokens }: Pick<Prompt, 'ids' | 'tokens'>): readonly ExpressionToken[] =>
  ids.map((id, i) => ({ id, text: tokens[i]?.text ?? '' }));

/** The positions whose scores an expression reads. @throws UsageError SELECTOR_INVALID */
const positionsIn = (expression: Expression, { tokens, ids }: Prompt): readonly number[] => {
  const last = ids.length - 1;
  if (scoresOf(expression).logits === 'none') return [];
  const positions = nodesOf(expression).flatMap((node) => {
    if (node.kind === 'word' && node.word === 'loss') return ids.map((_, i) => i);
    if (node.kind === 'word' && node.word === 'entropy') return [last];
    if (node.kind !== 'token') return [];
    const { position } = node;
    const value = { name: 'the sequence', axes: ['position'], shape: [ids.length], tokens };
    const first = position === undefined ? last : (resolveSelector({ position }, value).get('position')?.[0] ?? last);
    // log probabilities of several tokens in a row read the scores that follow, too
    const more = node.by === 'logprob' && typeof node.token === 'string' ? ids.length - first : 1;
    return Array.from({ length: Math.max(1, more) }, (_, i) => first + i);
  });
  return [...new Set(positions)].sort((a, b) => a - b);
};

/** The sites that an expression reads. @throws UsageError SITE_UNKNOWN, OPTION_INVALID */
const sitesIn = (expression: Expression, { program, order }: MetricRequest): ReadonlyMap<string, string> => {
  const places = new Map(placedSites(order).map((p) => [p.name, p]));
  return new Map(
    sitesOf(expression).map(({ site }) => {
      const name = canonicalName(program, site);
      const place = places.get(name);
      if (!place) throw unknownSite(site, [...places.keys(), ...program.facts.aliases.keys()]);
      if (place.instance.segment.kind === 'head')
        throw new UsageError(`${site} is in the head, which a sweep reads as scores alone`, {
          code: 'OPTION_INVALID',
          hint: 'Ask for scores, as in logit(" a") - logit(" b"), prob(" a") or entropy, or for a site of a layer.',
        });
      return [site, name] as const;
    }),
  );
};

/** @throws UsageError EXPRESSION_INVALID */
const checkScalar = (expression: Expression): void => {
  if (scoresOf(expression).lens)
    throw invalidExpression(
      'what the model would say if it ended earlier is not read in a sweep',
      'Use logit, prob, logprob, rank, entropy or loss, or a site.',
    );
};

const labelHint = 'Name the label by its number, as in logit(1) - logit(0).';

const textsOf = async (expression: Expression, { encode, program }: MetricRequest) => {
  const texts = new Map<string, readonly ExpressionToken[]>();
  for (const token of tokensOf(expression)) {
    if (typeof token !== 'string') continue;
    if (program.facts.output === 'labels') throw invalidExpression('this model scores labels, not words', labelHint);
    texts.set(token, await encode(token));
  }
  return texts;
};

/** The tokens of an expression that reads single scores and nothing that all of them are needed for. */
const tokensRead = (
  expression: Expression,
  texts: ReadonlyMap<string, readonly ExpressionToken[]>,
  { facts: { vocab, output } }: Program,
): readonly number[] | undefined => {
  if (output === 'labels') return undefined;
  const ids = new Set<number>();
  for (const node of nodesOf(expression)) {
    if (node.kind === 'word' && (node.word === 'loss' || node.word === 'entropy')) return undefined;
    if (node.kind !== 'token') continue;
    const named = typeof node.token === 'string' ? texts.get(node.token)?.map((t) => t.id) : [node.token];
    const [id = -1] = named?.length === 1 ? named : [];
    if (node.by !== 'logit' || id < 0 || id >= vocab) return undefined; // what is no token is an error where it is read
    ids.add(id);
  }
  return ids.size === 0 ? undefined : [...ids];
};

/**
 * An expression as a number of each run.
 * @throws UsageError EXPRESSION_INVALID, SITE_UNKNOWN, SELECTOR_INVALID, OPTION_INVALID
 */
export const metricOf = async (expression: Expression, request: MetricRequest): Promise<Metric> => {
  checkScalar(expression);
  const { prompt, order, program } = request;
  const sites = sitesIn(expression, request);
  const types = new Map(placedSites(order).map((p) => [p.name, p.type]));
  const texts = await textsOf(expression, request);
  const valuesOf = (run: SweptRun): ExpressionValues => ({
    site: (name) => {
      const placed = sites.get(name);
      return placed === undefined ? undefined : { tensor: run.site(placed), axes: types.get(placed)?.axes ?? [] };
    },
    tokens: tokensIn(prompt),
    ...(prompt.source ? { sourceTokens: tokensIn(prompt.source) } : {}),
    length: prompt.ids.length,
    logits: run.logits,
    logit: run.logit,
    encode: (text) => texts.get(text) ?? [],
    step: 0,
  });
  const of = (run: SweptRun): number => {
    const value = evaluate(expression, valuesOf(run));
    if (typeof value === 'object')
      throw invalidExpression(
        `a metric is one number, and ${formatExpression(expression)} is a tensor of [${value.shape.join(', ')}]`,
        'Choose one number with a selector, or reduce it: mean(...), norm(...), max(...).',
      );
    return Number(value);
  };
  return {
    expression,
    positions: positionsIn(expression, prompt),
    tokens: tokensRead(expression, texts, program),
    sites: [...new Set(sites.values())],
    of,
  };
};
