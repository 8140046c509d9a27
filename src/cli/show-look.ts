import type { CompareResult, KnockoutResult, LensResult, ScoredToken } from '../protocol/index.js';
import { visible } from './printable.js';
import { modelLine } from './show.js';
import { styled } from './styled.js';
import { table } from './table.js';

const percent = (p: number | null): string => (p === null ? '–' : `${(100 * p).toFixed(2)} %`);
const number = (x: number | null | undefined): string => (x === null || x === undefined ? '–' : x.toFixed(3));
const words = (tokens: readonly ScoredToken[]): string =>
  tokens.map((t) => `${visible(t.text)} ${percent(t.probability)}`).join('  ');

/** The lens at the last of its positions, the last layer first. */
export const showLens = (r: LensResult): string => {
  const at = r.positions.length - 1;
  const place = r.positions[at] ?? 0;
  const read = r.target ?? r.tokens;
  const head = [
    'after',
    ...r.words.flatMap((w) => [visible(w.text), 'rank']),
    'entropy',
    'KL to the end',
    'norm',
    'change',
    'it would say',
  ];
  const rows = r.rows.map(({ after, cells }) => {
    const cell = cells[at];
    return [
      after,
      ...(cell?.words ?? []).flatMap((w) => [percent(w.probability), String(w.rank)]),
      ...[cell?.entropy, cell?.kl, cell?.norm, cell?.change].map(number),
      words(cell?.top ?? []),
    ];
  });
  return [
    modelLine(r.model),
    `at position ${place}, ${styled('bold', visible(read[place]?.text ?? ''))}`,
    table(head, rows.reverse(), { right: head.slice(1, -1).map((_, i) => i + 1) }),
  ].join('\n\n');
};

/** What comes next, before and after, and where the two differ. */
export const showCompare = (r: CompareResult): string => {
  const rows = Array.from({ length: Math.max(r.before.next.length, r.after.next.length) }, (_, i) =>
    [r.before.next[i], r.after.next[i]].flatMap((t) => (t ? [visible(t.text), percent(t.probability)] : ['', ''])),
  );
  const read = r.after.target ?? r.after.tokens;
  const changed = r.changed.map(
    (p) =>
      `  ${p} ${visible(read[p]?.text ?? '')}: ${words(r.before.best.slice(p, p + 1))} → ${words(r.after.best.slice(p, p + 1))}`,
  );
  return [
    modelLine(r.model),
    table(['before', '', 'after', ''], rows, { right: [1, 3] }),
    `KL divergence at position ${r.position}: ${number(r.kl[r.position] ?? r.kl.at(-1))} nats`,
    changed.length === 0
      ? 'the likeliest token is the same at every position'
      : `another token is likeliest after\n${changed.join('\n')}`,
  ].join('\n\n');
};

/** Each part of a layer, and what the model says without it; what moves it most comes first. */
export const showKnockout = (r: KnockoutResult): string => {
  const tracked = r.base.words;
  const head = ['without', ...tracked.map((w) => visible(w.text)), 'KL', 'it says'];
  const line = (name: string, { words: standing, kl, top }: KnockoutResult['base']): string[] => [
    name,
    ...standing.map((w) => percent(w.probability)),
    number(kl),
    words([top]),
  ];
  const parts = [...r.parts].sort((a, b) => (b.kl ?? 0) - (a.kl ?? 0));
  const rows = [line('nothing', r.base), ...parts.map((p) => line(p.edit.replace(/^(drop|set) | = zero$/g, ''), p))];
  return table(head, rows, { right: tracked.map((_, i) => i + 1).concat(tracked.length + 1) });
};
