import { formatIndex, formatWhere } from '../selectors.js';
import { precedences, type BinaryNode, type BinaryOperator, type Expression, type TokenNode } from './expression.js';

/** How tight an operator binds: a higher number stands inside a lower one without brackets. */
const tightness = (operator: BinaryOperator): number =>
  precedences.findIndex((row) => (row as readonly string[]).includes(operator));
const unaryTightness = precedences.length;

const tightnessOf = (node: Expression): number => {
  if (node.kind === 'binary') return tightness(node.operator);
  return node.kind === 'unary' ? unaryTightness : unaryTightness + 1;
};

const inside = (node: Expression, least: number): string =>
  tightnessOf(node) < least ? `(${formatExpression(node)})` : formatExpression(node);

const formatBinary = ({ operator, left, right }: BinaryNode): string => {
  const own = tightness(operator);
  return `${inside(left, own)} ${operator} ${inside(right, own + 1)}`;
};

const formatNumber = (value: number): string =>
  Number.isNaN(value) ? 'nan' : value === Infinity ? 'inf' : String(value);

const formatScored = ({ by, token, position }: TokenNode): string =>
  `${by}(${JSON.stringify(token)})${position === undefined ? '' : ` at position ${formatIndex(position)}`}`;

/** The text that `parseExpression` reads back as the same tree; brackets only where they are needed. */
export const formatExpression = (node: Expression): string => {
  switch (node.kind) {
    case 'number':
      return formatNumber(node.value);
    case 'text':
      return JSON.stringify(node.text);
    case 'word':
      return node.word;
    case 'site':
      return node.site + formatWhere(node.where);
    case 'token':
      return formatScored(node);
    case 'reduce':
      return `${node.by}(${formatExpression(node.of)})`;
    case 'cosine':
      return `cosine(${formatExpression(node.left)}, ${formatExpression(node.right)})`;
    case 'unary':
      return node.operator + inside(node.of, unaryTightness);
    case 'binary':
      return formatBinary(node);
  }
};
