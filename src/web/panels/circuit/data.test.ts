import { describe, expect, it } from 'vitest';
import { largestOf, layoutOf, nodesOf, portOf, rowsOf, strongestOf, type CircuitEdge } from './data.js';

const edges: readonly CircuitEdge[] = [
  { from: 'embed', to: 'v 0.3', score: 2, effect: 0.4 },
  { from: 'embed', to: 'k 0.1', score: 9 },
  { from: 'head 0.3', to: 'mlp 0', score: 1, effect: -0.5 },
  { from: 'mlp 0', to: 'logits', score: 1, effect: 0.1 },
];

describe('a circuit', () => {
  it('has the embedding below, then each layer with its MLP above its heads, then the scores', () => {
    const rows = rowsOf(nodesOf(edges));
    expect(rows.map((row) => row.map((n) => n.name))).toEqual([
      ['embed'],
      ['head 0.1', 'head 0.3'],
      ['mlp 0'],
      ['logits'],
    ]);
    expect(rows[1]?.[1]).toEqual({ name: 'head 0.3', kind: 'head', layer: 0, head: 3, edges: 2 });
  });

  it('places parts that are above others above them, none outside', () => {
    const { places, width, height } = layoutOf(rowsOf(nodesOf(edges)), 300);
    const [below, above] = [places.get('embed'), places.get('logits')];
    expect(below?.y).toBeGreaterThan(above?.y ?? Infinity);
    for (const { x, y } of places.values()) {
      expect(x > 0 && x < width && y > 0 && y < height).toBe(true);
    }
  });

  it('lists measured edges before guesses, and weighs each kind by itself', () => {
    expect(strongestOf(edges, 4).map((e) => e.from)).toEqual(['head 0.3', 'embed', 'mlp 0', 'embed']);
    expect([largestOf(edges, true), largestOf(edges, false)]).toEqual([0.5, 9]);
    expect([portOf('q 4.1'), portOf('mlp 3')]).toEqual(['q', undefined]);
  });
});
