import type { ScoredToken, TourResult } from '../protocol/index.js';
import { heatmap } from './heatmap.js';
import { visible } from './printable.js';
import { modelLine } from './show.js';
import { styled } from './styled.js';
import { table } from './table.js';

const percent = (p: number): string => `${(100 * p).toFixed(1)} %`;

const bar = (p: number, style: 'green' | 'red' | 'cyan'): string =>
  styled(style, '█'.repeat(Math.round(20 * p)) || '▏');

/** Words in colour: the right answer green, the wrong one red. */
const answer = ({ expected, wrong }: TourResult) => {
  const style = (text: string): 'green' | 'red' | 'cyan' =>
    text === expected ? 'green' : text === wrong ? 'red' : 'cyan';
  return { style, word: (text: string): string => styled(style(text), visible(text)) };
};

const nextTable = (r: TourResult, next: readonly ScoredToken[]): string => {
  const { style, word } = answer(r);
  return table(
    ['', 'next token', 'probability', ''],
    next.map((t, i) => [String(i + 1), word(t.text), percent(t.probability), bar(t.probability, style(t.text))]),
    { right: [0, 2] },
  );
};

const lensTable = (r: TourResult): string =>
  table(
    ['after', 'it would say', visible(r.expected), visible(r.wrong), ''],
    r.lens.map((row) => [
      row.after,
      answer(r).word(row.top.text),
      percent(row.expected),
      percent(row.wrong),
      bar(row.expected, 'green') + bar(row.wrong, 'red'),
    ]),
    { right: [2, 3] },
  );

const step = (number: number, text: string): string => `${styled('bold', `${number}`)}  ${styled('bold', text)}`;
const command = (text: string): string => styled('dim', `   $ cutaway ${text}`);

/** A guided transcript, each part with the command that shows it again. */
export const showTour = (r: TourResult): string => {
  const quoted = JSON.stringify(r.prompt);
  const { site, head, pattern } = r.attention;
  const says = r.next[0]?.text ?? '';
  return [
    `${styled('bold', 'Cutaway')}, a debugger for language models. A first look at a small one that comes along:`,
    modelLine(r.model),
    step(1, 'Ask it something.'),
    `   ${r.prompt}${styled('bold', answer(r).word(says).replaceAll('·', ' '))}\n   That is wrong: it should be ${answer(r).word(r.expected)}.`,
    nextTable(r, r.next),
    command(`run --prompt ${quoted}`),
    step(2, 'Look where it goes wrong: what it would say if it ended after each layer.'),
    lensTable(r),
    step(3, `Look at who did it: ${site}, head ${head}. Each row is a token, each cell how much it looks at another.`),
    heatmap(
      pattern,
      r.tokens.map((t) => t.text),
    ),
    command(`inspect --prompt ${quoted} --sites '${site}[head=${head}]'`),
    step(4, `Change it: ${r.edit}.`),
    `   ${r.prompt}${styled(
      'bold',
      answer(r)
        .word(r.mended[0]?.text ?? '')
        .replaceAll('·', ' '),
    )}`,
    nextTable(r, r.mended),
    command(`run --prompt ${quoted} --edit ${JSON.stringify(r.edit)}`),
    `Your own model: cutaway run FOLDER --prompt "...", or a .gguf file. All verbs: cutaway --help`,
  ].join('\n\n');
};
