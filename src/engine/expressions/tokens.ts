import { UsageError } from '../../base/index.js';
import { invalidExpression, type TokenName, type TokenNode } from '../../language/index.js';
import type { ExpressionToken, ExpressionValues } from './values.js';

type Node = Pick<TokenNode, 'column'> & { readonly by: string };

const quoted = (text: string): string => JSON.stringify(text.slice(0, 60));
const place = ({ column }: Node): string => (column === undefined ? '' : `column ${column}: `);

/** The tokens that a name stands for: one of an id, at least one of a text. */
export const namedTokens = (
  name: TokenName,
  node: Node,
  { encode }: Pick<ExpressionValues, 'encode'>,
): readonly ExpressionToken[] => {
  if (typeof name === 'number') return [{ id: name, text: String(name) }];
  const tokens = encode(name);
  if (tokens.length > 0) return tokens;
  throw invalidExpression(
    `the tokenizer makes no token of ${quoted(name)}`,
    'Give a text that is a token, or an id: `cutaway tokenize MODEL --text T` shows how a text is cut.',
    node,
  );
};

/** The error for a text of several tokens where one is meant; to be thrown. */
export const severalTokens = (name: TokenName, node: Node, tokens: readonly ExpressionToken[]): UsageError => {
  const pieces = tokens.slice(0, 8).map((t) => quoted(t.text));
  const text = quoted(String(name));
  const [first = ''] = pieces;
  const offer = node.by === 'token' ? `token == ${first}` : `${node.by}(${first})`;
  const whole = node.by === 'logprob' ? 'run the prompt with that text behind it' : `logprob(${text}) of the sequence`;
  return new UsageError(`${place(node)}${text} is ${tokens.length} tokens: ${pieces.join(' ')}`, {
    code: 'AMBIGUOUS_TOKEN',
    hint: `Ask for the first, ${offer}, or ${whole}.`,
    details: { token: String(name).slice(0, 60), ids: tokens.slice(0, 8).map((t) => t.id) },
  });
};

/**
 * The id of the one token that a name stands for.
 * @throws UsageError AMBIGUOUS_TOKEN for a text of several
 */
export const oneToken = (name: TokenName, node: Node, values: Pick<ExpressionValues, 'encode'>): number => {
  const [first, ...others] = namedTokens(name, node, values);
  if (first && others.length === 0) return first.id;
  throw severalTokens(name, node, first ? [first, ...others] : []);
};
