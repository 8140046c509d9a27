import { describe, expect, it } from 'vitest';
import type { ComponentPart, ComponentsResult } from '../../../protocol/index.js';
import { componentsBetween, layersOf, rowOfLayer, strongestOf } from './data.js';

const parts: readonly ComponentPart[] = [
  { part: 'embed', name: 'embed', value: 0.5 },
  { part: 'head', name: '0.0', layer: '0', head: 0, value: 1 },
  { part: 'head', name: '0.1', layer: '0', head: 1, value: -3 },
  { part: 'mlp', name: 'blocks.0.mlp_out', layer: '0', value: 2 },
  { part: 'head', name: '1.0', layer: '1', head: 0, value: 0 },
];

describe('the parts of a score', () => {
  it('stand by layer, the last on top', () => {
    const [top, below] = layersOf(parts);
    expect([top?.layer, top?.heads.length, top?.mlp]).toEqual(['1', 1, undefined]);
    expect([below?.layer, below?.heads.map((h) => h.name), below?.mlp?.value]).toEqual(['0', ['0.0', '0.1'], 2]);
  });

  it('are listed by size', () => {
    expect(strongestOf(parts, 2).map((p) => p.name)).toEqual(['0.1', 'blocks.0.mlp_out']);
  });

  it('belong to rows of the board', () => {
    expect(['3', 'decoder.12', '3#2'].map(rowOfLayer)).toEqual(['blocks.3', 'decoder.blocks.12', 'blocks.3#2']);
  });
});

describe('the parts of two scores', () => {
  const result = (values: readonly (readonly [string, number])[]): ComponentsResult => ({
    model: { family: 'x', layers: 1, heads: 1, modelDim: 1, vocab: 9, parameters: 1, fingerprint: '' },
    ...{ tokens: [], score: { position: 0, word: { id: 1, text: 'a' }, value: 0, shown: 0 }, residual: 0 },
    ...{ sum: values.reduce((sum, [, x]) => sum + x, 0), accumulated: [] },
    parts: values.map(([name, value]) => ({ part: 'head', name, layer: '0', head: 0, value })),
  });

  it('are matched by name: what one of them has not is left out', () => {
    const a = result([
      ['0.0', 1],
      ['0.1', 5],
    ]);
    const b = result([
      ['0.1', 2],
      ['1.0', 9],
    ]);
    const between = componentsBetween(a, b);
    expect(between.parts.map(({ name, value }) => [name, value])).toEqual([['0.1', -3]]);
    expect(between.sum).toBe(5);
  });
});
