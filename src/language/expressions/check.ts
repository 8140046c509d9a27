import { invalidExpression, nodesOf, type BinaryNode, type Expression } from './expression.js';

/** What an expression gives: one number, numbers with a shape, or yes and no. */
export type ExpressionType = 'scalar' | 'tensor' | 'truth';

const arithmetic = ['+', '-', '*', '/'];
const logic = ['&&', '||'];

const isToken = (node: Expression): boolean => node.kind === 'word' && node.word === 'token';

/** A token's text stands beside `token ==` and nowhere else. */
const isTokenTest = ({ operator, left, right }: BinaryNode): boolean => {
  if (operator !== '==' && operator !== '!=') return false;
  return (isToken(left) && right.kind === 'text') || (left.kind === 'text' && isToken(right));
};

/** Refuses what is true or false where a number is meant. */
const numeric = (type: ExpressionType, node: Expression, by: string): 'scalar' | 'tensor' => {
  if (type !== 'truth') return type;
  throw invalidExpression(
    `${by} takes numbers, and this is true or false`,
    'Join conditions with &&, || and !, as in a < b && b < c.',
    node,
  );
};

const binaryType = (node: BinaryNode): ExpressionType => {
  if (isTokenTest(node)) return 'truth';
  const { operator, left, right } = node;
  const [first, second] = [typeOf(left), typeOf(right)];
  if (logic.includes(operator)) return 'truth';
  const equality = operator === '==' || operator === '!=';
  if (equality && first === 'truth' && second === 'truth') return 'truth';
  const types = [numeric(first, left, `\`${operator}\``), numeric(second, right, `\`${operator}\``)];
  if (!arithmetic.includes(operator)) return 'truth';
  return types.includes('tensor') ? 'tensor' : 'scalar';
};

const typeOf = (node: Expression): ExpressionType => {
  switch (node.kind) {
    case 'number':
    case 'word':
    case 'token':
      return 'scalar';
    case 'site':
      return 'tensor';
    case 'text':
      throw invalidExpression(
        "a token's text stands for no number here",
        'Write it inside a function, as in prob(" Paris"), or beside token, as in token == " Paris".',
        node,
      );
    case 'reduce':
      numeric(typeOf(node.of), node.of, node.by);
      return 'scalar';
    case 'cosine':
      for (const side of [node.left, node.right]) numeric(typeOf(side), side, 'cosine');
      return 'scalar';
    case 'unary':
      if (node.operator === '-') return numeric(typeOf(node.of), node.of, '`-`');
      typeOf(node.of);
      return 'truth';
    case 'binary':
      return binaryType(node);
  }
};

/**
 * The type of what an expression gives. Whether a tensor has one number only, and so can be compared, its values say.
 * @throws UsageError EXPRESSION_INVALID with the column
 */
export const checkExpression = (expression: Expression): ExpressionType => {
  nodesOf(expression);
  return typeOf(expression);
};
