/** A counter-based random generator: a number depends on seed, sequence and step alone, so going back needs no state. */

const multipliers = [0xd2511f53, 0xcd9e8d57] as const;
/** Golden ratio and √3 − 1, by which the key moves each round. */
const keySteps = [0x9e3779b9, 0xbb67ae85] as const;
const rounds = 10;

type Four = readonly [number, number, number, number];

/** High and low 32 bits of the product of two unsigned 32-bit integers. */
const product = (a: number, b: number): readonly [high: number, low: number] => {
  const [aHigh, aLow, bHigh, bLow] = [a >>> 16, a & 0xffff, b >>> 16, b & 0xffff];
  const low = aLow * bLow;
  const middle = aHigh * bLow + (low >>> 16);
  const cross = aLow * bHigh + (middle & 0xffff);
  const high = aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000);
  return [high >>> 0, Math.imul(a, b) >>> 0];
};

/**
 * Philox4x32-10: four unsigned 32-bit integers from a counter and a key of such.
 * @source Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"
 */
export const philox = (counter: Four, key: readonly [number, number]): Four => {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < rounds; round++) {
    const [high0, low0] = product(multipliers[0], c0);
    const [high1, low1] = product(multipliers[1], c2);
    [c0, c1, c2, c3] = [(high1 ^ c1 ^ k0) >>> 0, low1, (high0 ^ c3 ^ k1) >>> 0, low0];
    [k0, k1] = [(k0 + keySteps[0]) >>> 0, (k1 + keySteps[1]) >>> 0];
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
  const [a, b] = philox([...halves(step), ...halves(sequence)], halves(seed));
  return ((a >>> 5) * 2 ** 26 + (b >>> 6)) / 2 ** 53;
};
