import { nearest, UsageError } from '../../base/index.js';
import { Scanner, type Source } from '../scanner.js';
import { scanToken, scanWhere, type TokenIndex } from '../selectors.js';
import { gradientName, toSiteName } from '../sites.js';
import { checkExpression } from './check.js';
import {
  expressionLimits,
  precedences,
  type BinaryOperator,
  type Expression,
  type TokenName,
  type TokenNode,
  type UnaryNode,
} from './expression.js';
import {
  constants,
  expressionFunctions,
  isReduction,
  isTokenFunction,
  isWord,
  type Reduction,
  type TokenFunction,
} from './functions.js';

const name = /[A-Za-z_][\w.#]*/y;
const unsigned = /(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?(?![\w.])/y;
/** One pattern for each row of operators. */
const binary = precedences.map((row) => new RegExp(row.map((o) => o.replaceAll(/[|+*]/g, '\\$&')).join('|'), 'y'));
const unary = /[-!]/y;
const functionNames = expressionFunctions.filter((f) => f.usage.includes('(')).map((f) => f.name);
/** A word of the language: no site is called so, in its short form either (`step#1` is short for `step`). */
const isReserved = (word: string): boolean =>
  isWord(word) || Object.hasOwn(constants, word) || functionNames.includes(word);
const operand = 'a number, a site, a function or `(`';

const source: Source = {
  code: 'EXPRESSION_SYNTAX',
  hint: 'An expression is such as prob(" Paris") < 0.5 && norm(blocks.0.attn.z) > 2; docs/expressions.md has all of it.',
};

const tooLarge = (message: string, column: number): UsageError =>
  new UsageError(`column ${column}: ${message}`, {
    code: 'EXPRESSION_INVALID',
    hint: 'Cut it into several expressions.',
    details: { column },
  });

/** Recursive descent, one function a kind of node; `#nested` holds the recursion within bounds. */
class Parser {
  #depth = 0;
  #nodes = 0;
  readonly #s: Scanner;

  constructor(text: string) {
    this.#s = new Scanner(text, source);
  }

  whole(): Expression {
    const expression = this.#binary(0);
    if (!this.#s.atEnd) throw this.#s.error('an operator or the end');
    return expression;
  }

  #made(node: Expression): Expression {
    if (++this.#nodes > expressionLimits.nodes)
      throw tooLarge(`more than ${expressionLimits.nodes} parts are too many`, node.column ?? 1);
    return node;
  }

  #nested<T>(scan: () => T): T {
    if (++this.#depth > expressionLimits.depth)
      throw tooLarge(`nesting of more than ${expressionLimits.depth} is too deep`, this.#s.column);
    const result = scan();
    this.#depth--;
    return result;
  }

  /** Operators of one row and of those that bind tighter. */
  #binary(row: number): Expression {
    const pattern = binary[row];
    if (!pattern) return this.#unary();
    const { column } = this.#s;
    let left = this.#binary(row + 1);
    for (;;) {
      const operator = this.#s.take(pattern)?.[0] as BinaryOperator | undefined;
      if (operator === undefined) return left;
      left = this.#made({ kind: 'binary', operator, left, right: this.#binary(row + 1), column });
    }
  }

  #unary(): Expression {
    const { column } = this.#s;
    const operator = this.#s.take(unary)?.[0] as UnaryNode['operator'] | undefined;
    if (operator === undefined) return this.#primary(column);
    return this.#made({ kind: 'unary', operator, of: this.#nested(() => this.#unary()), column });
  }

  #primary(column: number): Expression {
    const s = this.#s;
    if (s.eat('(')) return this.#closed(() => this.#binary(0));
    if (s.seesString()) return this.#made({ kind: 'text', text: s.string(), column });
    const number = s.take(unsigned)?.[0];
    if (number !== undefined) return this.#number(Number(number), column);
    const [word] = s.expectMatch(name, operand);
    return s.sees('(') ? this.#call(word, column) : this.#named(word, column);
  }

  /** What stands in brackets, of which the first is read. */
  #closed(scan: () => Expression): Expression {
    const inside = this.#nested(scan);
    if (!this.#s.eat(')')) throw this.#s.error('an operator or `)`');
    return inside;
  }

  #number(value: number, column: number): Expression {
    if (Number.isFinite(value)) return this.#made({ kind: 'number', value, column });
    throw this.#s.error('a number that is finite, or `inf`', column);
  }

  #named(word: string, column: number): Expression {
    if (isWord(word)) return this.#made({ kind: 'word', word, column });
    if (word === 'inf' || word === 'nan') return this.#made({ kind: 'number', value: constants[word], column });
    if (functionNames.includes(word)) throw this.#s.error(`\`(\` after ${word}`);
    const site = toSiteName(word);
    if (site === undefined || isReserved(site)) throw this.#s.error("a site's name such as blocks.3.attn.z", column);
    return this.#made({ kind: 'site', site, where: scanWhere(this.#s), column });
  }

  #call(word: string, column: number): Expression {
    const s = this.#s;
    if (!functionNames.includes(word)) {
      const near = nearest(word, functionNames).map((f) => `\`${f}\``);
      throw s.error(`a function such as ${near.join(', ')}`, column);
    }
    s.expect('(');
    if (isTokenFunction(word)) return this.#made(this.#scored(word, column));
    if (word === 'grad') return this.#made(this.#gradient(column));
    if (isReduction(word)) return this.#reduced(word, column);
    const left = this.#nested(() => this.#binary(0));
    if (!s.eat(',')) throw s.error('`,` and the other tensor');
    return this.#made({ kind: 'cosine', left, right: this.#closed(() => this.#binary(0)), column });
  }

  /** `grad(SITE)[selector]`: the gradient is read as a site of this name. */
  #gradient(column: number): Expression {
    const s = this.#s;
    const inner = s.column;
    const site = toSiteName(s.expectMatch(name, "a site's name")[0]);
    if (site === undefined || isReserved(site)) throw s.error("a site's name such as blocks.3.attn.z", inner);
    s.expect(')');
    return { kind: 'site', site: gradientName(site), where: scanWhere(s), column };
  }

  #reduced(by: Reduction, column: number): Expression {
    return this.#made({ kind: 'reduce', by, of: this.#closed(() => this.#binary(0)), column });
  }

  #scored(by: TokenFunction, column: number): TokenNode {
    const s = this.#s;
    const token = this.#token();
    s.expect(')');
    if (!s.eat('at position')) return { kind: 'token', by, token, column };
    return { kind: 'token', by, token, position: this.#position(), column };
  }

  #token(): TokenName {
    return this.#s.seesString() ? this.#s.string() : this.#s.count("a token's text in quotes, or its id");
  }

  #position(): number | TokenIndex {
    return this.#s.seesString() ? scanToken(this.#s) : this.#s.integer("a position, or a token's text in quotes");
  }
}

/**
 * Reads an expression, and checks what each of its parts works on.
 * @throws UsageError EXPRESSION_SYNTAX with the column, EXPRESSION_INVALID for what is too large or fits no type
 */
export const parseExpression = (text: string): Expression => {
  if (text.length > expressionLimits.characters)
    throw tooLarge(`a text of ${text.length} characters is too long`, expressionLimits.characters + 1);
  const expression = new Parser(text).whole();
  checkExpression(expression);
  return expression;
};
