import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fencesOf, rowsUnder, textsIn } from '../../../test/support/markdown.js';
import {
  checkExpression,
  completeExpression,
  expressionFunctions,
  formatExpression,
  parseExpression,
  scoresOf,
  sitesOf,
  tokensOf,
  type Expression,
} from './index.js';

const page = readFileSync(new URL('../../../docs/expressions.md', import.meta.url), 'utf8');
const examples = fencesOf(page, 'expressions').join('').trimEnd().split('\n');

describe('docs/expressions.md', () => {
  it('has examples', () => {
    expect(examples.length).toBeGreaterThan(10);
  });

  it.each(examples)('%s is read, and written the same', (text) => {
    expect(formatExpression(parseExpression(text))).toBe(text);
  });

  it('lists every function and word with its meaning', () => {
    const rows = [...rowsUnder(page, 'Functions'), ...rowsUnder(page, 'Words')];
    const shown = rows.map(([usage = '', meaning]) => [textsIn(usage)[0], meaning]);
    expect(shown).toEqual(expressionFunctions.map(({ usage, meaning }) => [usage, meaning]));
  });

  it.each(rowsUnder(page, 'What is refused').map(([text = '', message = '']) => [textsIn(text)[0] ?? '', message]))(
    '%s is refused: %s',
    (text, message) => {
      expect(() => parseExpression(text)).toThrow(message);
    },
  );
});

const structure = (node: Expression): string => {
  switch (node.kind) {
    case 'binary':
      return `(${structure(node.left)} ${node.operator} ${structure(node.right)})`;
    case 'unary':
      return `(${node.operator}${structure(node.of)})`;
    default:
      return formatExpression(node);
  }
};

describe('precedence and grouping', () => {
  it.each([
    ['1 + 2 * 3', '(1 + (2 * 3))'],
    ['1 - 2 - 3', '((1 - 2) - 3)'],
    ['8 / 4 / 2', '((8 / 4) / 2)'],
    ['1-(2-3)', '(1 - (2 - 3))'],
    ['-1 * -2', '((-1) * (-2))'],
    ['1 < 2 == 3 < 4', '((1 < 2) == (3 < 4))'],
    ['1 < 2 || 3 < 4 && !(5 < 6)', '((1 < 2) || ((3 < 4) && (!(5 < 6))))'],
    ['1 + 1 <= 2 - 0 && step', '(((1 + 1) <= (2 - 0)) && step)'],
    ['!!step', '(!(!step))'],
    ['- - 3', '(-(-3))'],
    ['1>=2', '(1 >= 2)'],
  ])('%s is %s', (text, meant) => {
    expect(structure(parseExpression(text))).toBe(meant);
  });

  it('reads numbers as they are written in the field', () => {
    const values = ['3', '3.', '.5', '1e-3', '2.5E+2', 'inf', '1e21'].map(parseExpression);
    expect(values.map((v) => v.kind === 'number' && v.value)).toEqual([3, 3, 0.5, 0.001, 250, Infinity, 1e21]);
    expect(parseExpression('nan')).toEqual({ kind: 'number', value: NaN, column: 1 });
    expect(parseExpression('nan(embed)').kind).toBe('reduce');
  });

  it('takes both quotes, and escapes', () => {
    expect(parseExpression(`prob('"a"')`)).toEqual(parseExpression(String.raw`prob("\"a\"")`));
    expect(parseExpression('prob(318)')).toMatchObject({ token: 318 });
  });

  it('keeps the place of each part', () => {
    expect(parseExpression('  1 < max(embed)')).toMatchObject({
      column: 3,
      left: { column: 3 },
      right: { column: 7, of: { column: 11 } },
    });
  });
});

