import { describe, expect, it } from 'vitest';
import { philox, uniform } from './rng.js';

describe('philox', () => {
  /** Random123's published vectors: tests/kat_vectors, `philox4x32 10`. */
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ] as const)('of %j and %j is the published one', (counter, key, expected) => {
    expect(philox(counter, key)).toEqual(expected);
  });
});

describe('uniform', () => {
  it('is in [0, 1), with a mean of a half', () => {
    const numbers = Array.from({ length: 10_000 }, (_, step) => uniform({ seed: 5, sequence: 0, step }));
    expect(numbers.every((u) => u >= 0 && u < 1)).toBe(true);
    expect(Math.abs(numbers.reduce((a, b) => a + b, 0) / numbers.length - 0.5)).toBeLessThan(0.012);
  });
  it('depends on each of seed, sequence and step, beyond 32 bits too', () => {
    const at = [
      { seed: 0, sequence: 0, step: 0 },
      { seed: 1, sequence: 0, step: 0 },
      { seed: 2 ** 32, sequence: 0, step: 0 },
      { seed: 0, sequence: 1, step: 0 },
      { seed: 0, sequence: 0, step: 1 },
      { seed: 0, sequence: 0, step: 2 ** 32 },
    ];
    expect(new Set(at.map(uniform)).size).toBe(at.length);
  });
});
