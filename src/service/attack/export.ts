import type { AttackResult } from '../../protocol/index.js';
import { shownText, svgDocument, textAt, widthOf, type Exportable, type Table } from '../exports/index.js';

/** `step`: which swap or removal it was, from 1; prediction and probability are those after it. */
const tableOf = ({ tokens, final, kept, flips, removed }: AttackResult): Table => ({
  columns: ['position', 'token', 'after', 'step', 'prediction', 'probability'],
  rows: tokens.map((token, position) => {
    const at = kept.indexOf(position);
    const steps = [...flips, ...removed];
    const step = steps.findIndex((s) => s.position === position);
    const said = steps[step]?.prediction;
    const after = at < 0 ? '' : final[at]?.text;
    return [position, token.text, after, step < 0 ? undefined : step + 1, said?.text, said?.probability];
  }),
});

interface Piece {
  readonly text: string;
  readonly style: string;
}

/** Tokens in a line. */
const line = (y: number, pieces: readonly Piece[]): { readonly body: string; readonly width: number } => {
  let x = 10;
  const mono = 'font-size="12" font-family="monospace"';
  const parts = pieces.map(({ text, style }) => {
    const shown = shownText(text);
    const part = textAt([x, y], shown, `${mono} ${style}`);
    x += widthOf(shown) + 8;
    return part;
  });
  return { body: parts.join(''), width: x + 10 };
};

const svgOf = ({ attack, tokens, final, kept, flips, before, after }: AttackResult): string => {
  const swapped = new Set(flips.map((f) => f.position));
  const gone = (i: number): boolean => !kept.includes(i);
  const first = tokens.map(({ text }, i) => ({
    text,
    style: gone(i) || swapped.has(i) ? 'fill="#2166ac" text-decoration="line-through"' : 'fill="#111111"',
  }));
  const second = final.map(({ text }, i) => ({
    text,
    style: swapped.has(kept[i] ?? -1) ? 'fill="#b35806" font-weight="bold"' : 'fill="#111111"',
  }));
  const told = (y: number, { prediction }: AttackResult['before']) => {
    const text = `→ ${prediction.text.trim()} ${(100 * prediction.probability).toFixed(1)} %`;
    return textAt([10, y], text, 'font-size="12" fill="#444444"');
  };
  const [above, below] = [line(50, first), line(100, second)];
  const body = [above.body, told(68, before), below.body, told(118, after)].join('\n');
  return svgDocument({ body, width: Math.max(above.width, below.width), height: 134 }, attack);
};

/** A result in the forms in which it is written. */
export const attackExport = (result: AttackResult): Exportable => ({
  json: () => result,
  csv: () => tableOf(result),
  svg: () => svgOf(result),
});
