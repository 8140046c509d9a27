import type { CircuitResult } from '../protocol/index.js';
import { printable } from './printable.js';
import { modelLine } from './show.js';
import { styled } from './styled.js';
import { table } from './table.js';

const number = (x: number | null | undefined): string => (x === null || x === undefined ? '–' : x.toFixed(3));

/** Edges that are listed; all are in the JSON. */
const mostEdges = 40;

type Edge = CircuitResult['edges'][number];
const worth = ({ effect, score }: Edge): number => Math.abs(effect ?? score ?? 0);

/** Parts layer by layer, and the edges that matter most. */
export const showCircuit = (r: CircuitResult): string => {
  const edges = [...r.edges].sort((a, b) => worth(b) - worth(a)).slice(0, mostEdges);
  const rows = edges.map((e) => [e.from, '→', e.to, number(e.effect), number(e.score)]);
  const more =
    r.edges.length > mostEdges ? [`and ${r.edges.length - mostEdges} more edges: --json and --out have them all`] : [];
  return [
    modelLine(r.model),
    [
      `${printable(r.metric)}${r.metrics ? ' …' : ''}: clean ${number(r.clean)}, corrupted ${number(r.corrupted)}${r.pairs > 1 ? ` (means of ${r.pairs} pairs${r.metrics ? ', each by its own metric' : ''})` : ''}`,
      `${styled('bold', `${r.edges.length}`)} of ${r.totalEdges} edges, ${r.nodes.length} parts; ${r.runs} runs in ${r.seconds.toFixed(1)} s${r.known > 0 ? `, ${r.known} known from before` : ''}`,
      `faithfulness ${number(r.faithfulness)}: the share of the difference that these edges keep`,
      `completeness: the other edges alone keep ${number(r.complement)}`,
      `minimality: ${r.superfluous} of ${r.tried} edges tried could go almost without loss`,
      ...(r.notes ?? []).map((note) => `note: ${printable(note)}`),
    ].join('\n'),
    `parts: ${r.nodes.join(', ')}`,
    table(['from', '', 'to', 'share lost without', 'guess'], rows, { right: [3, 4] }),
    ...more,
    styled(
      'dim',
      'share lost without: measured; guess: by gradients, how the metric would change (the order of the search)',
    ),
  ].join('\n\n');
};
