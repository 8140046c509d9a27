import { describe, expect, it } from 'vitest';
import { patternNear, patternSites, readPattern } from './patterns.js';

const sites = ['embed', 'blocks.0.attn.pattern', 'blocks.10.attn.pattern', 'blocks.1.attn.pattern', 'blocks.1.attn.z'];
const known = sites.map((name) => ({ name, axes: [] }));

describe('patterns of a run', () => {
  it('are found by their names, nearest to where it stands', () => {
    const names = patternSites(known);
    expect(names).toHaveLength(3);
    expect(patternNear(names, 1)).toBe('blocks.1.attn.pattern');
    expect(patternNear(names, 7)).toBe('blocks.0.attn.pattern');
    expect(patternNear([], 1)).toBeUndefined();
  });

  const run = (shape: number[]) => {
    const asked: [number, number][] = [];
    const lookBytes = ({ offset, count }: { offset: number; count: number }) => {
      asked.push([offset, count]);
      const bytes = new Uint8Array(Float32Array.from({ length: count / 4 }, (_, i) => offset / 4 + i).buffer);
      return Promise.resolve({ total: 0, axes: [], shape, bytes });
    };
    return { asked, lookBytes: lookBytes as never };
  };

  it('come all heads at once', async () => {
    const { lookBytes } = run([2, 3, 2, 2]);
    const seen = await readPattern({ lookBytes }, { site: 'blocks.0.attn.pattern', head: 2 }, new AbortController().signal); // prettier-ignore
    expect(seen).toMatchObject({ count: 3, from: 0 });
    expect(seen.heads.map((m) => [...m.data])).toEqual([
      [0, 1, 2, 3],
      [4, 5, 6, 7],
      [8, 9, 10, 11],
    ]);
  });

  it('come one at a time where they are large', async () => {
    const { asked, lookBytes } = run([1, 32, 1024, 1024]);
    const seen = await readPattern({ lookBytes }, { site: 'blocks.0.attn.pattern', head: 5 }, new AbortController().signal); // prettier-ignore
    expect(seen).toMatchObject({ count: 32, from: 5 });
    expect(seen.heads).toHaveLength(1);
    expect(asked.at(-1)).toEqual([5 * 4 * 2 ** 20, 4 * 2 ** 20]);
  });
});
