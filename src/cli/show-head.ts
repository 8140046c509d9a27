import type { Because, HeadResult, WordPair } from '../protocol/index.js';
import { signed } from './show-components.js';
import { visible } from './printable.js';
import { modelLine } from './show.js';
import { styled } from './styled.js';
import { table } from './table.js';

const pairs = (title: string, found: readonly WordPair[], head: readonly [string, string]): string =>
  `${title}\n\n${table(
    [head[0], '', head[1], 'strength'],
    found.map((p) => [visible(p.from.text), '→', visible(p.to.text), p.value.toFixed(3)]),
    { right: [3] },
  )}`;

const parts = (title: string, found: readonly { readonly part: string; readonly value: number }[]): string =>
  `${title}\n\n${table(
    ['part', 'gives'],
    found.map((p) => [p.part, signed(p.value)]),
    { right: [1] },
  )}`;

/** A score as the softmax gets it; the float32 minimum is what masks put there. */
const scored = (score: number): string => (score < -1e30 ? 'masked: the head cannot look there' : score.toFixed(4));

const why = (b: Because): string[] => {
  const [query, key] = [b.query, b.key].map((t) => `${t.position} ${styled('bold', visible(t.text))}`);
  return [
    `from ${query ?? ''} the head gives ${(100 * b.weight).toFixed(1)} % of its attention to ${key ?? ''}`,
    `q·k is ${b.value.toFixed(4)} (the score with bias, cap and mask ${scored(b.score)}); the parts miss it by ${Math.abs(b.residual).toExponential(1)}`,
    table(
      ['looked at', '', 'attention', 'q·k', 'because of what is there'],
      b.tokens.map((t) => [
        String(t.position),
        visible(t.text),
        `${(100 * t.weight).toFixed(1)} %`,
        signed(t.value),
        t.parts.map((p) => `${p.part} ${signed(p.value)}`).join('   '),
      ]),
      { right: [0, 2, 3] },
    ),
    parts(`because of what is at ${key ?? ''}`, b.byKey),
    parts(`because of what is at ${query ?? ''}`, b.byQuery),
    `pairs of the two\n\n${table(
      ['at the query', 'at the key', 'gives'],
      b.pairs.map((p) => [p.query, p.key, signed(p.value)]),
      { right: [2] },
    )}`,
  ];
};

/** What one head does. */
export const showHead = (r: HeadResult): string =>
  [
    modelLine(r.model),
    `head ${styled('bold', r.head)}${r.copying === null ? '' : `: copying score ${r.copying.toFixed(3)}`}`,
    ...(r.writes ? [pairs('reading a word, it writes', r.writes, ['reads', 'writes'])] : []),
    ...(r.looks ? [pairs('a word looks at a word, positions aside', r.looks, ['looks', 'at'])] : []),
    ...(r.because ? why(r.because) : []),
  ].join('\n\n');
