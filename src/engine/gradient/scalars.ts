import { bug, UsageError } from '../../base/index.js';
import type { Program } from '../../graph/index.js';
import { scoresOf, sitesOf, tokensOf, type Expression, type SiteName } from '../../language/index.js';
import { range, type Tensor } from '../../tensor/index.js';
import { canonicalName, placedSites, unknownSite, type PlacedSite, type Prompt } from '../experiment/index.js';
import { evaluate, numberOf, type ExpressionToken, type ExpressionValues } from '../expressions/index.js';
import type { Compilations } from '../run/compiled.js';
import { forward } from '../run/forward.js';
import type { ForwardRequest } from '../run/request.js';

/** One sequence, and a scalar of it. */
export interface ScalarItem {
  readonly expression: Expression;
  readonly prompt: Prompt;
}

/** Turns a text into tokens, none added. */
export type Encode = (text: string) => Promise<readonly ExpressionToken[]>;

const tokensIn = ({ ids, tokens }: Pick<Prompt, 'ids' | 'tokens'>): readonly ExpressionToken[] =>
  ids.map((id, i) => ({ id, text: tokens[i]?.text ?? '' }));

/** The part of a value that belongs to one sequence. */
export const ofItem = <T extends Tensor>(tensor: T, item: number): T =>
  tensor.shape[0] === 1 ? tensor : range(tensor, 0, [item, item + 1]);

/** One sequence's rows of scores in a pass, by position: the last, all, or of a classifier the only one. */
const rowOf = (logits: Tensor<'float32'>, position: number, last: number): Float32Array | undefined => {
  if (logits.shape.length === 2) return logits.data;
  const rows = logits.shape[1] ?? 0;
  if (rows === 1) return position === last ? logits.data : undefined;
  return position < rows ? range(logits, 1, [position, position + 1]).data : undefined;
};

/** The tokens of all texts that the scalars name. @throws UsageError EXPRESSION_INVALID of a classifier */
export const textsOf = async (
  { items, encode }: { readonly items: readonly ScalarItem[]; readonly encode?: Encode | undefined },
  { facts }: Program,
): Promise<ReadonlyMap<string, readonly ExpressionToken[]>> => {
  const texts = new Map<string, readonly ExpressionToken[]>();
  for (const token of items.flatMap(({ expression }) => tokensOf(expression))) {
    if (typeof token !== 'string' || texts.has(token)) continue;
    if (facts.output === 'labels')
      throw new UsageError('this model scores labels, not words', {
        code: 'EXPRESSION_INVALID',
        hint: 'Name the label by its number, as in logit(1) or logits[label=1].',
      });
    texts.set(token, (await encode?.(token)) ?? []);
  }
  return texts;
};

const rowsNeeded = ['none', 'last', 'all'] as const;

/** Which rows of scores the scalars of several sequences read. */
export const scoresNeeded = (items: readonly ScalarItem[]): (typeof rowsNeeded)[number] => {
  const each = items.map(({ expression }) => rowsNeeded.indexOf(scoresOf(expression).logits));
  return rowsNeeded[Math.max(...each)] ?? 'none';
};

/** @throws BugError INTERNAL */
export const checkLengths = (items: readonly ScalarItem[]): ScalarItem => {
  const lengths = new Set(items.map(({ prompt }) => `${prompt.ids.length} ${prompt.source?.ids.length ?? 0}`));
  const [first] = items;
  if (!first || lengths.size > 1) throw bug('a batch is of sequences of equal length');
  return first;
};

/** What one sequence of a pass gives an expression. */
export const itemValues = ({
  prompt,
  texts,
  site,
  logits,
}: {
  readonly prompt: Prompt;
  readonly texts: ReadonlyMap<string, readonly ExpressionToken[]>;
  readonly site: ExpressionValues['site'];
  readonly logits: Tensor<'float32'> | undefined;
}): ExpressionValues => {
  const last = prompt.ids.length - 1;
  return {
    site,
    tokens: tokensIn(prompt),
    ...(prompt.source ? { sourceTokens: tokensIn(prompt.source) } : {}),
    length: prompt.ids.length,
    logits: (position) => logits && rowOf(logits, position, last),
    encode: (text) => texts.get(text) ?? [],
    step: 0,
  };
};

export interface ScalarBatchRequest extends Pick<ForwardRequest, 'variant' | 'onSegment'> {
  /** At least one; prompts of equal length, which run together. */
  readonly items: readonly ScalarItem[];
  /** Needed where an expression names a token by its text. */
  readonly encode?: Encode;
}

/**
 * What scalars are, each of its own sequence; one pass.
 * @throws UsageError as `evaluate`, SITE_UNKNOWN
 */
export const scalarBatch = async (
  model: { readonly program: Program; readonly compilations: Compilations },
  { variant, items, encode, onSegment }: ScalarBatchRequest,
): Promise<readonly number[]> => {
  const { source } = checkLengths(items).prompt;
  const places = new Map(placedSites(variant.order).map((p) => [p.name, p]));
  const placed = (name: SiteName): PlacedSite => {
    const place = places.get(canonicalName(model.program, name));
    if (!place) throw unknownSite(name, [...places.keys(), ...model.program.facts.aliases.keys()]);
    return place;
  };
  const reads = items.flatMap(({ expression }) => sitesOf(expression).map(({ site }) => placed(site).name));
  const texts = await textsOf({ items, encode }, model.program);
  const { logits, sites } = await forward(model, {
    ...{ variant, ids: items.map((i) => i.prompt.ids), capture: new Set(reads), logits: scoresNeeded(items) },
    ...(source ? { source: items.map((i) => i.prompt.source?.ids ?? []) } : {}),
    ...(onSegment ? { onSegment } : {}),
    sparing: true,
  });
  return items.map(({ expression, prompt }, item) => {
    const site = (name: SiteName) => {
      const { name: found, type } = placed(name);
      const tensor = sites.get(found);
      return tensor && { tensor: ofItem(tensor, item), axes: type.axes };
    };
    const values = itemValues({ prompt, texts, site, logits: logits && ofItem(logits, item) });
    return numberOf(evaluate(expression, values), expression);
  });
};
