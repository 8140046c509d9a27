import { describe, expect, it } from 'vitest';
import { bfloat16ToFloat32, bfloat16ToNumber, float16ToFloat32, float16ToNumber } from './half.js';

describe('float16', () => {
  it.each([
    [0x0000, 0],
    [0x8000, -0],
    [0x3c00, 1],
    [0xc000, -2],
    [0x3555, 0.333251953125],
    [0x7bff, 65504],
    [0x0400, 2 ** -14],
    [0x0001, 2 ** -24],
    [0x03ff, 1023 * 2 ** -24],
    [0x7c00, Infinity],
    [0xfc00, -Infinity],
    [0x7e00, NaN],
    [0xfc01, NaN],
  ])('bits %i are %d', (bits, value) => expect(float16ToNumber(bits)).toBe(value));
  it('rises with its bits, exact in float32', () => {
    const values = float16ToFloat32(Uint16Array.from({ length: 0x7c01 }, (_, bits) => bits));
    expect(values.findIndex((value, bits) => bits > 0 && value <= (values[bits - 1] ?? 0))).toBe(-1);
    expect(values.findIndex((value, bits) => value !== float16ToNumber(bits))).toBe(-1);
  });
});

describe('bfloat16', () => {
  it.each([
    [0x0000, 0],
    [0x8000, -0],
    [0x3f80, 1],
    [0xc049, -3.140625],
    [0x0001, 2 ** -133],
    [0x7f7f, 3.3895313892515355e38],
    [0x7f80, Infinity],
    [0xff80, -Infinity],
    [0x7fc0, NaN],
  ])('bits %i are %d', (bits, value) => {
    expect(bfloat16ToNumber(bits)).toBe(value);
    expect(bfloat16ToFloat32(Uint16Array.of(bits))[0]).toBe(value);
  });
  it('is the upper half of a float32', () => {
    const bits = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const words = new Uint32Array(bfloat16ToFloat32(bits).buffer);
    expect(words.every((word, i) => word === i * 65536)).toBe(true);
  });
});
