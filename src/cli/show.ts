import type { InspectResult, ModelSummary, TokenizeResult } from '../protocol/index.js';
import { printable, visible } from './printable.js';
import { styled } from './styled.js';
import { columns, table } from './table.js';

const number = (x: number | null): string => {
  if (x === null) return '–';
  if (x === 0) return '0';
  return Math.abs(x) >= 1e5 || Math.abs(x) < 1e-3 ? x.toExponential(3) : x.toFixed(4);
};

const millions = (n: number): string =>
  n >= 1e9 ? `${(n / 1e9).toFixed(2)} billion` : n >= 1e6 ? `${(n / 1e6).toFixed(1)} million` : String(n);

const layersText = ({ layers, encoderLayers }: ModelSummary): string =>
  encoderLayers === undefined ? `${layers} layers` : `${encoderLayers} + ${layers} layers (encoder + decoder)`;

/** A model in a line. */
export const modelLine = (m: ModelSummary): string =>
  `${styled('bold', m.family)}  ${layersText(m)}, ${m.heads} heads, width ${m.modelDim}, vocabulary ${m.vocab}, ${millions(m.parameters)} parameters`;

type ShapeText = (site: InspectResult['sites'][number]) => string;
const namedShape: ShapeText = (s) => s.axes.map((axis, i) => `${axis} ${s.shape[i] ?? ''}`).join(', ');
const bareShape: ShapeText = (s) => s.shape.join(' x ');

const inspectTable = (r: InspectResult, shape: ShapeText): string =>
  table(
    ['site', 'shape', 'min', 'max', 'mean', 'std', ''],
    r.sites.map((s) => [
      s.name,
      shape(s),
      ...[s.min, s.max, s.mean, s.std].map(number),
      [s.nan > 0 ? styled('red', `${s.nan} NaN`) : '', s.inf > 0 ? styled('red', `${s.inf} infinite`) : '']
        .join(' ')
        .trim(),
    ]),
    { right: [2, 3, 4, 5] },
  );

const widest = (text: string): number => text.split('\n').reduce((most, line) => Math.max(most, columns(line)), 0);

/** With the axes' names where the terminal has room for them; always, where it is no terminal. */
const inspectText = (r: InspectResult): string => {
  const named = inspectTable(r, namedShape);
  return widest(named) <= (process.stdout.isTTY ? process.stdout.columns : Infinity)
    ? named
    : inspectTable(r, bareShape);
};

/** Of a scalar whose gradients were asked for: what it is. */
const scalarLine = ({ gradOf, gradCaught }: InspectResult): string[] => {
  if (!gradOf) return [];
  const scalar = `${printable(gradOf.expression)} = ${number(gradOf.value)}`;
  if (gradCaught === undefined) return [scalar, ''];
  const found = gradCaught
    ? `${styled('red', gradCaught.filter)} first on the way back at ${gradCaught.site}: ${gradCaught.description}`
    : 'nothing was caught on the way back';
  return [scalar, found, ''];
};

export const showInspect = (output: InspectResult | readonly InspectResult[]): string =>
  (Array.isArray(output) ? (output as readonly InspectResult[]) : [output as InspectResult])
    .map((result) => [...scalarLine(result), inspectText(result)].join('\n'))
    .join('\n\n');

export const showTokens = (output: TokenizeResult): string =>
  output
    .map(({ text, tokens }) =>
      [
        printable(JSON.stringify(text)),
        table(
          ['', 'token', 'id', 'place'],
          tokens.map((t, i) => [
            String(i),
            visible(t.text),
            String(t.id),
            t.start === t.end ? 'added' : `${t.start}..${t.end}`,
          ]),
          { right: [0, 2] },
        ),
      ].join('\n'),
    )
    .join('\n\n');