describe('errors', () => {
  it.each([
    ['', 'column 1: expected a number, a site, a function or `(`, found the end'],
    ['1 +', 'column 4: expected a number, a site, a function or `(`, found the end'],
    ['1 2', 'column 3: expected an operator or the end, found `2`'],
    ['a & b', 'column 3: expected an operator or the end, found `&`'],
    ['prob(" Paris)', 'column 6: expected a closing double quote'],
    ['prob(embed)', "column 6: expected a token's text in quotes, or its id, found `embed`"],
    ['prob(-1)', "column 6: expected a token's text in quotes, or its id, from 0"],
    ['prob(1) at position x', "column 21: expected a position, or a token's text in quotes, found `x`"],
    ['cosine(embed)', 'column 13: expected `,` and the other tensor, found `)`'],
    ['blocks..z', "column 1: expected a site's name such as blocks.3.attn.z"],
    ['embed[position=]', 'column 16: expected an integer'],
    ['embed[position=1', 'column 17: expected `,` or `]`, found the end'],
    ['1e999', 'column 1: expected a number that is finite, or `inf`'],
    ['3x', 'column 1: expected a number, a site, a function or `(`, found `3x`'],
  ])('%j: %s', (text, message) => {
    expect(() => parseExpression(text)).toThrow(message);
    expect(() => parseExpression(text)).toThrow(
      expect.objectContaining({ info: expect.objectContaining({ code: 'EXPRESSION_SYNTAX' }) as unknown }) as Error,
    );
  });

  it.each([
    ['(1 < 2) + 1', 'column 2: `+` takes numbers'],
    ['-(1 < 2)', 'column 3: `-` takes numbers'],
    ['max(1 < 2)', 'column 5: max takes numbers'],
    ['cosine(embed, !step)', 'column 15: cosine takes numbers'],
    ['(1 < 2) == 3', 'column 2: `==` takes numbers'],
    ['step == "a"', 'column 9: a token'],
    ['token < "a"', 'column 9: a token'],
    ['max("a")', 'column 5: a token'],
    [`${'('.repeat(101)}1${')'.repeat(101)}`, 'nesting of more than 100 is too deep'],
    [Array.from({ length: 501 }, () => '1').join('+'), 'more than 1000 parts are too many'],
    [' '.repeat(10_001), 'a text of 10001 characters is too long'],
  ])('%s', (text, message) => {
    expect(() => parseExpression(text)).toThrow(message);
    expect(() => parseExpression(text)).toThrow(
      expect.objectContaining({ info: expect.objectContaining({ code: 'EXPRESSION_INVALID' }) as unknown }) as Error,
    );
  });

  it('reads what is just within the limits', () => {
    expect(parseExpression(`${'('.repeat(100)}1${')'.repeat(100)}`).kind).toBe('number');
    expect(parseExpression('-'.repeat(100) + '1').kind).toBe('unary');
    const longest = Array.from({ length: 500 }, () => '1').join('+');
    expect(formatExpression(parseExpression(longest))).toBe(longest.replaceAll('+', ' + '));
  });
});

describe('types', () => {
  it.each([
    ['1 + step', 'scalar'],
    ['max(embed) * 2', 'scalar'],
    ['embed * 2', 'tensor'],
    ['-embed', 'tensor'],
    ['embed > 2', 'truth'],
    ['!embed', 'truth'],
    ['token != " the"', 'truth'],
    ['cosine(embed, embed)', 'scalar'],
    ['prob(" a")', 'scalar'],
    ['step && 1', 'truth'],
  ])('%s is a %s', (text, type) => {
    expect(checkExpression(parseExpression(text))).toBe(type);
  });

  it('does not take longer for conditions inside conditions', () => {
    const deep = '('.repeat(99) + '1 < 2' + ') == (1 < 2)'.repeat(99);
    expect(checkExpression(parseExpression(deep))).toBe('truth');
  });
});

describe('what an expression needs', () => {
  it('names sites and tokens in the order of the text', () => {
    const e = parseExpression('max(a.b[head=1]) < norm(c) + prob(" x") * rank(3) && token == " y" || prob(" x") > 1');
    expect(sitesOf(e)).toEqual([
      { site: 'a.b', where: { head: 1 } },
      { site: 'c', where: {} },
    ]);
    expect(tokensOf(e)).toEqual([' x', 3, ' y']);
  });

  it.each([
    ['max(embed)', 'none', false],
    ['entropy', 'last', false],
    ['prob(1)', 'last', false],
    ['prob(1) at position 0', 'all', false],
    ['loss', 'all', false],
    ['lens_prob(1) at position 0', 'none', true],
    ['lens_rank(1) + rank(1)', 'last', true],
  ])('%s: scores %s, lens %s', (text, logits, lens) => {
    expect(scoresOf(parseExpression(text))).toEqual({ logits, lens });
  });
});

describe('completion', () => {
  const sites = [
    { name: 'embed', axes: ['batch', 'position', 'model'] },
    { name: 'blocks.0.attn.pattern', axes: ['batch', 'head', 'query', 'key'] },
    { name: 'blocks.0.attn.z', axes: ['batch', 'position', 'head', 'headDim'] },
  ];
  const at = (text: string, column = text.length + 1) => completeExpression(text, column, { sites });
  const texts = (text: string, column?: number): string[] => at(text, column).map((c) => c.text);

  it('offers functions, words and sites', () => {
    expect(texts('1 + no')).toEqual(['norm(']);
    expect(texts('e')).toEqual(['entropy', 'embed']);
    expect(texts('max(blocks.0.attn.')).toEqual(['blocks.0.attn.pattern', 'blocks.0.attn.z']);
    expect(texts('')).toHaveLength(expressionFunctions.length + sites.length);
    expect(at('1 + no')[0]).toMatchObject({ kind: 'function', from: 5 });
    expect(texts('step < le && x', 10)).toEqual(['lens_prob(', 'lens_rank(']);
  });

  it('offers the axes of a site in its selector, and nothing behind `=` or in a text', () => {
    expect(texts('max(blocks.0.attn.pattern[')).toEqual(['batch=', 'head=', 'query=', 'key=']);
    expect(texts('blocks.0.attn.pattern[head=1, qu')).toEqual(['query=']);
    expect(texts('blocks.0.attn.pattern[head=')).toEqual([]);
    expect(texts('unknown[')).toEqual([]);
    expect(texts('prob(" Par')).toEqual([]);
    expect(texts('embed[position=" a["] + no')).toEqual(['norm(']);
    expect(texts('embed[position=1] < blocks.0.attn.z')).toEqual(['blocks.0.attn.z']);
  });
});
