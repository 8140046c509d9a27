import { describe, expect, it } from 'vitest';
import type { TrainingStep } from '../../../protocol/index.js';
import { adviceOn } from './training.js';

const steps = (count: number, of: (i: number) => Partial<TrainingStep>): TrainingStep[] =>
  Array.from({ length: count }, (_, i) => ({
    ...{ step: i, loss: 5 / (i + 1), lr: [0.1], gradNorm: 1, layers: { a: 0.7, b: 0.7 }, noise: 2 },
    ...of(i),
  }));

const kinds = (list: readonly TrainingStep[]): string[] => adviceOn(list).map((a) => a.kind);

describe('advice on a training loop', () => {
  it('is none where the loss falls and gradients are alike', () => {
    expect(kinds(steps(40, () => ({})))).toEqual([]);
    expect(kinds([])).toEqual([]);
  });

  it('tells that a loss rises, or is no number', () => {
    expect(kinds(steps(40, (i) => ({ loss: 1 + i * i })))).toEqual(['diverging']);
    expect(kinds(steps(3, (i) => ({ loss: i === 2 ? NaN : 1 })))).toEqual(['diverging']);
  });

  it('tells that a loss stands still', () => {
    expect(kinds(steps(30, () => ({ loss: 2.5 })))).toEqual(['stalled']);
  });

  it('names a layer that no gradient comes to, and one that hardly any comes to', () => {
    const [frozen] = adviceOn(steps(20, () => ({ layers: { a: 0, b: 1 } })));
    expect(frozen).toMatchObject({ kind: 'frozen', text: expect.stringContaining('comes to a:') as string });
    const [vanishing] = adviceOn(steps(20, () => ({ layers: { a: 1e-9, b: 1 } })));
    expect(vanishing).toMatchObject({ kind: 'vanishing', text: expect.stringContaining('of a is 1e+9') as string });
  });

  it('tells of a gradient that is far longer than usual, and of noise', () => {
    expect(kinds(steps(20, (i) => ({ gradNorm: i === 19 ? 100 : 1 })))).toEqual(['exploding']);
    expect(kinds(steps(20, () => ({ noise: 1000 })))).toEqual(['noisy']);
    expect(kinds(steps(20, () => ({ noise: Infinity })))).toEqual(['noisy']);
  });
});
