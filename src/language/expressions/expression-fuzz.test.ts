import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../base/index.js';
import {
  completeExpression,
  expressionFunctions,
  formatExpression,
  parseExpression,
  precedences,
  type Expression,
} from './index.js';

/** A tree without the places. */
const bare = (node: Expression): unknown =>
  JSON.parse(
    JSON.stringify(node, (key, v: unknown) => (key === 'column' ? undefined : Object.is(v, Infinity) ? 'inf' : v)),
  );

const anyText = fc.string({ unit: 'binary', maxLength: 12 });
const site = fc
  .tuple(fc.nat({ max: 99 }), fc.constantFrom('', '#2'), fc.stringMatching(/^[a-z_]\w{0,6}$/))
  .map(([layer, instance, local]) => `blocks.${layer}${instance}.${local}`);
const index = fc.oneof(
  fc.integer({ min: -9, max: 99 }),
  fc.record({ from: fc.nat({ max: 9 }), to: fc.integer({ min: -3, max: 99 }) }),
  fc.array(fc.nat({ max: 99 }), { minLength: 1, maxLength: 3 }),
  fc.record({ token: anyText, occurrence: fc.constantFrom(1, 'last') }, { requiredKeys: ['token'] }),
);
const position = fc.oneof(fc.integer({ min: -9, max: 99 }), fc.record({ token: anyText }));
const token = fc.oneof(anyText, fc.nat());
const number = fc.double({ min: 0, noNaN: true });
const of = (kinds: readonly string[]) => fc.constantFrom(...kinds);

/** Trees of numbers and of conditions, with all kinds of nodes. */
const trees = fc.letrec((tie) => ({
  leaf: fc.oneof(
    fc.record({ kind: fc.constant('number'), value: number.map((x) => (x === 0 ? 0 : x)) }),
    fc.record({ kind: fc.constant('word'), word: of(['entropy', 'loss', 'token', 'step', 'layer']) }),
    fc.record({
      kind: fc.constant('site'),
      site,
      where: fc.dictionary(fc.stringMatching(/^[A-Za-z]\w{0,6}$/), index, { maxKeys: 2 }),
    }),
    fc.record(
      {
        kind: fc.constant('token'),
        by: of(['logit', 'prob', 'logprob', 'rank', 'lens_prob', 'lens_rank']),
        token,
        position,
      },
      { requiredKeys: ['kind', 'by', 'token'] },
    ),
  ),
  number: fc.oneof(
    { maxDepth: 6 },
    tie('leaf'),
    fc.record({
      kind: fc.constant('reduce'),
      by: of(['norm', 'mean', 'sum', 'max', 'min', 'absmax', 'std', 'nan']),
      of: tie('number'),
    }),
    fc.record({ kind: fc.constant('cosine'), left: tie('number'), right: tie('number') }),
    fc.record({ kind: fc.constant('unary'), operator: fc.constant('-'), of: tie('number') }),
    fc.record({
      kind: fc.constant('binary'),
      operator: of(['+', '-', '*', '/']),
      left: tie('number'),
      right: tie('number'),
    }),
  ),
  truth: fc.oneof(
    { maxDepth: 6 },
    fc.record({
      kind: fc.constant('binary'),
      operator: of(['==', '!=', '<', '<=', '>', '>=']),
      left: tie('number'),
      right: tie('number'),
    }),
    fc.record({
      kind: fc.constant('binary'),
      operator: of(['==', '!=', '&&', '||']),
      left: tie('truth'),
      right: tie('truth'),
    }),
    fc.record({ kind: fc.constant('unary'), operator: fc.constant('!'), of: tie('truth') }),
    fc.tuple(of(['==', '!=']), anyText).map(([operator, text]) => ({
      kind: 'binary',
      operator,
      left: { kind: 'word', word: 'token' },
      right: { kind: 'text', text },
    })),
  ),
}));
const tree = fc.oneof(trees.number, trees.truth) as fc.Arbitrary<Expression>;

/** Texts that are nearly expressions. */
const pieces = [
  ...expressionFunctions.map((f) => f.name),
  ...precedences.flat(),
  ...[
    '!',
    '(',
    ')',
    '[',
    ']',
    ',',
    '"',
    "'",
    '\\',
    ' ',
    '.',
    '..',
    '#',
    '=',
    '&',
    '|',
    'inf',
    'at position',
    '1',
    '1e9',
    '-1',
  ],
  ...['" a"', "' b'", 'blocks.0.attn.z', '[head=1]', '[position=" a"#2]', 'embed', 'é', '\n', '\u2028', '\ud800'],
];
const nearly = fc.array(fc.constantFrom(...pieces), { maxLength: 25 }).map((p) => p.join(''));

const readsOrRefuses = (text: string): void => {
  try {
    const expression = parseExpression(text);
    expect(bare(parseExpression(formatExpression(expression)))).toEqual(bare(expression));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    expect(error.message).toMatch(/^column \d+: /);
    expect(['EXPRESSION_SYNTAX', 'EXPRESSION_INVALID']).toContain(error.info.code);
    expect(Number(error.info.details?.['column'])).toBeLessThanOrEqual(text.length + 1);
  }
};

describe('any tree', () => {
  it('comes back from its text', () => {
    fc.assert(
      fc.property(tree, (e) => {
        expect(bare(parseExpression(formatExpression(e)))).toEqual(bare(e));
      }),
      { numRuns: 1000 },
    );
  });

  it('has a text that comes back', () => {
    fc.assert(
      fc.property(tree, (e) => {
        const text = formatExpression(e);
        expect(formatExpression(parseExpression(text))).toBe(text);
      }),
      { numRuns: 500 },
    );
  });
});

describe('any text', () => {
  it('is read, or refused with its place', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), readsOrRefuses), { numRuns: 2000 });
    fc.assert(fc.property(nearly, readsOrRefuses), { numRuns: 4000 });
  });

  it.each(['step#1', 'loss#1 < 2', '-layer#1', 'inf#1', 'nan#1', 'max#1', 'prob#1', 'step#2', 'embed#1'])(
    '%j, which was found, is read or refused',
    readsOrRefuses,
  );

  it.each(['step#1', 'nan#1', 'max#1'])('%j is no site: without #1 it is a word of the language', (text) => {
    expect(() => parseExpression(text)).toThrow('column 1: expected a site');
  });

  it.each(['(', '-', '!', 'max(', '[', '"', '1+(', 'cosine(', 'a[', 'a[b=(', '1<', '\\', ' '])(
    'ends soon where %j is repeated',
    (piece) => {
      const text = piece.repeat(10_000 / piece.length);
      const start = performance.now();
      expect(() => parseExpression(text)).toThrow(UsageError);
      completeExpression(text, text.length + 1, { sites: [] });
      expect(performance.now() - start).toBeLessThan(1000);
    },
  );

  it('is completed, or not, without an error', () => {
    fc.assert(
      fc.property(nearly, fc.integer({ min: -5, max: 300 }), (text, column) => {
        const sites = [{ name: 'embed', axes: ['batch', 'position', 'model'] }];
        for (const { from } of completeExpression(text, column, { sites })) {
          expect(from).toBeGreaterThanOrEqual(1);
          expect(from).toBeLessThanOrEqual(Math.max(1, Math.min(column, text.length + 1)));
        }
      }),
      { numRuns: 1000 },
    );
  });
});
