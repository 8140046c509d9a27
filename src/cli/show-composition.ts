import type { CompositionResult } from '../protocol/index.js';
import { modelLine } from './show.js';
import { table } from './table.js';

const meaning = {
  Q: 'Q-composition: what the first writes decides where the second looks from',
  K: 'K-composition: … decides what the second looks at',
  V: 'V-composition: … is what the second passes on',
} as const;

/** The strongest pairs of each kind, and how far each is above the mean. */
export const showComposition = (r: CompositionResult): string => {
  const kinds = (['Q', 'K', 'V'] as const).flatMap((kind) => {
    const pairs = r.pairs.filter((p) => p.kind === kind);
    if (pairs.length === 0) return [];
    const rows = pairs.map((p) => [
      p.from,
      '→',
      p.to,
      p.score.toFixed(4),
      `${(p.score / (r.mean[kind] || 1)).toFixed(2)} ×`,
    ]);
    return [
      `${meaning[kind]} (mean ${r.mean[kind].toFixed(4)})`,
      table(['writes', '', 'reads', 'score', 'of the mean'], rows, { right: [3, 4] }),
    ];
  });
  return [modelLine(r.model), ...kinds].join('\n\n');
};
