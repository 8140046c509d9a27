import type { ComponentPart, ComponentsResult, ScoreTold } from '../protocol/index.js';
import { gridHeatmap } from './grid-heatmap.js';
import { visible } from './printable.js';
import { modelLine } from './show.js';
import { styled } from './styled.js';
import { table } from './table.js';

export const signed = (x: number): string => `${x < 0 ? '−' : '+'}${Math.abs(x).toFixed(4)}`;

/** `logit of " Paris" − logit of " Rome"`. */
export const scoreTitle = ({ word, against }: ScoreTold): string =>
  `logit of ${styled('bold', visible(word.text))}${against ? ` − logit of ${styled('bold', visible(against.text))}` : ''}`;

const largestFirst = (parts: readonly ComponentPart[]): ComponentPart[] =>
  [...parts].sort((a, b) => Math.abs(b.value) - Math.abs(a.value));

/** A bar of up to ten characters, to the left for what is below 0. */
const bar = (value: number, largest: number): string => {
  const length = Math.round((10 * Math.abs(value)) / largest);
  const drawn = '█'.repeat(length);
  return value < 0
    ? `${' '.repeat(10 - length)}${styled('blue', drawn)}│${' '.repeat(10)}`
    : `${' '.repeat(10)}│${styled('red', drawn)}`;
};

const kinds = { embed: 'embedding', head: 'head', 'cross-head': 'cross head', mlp: 'MLP', bias: 'bias' } as const;

const listed = (parts: readonly ComponentPart[], most: number): string => {
  const rows = largestFirst(parts);
  const largest = Math.abs(rows[0]?.value ?? 1) || 1;
  const shown = rows.slice(0, most);
  const rest = rows.slice(most).reduce((sum, { value }) => sum + value, 0);
  const lines = shown.map((p) => [kinds[p.part], p.name, signed(p.value), bar(p.value, largest)]);
  const others = rows.length > most ? [['', `${rows.length - most} others`, signed(rest), bar(rest, largest)]] : [];
  return table(['part', 'which', 'gives', ''], [...lines, ...others], { right: [2] });
};

const sums = (parts: readonly ComponentPart[]): string =>
  (['embed', 'head', 'cross-head', 'mlp', 'bias'] as const)
    .map((part) => [part, parts.filter((p) => p.part === part)] as const)
    .filter(([, own]) => own.length > 0)
    .map(([part, own]) => `${kinds[part]} ${signed(own.reduce((sum, p) => sum + p.value, 0))}`)
    .join('   ');

const gridOf = (parts: readonly ComponentPart[], cross: boolean): string | undefined => {
  const own = parts.filter((p) => p.part === (cross ? 'cross-head' : 'head') || (!cross && p.part === 'mlp'));
  if (own.length === 0) return undefined;
  const cells = own.map((p) => ({
    row: p.layer ?? '',
    column: p.part === 'mlp' ? 'mlp' : `${p.head ?? ''}`,
    value: p.value,
  }));
  return `${cross ? 'cross-attention' : 'layer × head'}\n${gridHeatmap(cells)}`;
};

/** What each part gives to a score: where, which most, and that it is all. */
export const showComponents = (r: ComponentsResult): string => {
  const { score } = r;
  const read = r.target ?? r.tokens;
  const capped = score.cap === undefined ? '' : `, before the cap of ${score.cap}; with it ${score.shown.toFixed(4)}`;
  const stream = r.accumulated.map(({ after, value }) => [after, signed(value)]);
  const neurons = r.neurons?.map((n) => [
    `${n.layer}.${n.neuron}${n.slot === undefined ? '' : ` (slot ${n.slot})`}`,
    signed(n.activation),
    signed(n.value),
  ]);
  return [
    modelLine(r.model),
    `at position ${score.position}, ${styled('bold', visible(read[score.position]?.text ?? ''))}: ${scoreTitle(score)} = ${score.value.toFixed(4)}${capped}`,
    gridOf(r.parts, false),
    gridOf(r.parts, true),
    listed(r.parts, 20),
    sums(r.parts),
    `the parts sum to ${r.sum.toFixed(4)}, ${Math.abs(r.residual).toExponential(1)} from the score`,
    table(['stream after', 'gives'], stream, { right: [1] }),
    ...(neurons ? [table(['neuron', 'activation', 'gives'], neurons, { right: [1, 2] })] : []),
  ]
    .filter((part) => part !== undefined)
    .join('\n\n');
};
