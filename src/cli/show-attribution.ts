import type {
  AttackResult,
  AttributedRow,
  AttributeResult,
  FaithfulnessCurve,
  ScoredToken,
} from '../protocol/index.js';
import { printable, visible } from './printable.js';
import { bar, shaded } from './shaded.js';
import { modelLine } from './show.js';
import { styled } from './styled.js';
import { table } from './table.js';

const number = (x: number | null | undefined): string => {
  if (x === null || x === undefined) return '–';
  return x !== 0 && Math.abs(x) < 0.001 ? x.toExponential(2) : x.toFixed(4);
};

const scaleOf = (rows: readonly AttributedRow[]): number =>
  rows.flatMap((r) => r.scores).reduce<number>((most, s) => Math.max(most, Math.abs(s ?? 0)), 0) || 1;

/** The text, each unit on its colour. */
const coloured = ({ units }: AttributeResult, row: AttributedRow, scale: number): string =>
  units
    .map((unit, i) => {
      const score = row.scores[i] ?? null;
      const border = unit.side === 'target' && units[i - 1]?.side === 'tokens' ? ' ⇒ ' : '';
      return border + (score === null ? styled('dim', visible(unit.text)) : shaded(visible(unit.text), score / scale));
    })
    .join(' ');

/** Units in a table at the most: beyond, the strongest. */
const mostRows = 60;

const placesOf = (positions: readonly number[]): string => {
  const [first, last] = [positions[0] ?? 0, positions.at(-1) ?? 0];
  return first === last ? String(first) : `${first}–${last}`;
};

const unitTable = ({ units }: AttributeResult, row: AttributedRow, scale: number): string => {
  const all = units.map((unit, i) => ({ unit, i, score: row.scores[i] ?? null }));
  const strongest = [...all].sort((a, b) => Math.abs(b.score ?? 0) - Math.abs(a.score ?? 0)).slice(0, mostRows);
  const shown = all.length > mostRows ? strongest.sort((a, b) => a.i - b.i) : all;
  const head = ['', 'token', 'score', ...(row.errors ? ['±'] : []), ''];
  const rows = shown.map(({ unit, i, score }) => [
    placesOf(unit.positions),
    visible(unit.text),
    number(score),
    ...(row.errors ? [number(row.errors[i])] : []),
    score === null ? '' : bar(score / scale),
  ]);
  const left = all.length - shown.length;
  return `${table(head, rows, { right: [0, 2, 3].slice(0, row.errors ? 3 : 2) })}${left > 0 ? `\n  … and ${left} weaker ones (--json has all)` : ''}`;
};

const curveLine = (name: string, { auc, random }: FaithfulnessCurve, better: 'low' | 'high'): string => {
  if (random === undefined) return `${name} ${number(auc)}`;
  const good = auc !== null && random !== null && (better === 'low' ? auc < random : auc > random);
  return `${name} ${number(auc)} (random orders ${number(random)}: ${good ? 'better' : styled('yellow', 'no better')})`;
};

const checks = (row: AttributedRow): readonly string[] => [
  ...(row.residual === undefined
    ? []
    : [
        `completeness: the scores differ by ${number(row.residual)} from ${number(row.value)} − ${number(row.baseline)}`,
      ]),
  ...(row.r2 === undefined ? [] : [`the linear model explains ${number(row.r2)} of the variance`]),
  ...(row.faithfulness
    ? [
        `faithfulness: ${[curveLine('area of deletion', row.faithfulness.deletion, 'low'), curveLine('of insertion', row.faithfulness.insertion, 'high')].join(', ')}`,
      ]
    : []),
];

const settingsOf = ({ settings, normalize }: AttributeResult): string => {
  const all = [...Object.entries(settings), ...(normalize === 'none' ? [] : [['normalize', normalize] as const])];
  return all.map(([name, value]) => `${name} ${value}`).join(', ');
};

const legend = (scale: number): string =>
  `${shaded(` ${number(-scale)} against `, -1)} ${shaded(' 0 ', 0)} ${shaded(` ${number(scale)} for `, 1)}`;

const oneRow = (r: AttributeResult, row: AttributedRow): readonly string[] => {
  const scale = scaleOf([row]);
  return [
    `${styled('bold', printable(row.of))} = ${number(row.value)}`,
    coloured(r, row, scale),
    legend(scale),
    unitTable(r, row, scale),
    ...(checks(row).length > 0 ? [checks(row).join('\n')] : []),
  ];
};

