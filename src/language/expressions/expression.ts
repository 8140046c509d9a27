import { UsageError } from '../../base/index.js';
import type { Selector, TokenIndex, Where } from '../selectors.js';
import type { SiteName } from '../sites.js';
import type { Reduction, TokenFunction, Word } from './functions.js';

/** Loosest first, as in C; those of a row bind equally and from the left. */
export const precedences = [['||'], ['&&'], ['==', '!='], ['<=', '>=', '<', '>'], ['+', '-'], ['*', '/']] as const;
export type BinaryOperator = (typeof precedences)[number][number];

/** A token by its text, as the tokenizer has it, or its id. */
export type TokenName = string | number;

/** Where a node begins in its text, from 1; left out in a tree that was made otherwise. */
interface Placed {
  readonly column?: number;
}
/** From 0 on or NaN: `-3` is a minus before 3. */
export interface NumberNode extends Placed {
  readonly kind: 'number';
  readonly value: number;
}
/** A token's text, beside `token ==`. */
export interface TextNode extends Placed {
  readonly kind: 'text';
  readonly text: string;
}
export interface WordNode extends Placed {
  readonly kind: 'word';
  readonly word: Word;
}
export interface SiteNode extends Placed {
  readonly kind: 'site';
  readonly site: SiteName;
  readonly where: Where;
}
export interface TokenNode extends Placed {
  readonly kind: 'token';
  readonly by: TokenFunction;
  readonly token: TokenName;
  /** Left out: the last. */
  readonly position?: number | TokenIndex;
}
export interface ReduceNode extends Placed {
  readonly kind: 'reduce';
  readonly by: Reduction;
  readonly of: Expression;
}
export interface CosineNode extends Placed {
  readonly kind: 'cosine';
  readonly left: Expression;
  readonly right: Expression;
}
export interface UnaryNode extends Placed {
  readonly kind: 'unary';
  readonly operator: '-' | '!';
  readonly of: Expression;
}
export interface BinaryNode extends Placed {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
}

/** The tree of an expression. */
export type Expression =
  NumberNode | TextNode | WordNode | SiteNode | TokenNode | ReduceNode | CosineNode | UnaryNode | BinaryNode;

/** Bounds of what is read and evaluated. */
export const expressionLimits = { characters: 10_000, depth: 100, nodes: 1000 } as const;

const childrenOf = (node: Expression): readonly Expression[] => {
  if (node.kind === 'reduce' || node.kind === 'unary') return [node.of];
  return node.kind === 'binary' || node.kind === 'cosine' ? [node.left, node.right] : [];
};

/** An error about a tree, with the place of its node where it has one; to be thrown. */
export const invalidExpression = (message: string, hint: string, node?: Placed): UsageError => {
  const place = node?.column === undefined ? '' : `column ${node.column}: `;
  const details = node?.column === undefined ? {} : { details: { column: node.column } };
  return new UsageError(place + message, { code: 'EXPRESSION_INVALID', hint, ...details });
};

/**
 * All nodes, from the left, the outer ones first.
 * @throws UsageError EXPRESSION_INVALID for a tree beyond the limits
 */
export const nodesOf = (expression: Expression): readonly Expression[] => {
  const nodes: Expression[] = [];
  const open: Expression[] = [expression];
  for (let node = open.pop(); node; node = open.pop()) {
    nodes.push(node);
    if (nodes.length > expressionLimits.nodes)
      throw invalidExpression(
        `an expression of more than ${expressionLimits.nodes} parts is too large`,
        'Cut it into several.',
      );
    open.push(...childrenOf(node).toReversed());
  }
  return nodes;
};

/** The same tree with other nodes in place of its leaves. */
export const mapLeaves = (node: Expression, by: (leaf: Expression) => Expression): Expression => {
  switch (node.kind) {
    case 'reduce':
    case 'unary':
      return { ...node, of: mapLeaves(node.of, by) };
    case 'binary':
    case 'cosine':
      return { ...node, left: mapLeaves(node.left, by), right: mapLeaves(node.right, by) };
    default:
      return by(node);
  }
};

/** The sites that an expression reads, with what it chooses of them, in the order of the text. */
export const sitesOf = (expression: Expression): readonly Selector[] =>
  nodesOf(expression).flatMap((n) => (n.kind === 'site' ? [{ site: n.site, where: n.where }] : []));

/** The tokens that it names, each once: a text is to be turned into an id before it is evaluated. */
export const tokensOf = (expression: Expression): readonly TokenName[] => [
  ...new Set(nodesOf(expression).flatMap((n) => (n.kind === 'token' ? [n.token] : n.kind === 'text' ? [n.text] : []))),
];

/** What a run has to keep besides sites for an expression to be evaluated. */
export interface ScoresNeeded {
  /** Which rows of scores: of the last position or of all. */
  readonly logits: 'none' | 'last' | 'all';
  /** Whether what the model would say if it ended here is read. */
  readonly lens: boolean;
}

const isLens = (node: Expression): boolean => node.kind === 'token' && node.by.startsWith('lens_');

/** Which scores an expression reads. */
export const scoresOf = (expression: Expression): ScoresNeeded => {
  const nodes = nodesOf(expression);
  const all = nodes.some(
    (n) => (n.kind === 'word' && n.word === 'loss') || (n.kind === 'token' && !isLens(n) && n.position !== undefined),
  );
  const last = nodes.some((n) => (n.kind === 'word' && n.word === 'entropy') || (n.kind === 'token' && !isLens(n)));
  return { logits: all ? 'all' : last ? 'last' : 'none', lens: nodes.some(isLens) };
};
