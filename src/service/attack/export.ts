import type { AttackResult } from '../../protocol/index.js';
import { escapeXml, toCsv, type ExportFormat } from '../export.js';

const csvOf = ({ tokens, final, kept, flips }: AttackResult): string =>
  toCsv([
    ['position', 'token', 'after', 'prediction', 'probability'],
    ...tokens.map((token, position) => {
      const at = kept.indexOf(position);
      const flip = flips.find((f) => f.position === position);
      const after = at < 0 ? '' : final[at]?.text;
      return [position, token.text, after, flip?.prediction.text, flip?.prediction.probability];
    }),
  ]);

const line = (y: number, parts: readonly { readonly text: string; readonly style: string }[]): string => {
  const spans = parts.map(({ text, style }) => `<tspan ${style}>${escapeXml(text === ' ' ? '·' : text)}</tspan>`);
  return `<text x="10" y="${y}" font-size="14" font-family="ui-monospace, monospace" xml:space="preserve">${spans.join(' ')}</text>`;
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
  const told = ({ prediction }: AttackResult['before']): string =>
    `${prediction.text.trim()} ${(100 * prediction.probability).toFixed(1)} %`;
  const plain = (text: string) => [{ text, style: 'fill="#666666"' }];
  const width = 40 + 9 * Math.max(...[first, second].map((l) => l.reduce((n, p) => n + p.text.length + 1, 0)), 40);
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="130" viewBox="0 0 ${width} 130">
<rect width="100%" height="100%" fill="#ffffff"/>
${[line(22, plain(attack)), line(48, first), line(66, plain(`→ ${told(before)}`)), line(96, second), line(114, plain(`→ ${told(after)}`))].join('\n')}
</svg>
`;
};

/** A result as the content of a file. */
export const attackFile = (result: AttackResult, format: ExportFormat): string => {
  switch (format) {
    case 'json':
      return `${JSON.stringify(result, null, 2)}\n`;
    case 'csv':
      return csvOf(result);
    case 'svg':
      return svgOf(result);
  }
};
