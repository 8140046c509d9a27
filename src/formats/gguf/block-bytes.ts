import { float16ToNumber } from '../../tensor/index.js';

/** Decodes whole blocks into as many numbers as they hold. */
export type Decode = (bytes: Uint8Array, out: Float32Array) => void;

export const byte = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;

/** A byte as a whole number from -128 to 127. */
export const signed = (bytes: Uint8Array, at: number): number => (byte(bytes, at) << 24) >> 24;

/** A float16, little-endian. */
export const half = (bytes: Uint8Array, at: number): number =>
  float16ToNumber(byte(bytes, at) | (byte(bytes, at + 1) << 8));

/** Bit `i` of the bytes from `at` on, the lowest first. */
export const bit = (bytes: Uint8Array, at: number, i: number): number => (byte(bytes, at + (i >> 3)) >> (i & 7)) & 1;
