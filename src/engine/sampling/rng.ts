/** A counter-based random generator: a number depends on seed, sequence and step alone, so going back needs no state. */

const multipliers = [0xd2511f53, 0xcd9e8d57] as const;
/** Golden ratio and √3 − 1, by which the key moves each round. */
const keySteps = [0x9e3779b9, 0xbb67ae85] as const;
const rounds = 10;

type Four = readonly [number, number, number, number];

/** The high 32 bits of the product of two unsigned 32-bit integers; `Math.imul` has the low ones. */
const highProduct = (a: number, b: number): number => {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const cross = aLow * bHigh + (middle & 0xffff);
  return (aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000)) >>> 0;
};

/**
 * Philox4x32-10: four unsigned 32-bit integers from a counter and a key of such.
 * @source Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"
 */
export const philox = (counter: Four, key: readonly [number, number]): Four => {
  // One by one: noise takes a hundred thousand of these, and a list for each step would be most of the time.
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < rounds; round++) {
    const high0 = highProduct(multipliers[0], c0);
    const high1 = highProduct(multipliers[1], c2);
    const [low0, low1] = [Math.imul(multipliers[0], c0) >>> 0, Math.imul(multipliers[1], c2) >>> 0];
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0;
    k0 = (k0 + keySteps[0]) >>> 0;
    k1 = (k1 + keySteps[1]) >>> 0;
  }
  return [c0, c1, c2, c3];
};

const halves = (n: number): readonly [low: number, high: number] => [n >>> 0, Math.floor(n / 2 ** 32) >>> 0];

/** Where a random number is used. All are integers from 0. */
export interface Draw {
  readonly seed: number;
  /** Which of the sequences that run together. */
  readonly sequence: number;
  readonly step: number;
}

/** A number in [0, 1) with 53 random bits. */
export const uniform = ({ seed, sequence, step }: Draw): number => {
  const [[stepLow, stepHigh], [sequenceLow, sequenceHigh]] = [halves(step), halves(sequence)];
  const [a, b] = philox([stepLow, stepHigh, sequenceLow, sequenceHigh], halves(seed));
  return ((a >>> 5) * 2 ** 26 + (b >>> 6)) / 2 ** 53;
};