const strongestOf = ({ units }: AttributeResult, row: AttributedRow): string =>
  row.scores
    .map((score, i) => ({ score: score ?? 0, text: units[i]?.text ?? '' }))
    .sort((a, b) => Math.abs(b.score) - Math.abs(a.score))
    .slice(0, 3)
    .map(({ score, text }) => `${visible(text)} ${number(score)}`)
    .join('  ');

/** A row for each token that the text goes on with. */
const manyRows = (r: AttributeResult): readonly string[] => {
  const scale = scaleOf(r.rows);
  const name = (row: AttributedRow) => visible(row.token?.text ?? row.of);
  const head = ['token', 'score', 'rest', 'deletion', 'insertion', 'mostly because of'];
  const rows = r.rows.map((row) => [
    ...[name(row), number(row.value), number(row.residual)],
    ...[number(row.faithfulness?.deletion.auc), number(row.faithfulness?.insertion.auc), strongestOf(r, row)],
  ]);
  const width = Math.max(...r.rows.map((row) => name(row).length));
  const lines = r.rows.map((row) => `${name(row).padStart(width)} ← ${coloured(r, row, scale)}`);
  const matrix = r.rows.length > mostColumns || r.units.length > mostRows ? [] : [matrixOf(r)];
  return [lines.join('\n'), legend(scale), ...matrix, table(head, rows, { right: [1, 2, 3, 4] })];
};

/** So many tokens that a text goes on with stand beside each other as numbers; more are in colours, and in files. */
const mostColumns = 10;

/** What is read by what is written, in numbers. */
const matrixOf = (r: AttributeResult): string =>
  table(
    ['', '', ...r.rows.map((row) => visible(row.token?.text ?? row.of))],
    r.units.map((unit, i) => [
      placesOf(unit.positions),
      visible(unit.text),
      ...r.rows.map((row) => number(row.scores[i])),
    ]),
    { right: [0, ...r.rows.map((_, i) => i + 2)] },
  );

/** What each token has to do with what the model says. */
export const showAttribution = (r: AttributeResult): string => {
  const [row] = r.rows;
  const settings = settingsOf(r);
  return [
    modelLine(r.model),
    `${styled('bold', r.method)}${settings === '' ? '' : styled('dim', `  ${settings}`)}`,
    ...(r.rows.length === 1 && row ? oneRow(r, row) : manyRows(r)),
  ].join('\n\n');
};

const said = ({ text, probability }: ScoredToken): string => `${visible(text)} ${(100 * probability).toFixed(2)} %`;

const flipped = ({ succeeded }: AttackResult): string =>
  succeeded ? 'the prediction is another' : 'the prediction did not become what was wanted';

const unflipped = ({ succeeded }: AttackResult): string =>
  succeeded ? 'nothing to do: the prediction is the wanted one already' : 'there is no token that may be swapped';

/** A text before and after an attack. */
export const showAttack = (r: AttackResult): string => {
  const swapped = new Map(r.flips.map((f) => [f.position, f]));
  const before = r.tokens.map(({ text }, i) =>
    swapped.has(i) || !r.kept.includes(i) ? styled('blue', visible(text)) : visible(text),
  );
  const after = r.final.map(({ text }, i) =>
    swapped.has(r.kept[i] ?? -1) ? styled('yellow', visible(text)) : visible(text),
  );
  const outcome = {
    hotflip: r.flips.length > 0 ? flipped(r) : unflipped(r),
    'input-reduction': r.succeeded
      ? `${r.final.length} of ${r.tokens.length} tokens are left, and the prediction is the same`
      : 'no token could be taken away without another prediction',
  }[r.attack];
  const swaps = r.flips.map((f) => [String(f.position), visible(f.from.text), visible(f.to.text), said(f.prediction)]);
  const removals = r.removed.map((f) => [String(f.position), visible(f.token.text), said(f.prediction)]);
  return [
    modelLine(r.model),
    `${styled('bold', r.attack)}: ${outcome}`,
    `before  ${before.join(' ')}\n        → ${said(r.before.prediction)}`,
    `after   ${after.join(' ')}\n        → ${said(r.after.prediction)}`,
    ...(swaps.length > 0 ? [table(['', 'from', 'to', 'it says'], swaps, { right: [0] })] : []),
    ...(removals.length > 0 ? [table(['', 'taken away', 'it says'], removals, { right: [0] })] : []),
  ].join('\n\n');
};
