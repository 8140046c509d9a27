import type { HeadsResult, HeadTold } from '../protocol/index.js';
import { gridHeatmap } from './grid-heatmap.js';
import { modelLine } from './show.js';
import { styled } from './styled.js';
import { table } from './table.js';

const share = (x: number | null): string => (x === null ? '–' : x.toFixed(2));

/** A short mark of a head's kind, for the grid. */
const titles = {
  previous: 'previous token',
  next: 'next token',
  current: 'itself',
  first: 'first token (sink)',
  duplicate: 'same token before',
  induction: 'induction',
} as const;
type Kind = keyof typeof titles;
const kinds = Object.keys(titles) as Kind[];

/** From how much on a head stands in the table of a kind. */
const worthTelling = 0.25;

const strongest = (heads: readonly HeadTold[], kind: Kind): string | undefined => {
  const rows = heads.filter((h) => (h[kind] ?? 0) >= worthTelling).sort((a, b) => (b[kind] ?? 0) - (a[kind] ?? 0));
  if (rows.length === 0) return undefined;
  const names = rows.slice(0, 12).map((h) => `${h.kind === kind ? styled('bold', h.name) : h.name} ${share(h[kind])}`);
  return `  ${titles[kind].padEnd(20)}${names.join('   ')}${rows.length > 12 ? `   and ${rows.length - 12} more` : ''}`;
};

/** The heads that are good at anything, best first. */
const listed = (heads: readonly HeadTold[]): string => {
  const best = (h: HeadTold): number => Math.max(...kinds.map((k) => (k === 'current' ? 0 : (h[k] ?? 0))));
  const rows = [...heads].sort((a, b) => best(b) - best(a)).slice(0, 20);
  const told = kinds.filter((kind) => heads.some((h) => h[kind] !== null));
  const copying = heads.some((h) => h.copies !== null);
  const head = ['head', ...told, ...(copying ? ['copying', 'copies', 'suppresses'] : [])];
  const lines = rows.map((h) => [
    h.name,
    ...told.map((kind) => (h.kind === kind ? styled('bold', share(h[kind])) : share(h[kind]))),
    ...(copying ? [h.copying, h.copies, h.suppresses].map(share) : []),
  ]);
  return table(head, lines, { right: head.map((_, i) => i).slice(1) });
};

const stacksOf = (heads: readonly HeadTold[]): ReadonlyMap<string, readonly HeadTold[]> => {
  const stacks = new Map<string, HeadTold[]>();
  for (const head of heads) {
    const [, stack = ''] = /^(?:(encoder|decoder)\.)?/.exec(head.layer) ?? [];
    stacks.set(stack, [...(stacks.get(stack) ?? []), head]);
  }
  return stacks;
};

const grid = (heads: readonly HeadTold[], kind: Kind | 'copying'): string =>
  gridHeatmap(heads.map((h) => ({ row: h.layer, column: `${h.head}`, value: h[kind] ?? 0 })));

/** Which heads look where, and what they copy. */
export const showHeads = (r: HeadsResult): string => {
  const what = r.drawn
    ? `${r.sequences} × ${r.drawn.length} random tokens said twice (seed ${r.drawn.seed})`
    : `${r.sequences} prompt${r.sequences === 1 ? '' : 's'}`;
  const parts = [...stacksOf(r.heads)].flatMap(([stack, heads]) => [
    ...(stack === '' ? [] : [styled('bold', stack)]),
    kinds
      .map((kind) => strongest(heads, kind))
      .filter((line) => line !== undefined)
      .join('\n'),
    `induction, layer × head\n${grid(heads, 'induction')}`,
    `previous token, layer × head\n${grid(heads, 'previous')}`,
    ...(heads.some((h) => h.copying !== null)
      ? [`copying (OV eigenvalues), layer × head\n${grid(heads, 'copying')}`]
      : []),
    listed(heads),
  ]);
  return [modelLine(r.model), `share of attention on ${what}`, ...parts].filter((part) => part !== '').join('\n\n');
};
