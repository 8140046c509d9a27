import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Variant } from '../engine/index.js';
import { tellingSegments } from './prepare.js';

const instance = (name: string, params: Readonly<Record<string, readonly number[]>>) => ({
  name,
  segment: { graph: { params: Object.entries(params).map(([id, shape]) => ({ name: id, type: { shape } })) } },
});
const order = [
  instance('embed', { table: [10, 4] }),
  instance('blocks.0', { a: [4, 4] }),
  instance('head', { table: [10, 4], norm: [4] }),
];

afterEach(() => void vi.restoreAllMocks());

describe('what is told of a run while it is made ready', () => {
  const told: object[] = [];
  const context = {
    signal: new AbortController().signal,
    note: () => undefined,
    progress: (part: object) => void told.push(part),
  };
  const walk = async (stepMs: number): Promise<void> => {
    let now = 0;
    vi.spyOn(performance, 'now').mockImplementation(() => now);
    const onSegment = tellingSegments({ order } as unknown as Variant, context);
    for (const { name } of order) {
      now += stepMs;
      await onSegment(name);
    }
  };

  it('is nothing where it is quick', async () => {
    await walk(10);
    expect(told).toEqual([]);
  });

  it('is segments, and the bytes of weights before each, a shared one counted once', async () => {
    await walk(1000);
    expect(told).toEqual([
      { done: 0, total: 3, what: 'segments', bytes: { done: 0, total: 240 } },
      { done: 1, total: 3, what: 'segments', bytes: { done: 160, total: 240 } },
      { done: 2, total: 3, what: 'segments', bytes: { done: 224, total: 240 } },
    ]);
  });
});
