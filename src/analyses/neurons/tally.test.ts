import { describe, expect, it } from 'vitest';
import { NeuronTally } from './tally.js';

const at = (position: number) => ({ prompt: 0, position });

describe('a tally of neurons', () => {
  it('has mean, spread, peak and the tokens of those watched', () => {
    const tally = new NeuronTally(2, [0], 2);
    [1, 5, 3, 3].forEach((x, i) => tally.add(0, x, at(i)));
    expect(tally.of(0)).toMatchObject({ mean: 3, max: 5, min: 1, tokens: 4, peak: at(1) });
    expect(tally.of(0).std).toBeCloseTo(Math.SQRT2, 12);
    expect(tally.tops(0)).toEqual([
      { ...at(1), activation: 5 },
      { ...at(2), activation: 3 },
    ]);
    expect(tally.tops(1)).toEqual([]);
  });

  it('keeps the best of many', () => {
    const tally = new NeuronTally(1, [0], 3);
    for (let i = 0; i < 1000; i++) tally.add(0, (i * 37) % 1000, at(i));
    expect(tally.tops(0).map((t) => t.activation)).toEqual([999, 998, 997]);
  });

  it('tells dead, constant and outlying neurons', () => {
    const tally = new NeuronTally(4);
    for (let i = 0; i < 5000; i++) {
      tally.add(0, 0, at(i));
      tally.add(1, 2 + 0.01 * (i % 2), at(i));
      tally.add(2, i % 2 === 0 ? 1 : -1, at(i));
      tally.add(3, i === 7 ? 100 : 0.1 * (i % 3), at(i));
    }
    expect(tally.report()).toMatchObject({ neurons: 4, dead: [0], constant: [1], outliers: [3] });
  });

  it('counts a neuron that was never computed as dead', () => {
    const tally = new NeuronTally(2);
    tally.add(0, 1, at(0));
    expect(tally.report().dead).toEqual([1]);
  });
});
