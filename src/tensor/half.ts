/** Numbers of 16 bits, as float32. */

const scratch = new DataView(new ArrayBuffer(4));

/** One float16 (IEEE 754 binary16) bit pattern as a number. */
export const float16ToNumber = (bits: number): number => {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
};

/** One bfloat16 bit pattern as a number: the upper half of a float32. */
export const bfloat16ToNumber = (bits: number): number => {
  scratch.setUint32(0, bits << 16);
  return scratch.getFloat32(0);
};

/** float16 bit patterns as float32, through a table of all 65,536 where there are many. */
export const float16ToFloat32 = (bits: Uint16Array): Float32Array => {
  if (bits.length < 16_384) return Float32Array.from(bits, float16ToNumber);
  const out = new Float32Array(bits.length);
  const table = float16Table();
  for (let i = 0; i < bits.length; i++) out[i] = table[bits[i] ?? 0] ?? 0;
  return out;
};

const float16Table = (): Float32Array => Float32Array.from({ length: 65536 }, (_, bits) => float16ToNumber(bits));

/** bfloat16 bit patterns as float32: exact, each is the upper half of a float32. */
export const bfloat16ToFloat32 = (bits: Uint16Array): Float32Array => {
  const out = new Uint32Array(bits.length);
  for (let i = 0; i < bits.length; i++) out[i] = (bits[i] ?? 0) << 16;
  return new Float32Array(out.buffer);
};

/** A number as a float16 bit pattern: the nearest, of two the even one; beyond 65,504 infinity. NaN stays NaN. */
export const numberToFloat16 = (x: number): number => {
  if (Number.isNaN(x)) return 0x7e00;
  const sign = x < 0 || Object.is(x, -0) ? 0x8000 : 0;
  const size = Math.abs(x);
  if (size >= 65520) return sign | 0x7c00;
  const exponent = Math.max(-14, Math.floor(Math.log2(size)));
  // log2 may be off by one beside a power of two: a fraction of 1024 or more then carries into the exponent.
  const units = roundEven(size / 2 ** (exponent - 10));
  return sign | (units < 1024 ? units : units + (exponent + 14) * 1024);
};

const roundEven = (x: number): number => {
  const floor = Math.floor(x);
  const rest = x - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
};
