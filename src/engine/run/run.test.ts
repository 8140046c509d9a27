import { describe, expect, it } from 'vitest';
import type { Program, Rope, Segment } from '../../graph/index.js';
import { KvCache } from './cache.js';
import { makeInput, masked } from './inputs.js';
import { runOrder, siteIn } from './order.js';
import { frequencies, rotaryTables } from './rope.js';

const graph = { name: '', inputs: [], params: [], nodes: [], sites: [], outputs: [] };
const segment = (id: string): Segment => {
  const layer = /^blocks\.(\d+)$/.exec(id)?.[1];
  return { id, kind: layer ? 'block' : 'head', ...(layer ? { layer: Number(layer) } : {}), graph, cache: [] };
};
const program = { segments: ['embed', 'blocks.0', 'blocks.1', 'blocks.2', 'head'].map(segment) } as unknown as Program;
const names = (edits: Parameters<typeof runOrder>[1]): string =>
  runOrder(program, edits)
    .map((i) => i.name)
    .join(' ');

describe('the run order', () => {
  it('skips, repeats and swaps layers by the names they have in the model', () => {
    expect(names([{ kind: 'skip', layer: 1 }])).toBe('embed blocks.0 blocks.2 head');
    expect(names([{ kind: 'repeat', layer: 1 }])).toBe('embed blocks.0 blocks.1 blocks.1#2 blocks.2 head');
    expect(names([{ kind: 'swap', layers: [0, 2] }])).toBe('embed blocks.2 blocks.1 blocks.0 head');
    expect(
      names([
        { kind: 'swap', layers: [0, 2] },
        { kind: 'repeat', layer: 0 },
      ]),
    ).toBe('embed blocks.2 blocks.1 blocks.0 blocks.0#2 head');
  });

  it('refuses a layer that is not there', () => {
    expect(() => names([{ kind: 'skip', layer: 3 }])).toThrow('no layer 3');
    expect(() =>
      names([
        { kind: 'skip', layer: 1 },
        { kind: 'skip', layer: 1 },
      ]),
    ).toThrow('no layer 1');
  });

  it('names the sites of a repeated block', () => {
    const [, , second] = runOrder(program, [{ kind: 'repeat', layer: 0 }]);
    expect(second && siteIn(second, 'blocks.0.attn.z')).toBe('blocks.0#2.attn.z');
  });
});

describe('KvCache', () => {
  const spec = { past: 'past_k', fresh: 'fresh_k', heads: 1, headDim: 2 };

  it('grows, and goes back by a shorter length', () => {
    const cache = new KvCache();
    cache.append('blocks.0', spec, Float32Array.of(1, 2, 3, 4));
    cache.setLength(2);
    cache.append('blocks.0', spec, Float32Array.of(5, 6));
    cache.setLength(3);
    expect([...cache.past('blocks.0', spec).data]).toEqual([1, 2, 3, 4, 5, 6]);
    cache.setLength(1);
    cache.append('blocks.0', spec, Float32Array.of(7, 8));
    cache.setLength(2);
    expect([...cache.past('blocks.0', spec).data]).toEqual([1, 2, 7, 8]);
    expect(cache.past('blocks.0', spec).shape).toEqual([1, 2, 1, 2]);
  });
});

describe('the causal mask', () => {
  it('hides later keys, and those nobody may see', () => {
    const rows = { ids: [[1, 1]], positions: [2, 2], keys: [0, 1, 2, -1], lengths: [3], length: 3, step: 1 };
    expect([...makeInput({ rule: 'causal' }, rows).data]).toEqual([0, 0, 0, masked, 0, 0, 0, masked].map(Math.fround));
  });
});

describe('rotary frequencies', () => {
  const rope = (scaling: Rope['scaling']): Rope => ({ dim: 8, base: 10000, scaling });

  it('fall geometrically', () => {
    expect([...frequencies(rope({ kind: 'none' }), 4)].map((f) => f.toPrecision(4))).toEqual([
      '1.000',
      '0.1000',
      '0.01000',
      '0.001000',
    ]);
  });

  it('are divided by a linear factor', () => {
    expect(frequencies(rope({ kind: 'linear', factor: 4 }), 4)[0]).toBe(0.25);
  });

  it('stretch with the length only beyond the original one', () => {
    const scaling = { kind: 'dynamic', factor: 2, originalLength: 10 } as const;
    expect(frequencies(rope(scaling), 10)).toEqual(frequencies(rope({ kind: 'none' }), 10));
    expect(frequencies(rope(scaling), 20)[3]).toBeLessThan(frequencies(rope(scaling), 10)[3] ?? 0);
  });

  it('at position 0 turn nothing', () => {
    const { cos, sin } = rotaryTables(rope({ kind: 'none' }), [0], 1);
    expect([...cos]).toEqual(Array(8).fill(1));
    expect([...sin]).toEqual(Array(8).fill(0));
  });
});
