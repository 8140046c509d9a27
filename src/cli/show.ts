import { styleText } from 'node:util';
import type {
  InspectResult,
  ModelSummary,
  RunResult,
  ScoredToken,
  StepView,
  TokenizeResult,
} from '../protocol/index.js';
import { printable, visible } from './printable.js';
import { columns, table } from './table.js';

/** A text for standard output, in colour on a terminal alone. */
export const styled = (style: Parameters<typeof styleText>[0], text: string): string =>
  styleText(style, text, { stream: process.stdout });

const number = (x: number | null): string => {
  if (x === null) return '–';
  if (x === 0) return '0';
  return Math.abs(x) >= 1e5 || Math.abs(x) < 1e-3 ? x.toExponential(3) : x.toFixed(4);
};

const percent = (p: number): string => `${(100 * p).toFixed(2)} %`;

const bar = (p: number): string => styled('cyan', '█'.repeat(Math.round(24 * p)) || '▏');

const millions = (n: number): string =>
  n >= 1e9 ? `${(n / 1e9).toFixed(2)} billion` : n >= 1e6 ? `${(n / 1e6).toFixed(1)} million` : String(n);

/** A model in a line. */
export const modelLine = (m: ModelSummary): string =>
  `${styled('bold', m.family)}  ${m.layers} layers, ${m.heads} heads, width ${m.modelDim}, vocabulary ${m.vocab}, ${millions(m.parameters)} parameters`;

const nextTable = (next: readonly ScoredToken[]): string =>
  table(
    ['', 'token', 'id', 'logit', 'probability', ''],
    next.map((t, i) => [
      String(i + 1),
      visible(t.text),
      String(t.id),
      t.logit === null ? '–' : t.logit.toFixed(3),
      percent(t.probability),
      bar(t.probability),
    ]),
    { right: [0, 2, 3, 4] },
  );

const stageText = ({ step, text, stages }: StepView): string =>
  [`step ${step}: ${styled('bold', visible(text))}`]
    .concat(
      stages.map(({ name, setting, left, top }) => {
        const likeliest = top.slice(0, 5).map((t) => `${visible(t.text)} ${percent(t.probability)}`);
        return `  ${`${name}${setting === null ? '' : ` ${setting}`}`.padEnd(24)} ${String(left).padStart(7)} left   ${likeliest.join('   ')}`;
      }),
    )
    .join('\n');

const endings: Readonly<Record<RunResult['stop'], string>> = {
  none: '',
  eos: 'ended: the end token',
  length: 'ended: as many tokens as asked for',
  context: 'ended: no positions are left',
  cancelled: 'stopped',
};

const runText = (r: RunResult): string => {
  const { load, prefill, decode } = r.seconds;
  const made = r.generated.ids.length;
  const speed = made > 1 && decode > 0 ? `, ${((made - 1) / decode).toFixed(1)} tokens/s` : '';
  const time = `load ${load.toFixed(2)} s, prefill ${prefill.toFixed(2)} s${speed}`;
  const parts = [
    modelLine(r.model),
    `${r.tokens.length} tokens: ${r.tokens.map((t) => visible(t.text)).join(styled('dim', '|'))}`,
    ...(r.next.length > 0 ? [`next\n${nextTable(r.next)}`] : []),
    ...(r.steps ?? []).map(stageText),
    styled('dim', [time, endings[r.stop]].filter((x) => x !== '').join('; ')),
  ];
  return parts.join('\n\n');
};

export const showRun = (output: RunResult | readonly RunResult[]): string =>
  (Array.isArray(output) ? (output as readonly RunResult[]) : [output as RunResult]).map(runText).join('\n\n\n');

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

export const showInspect = (output: InspectResult | readonly InspectResult[]): string =>
  (Array.isArray(output) ? (output as readonly InspectResult[]) : [output as InspectResult])
    .map(inspectText)
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
