import { byte, half, signed, type Decode } from './block-bytes.js';

/**
 * Super-blocks of 256 numbers, whose blocks of 16 or 32 have scales that are whole numbers themselves.
 * @source ggml `ggml-quants.c`, `dequantize_row_q2_K` and those after it
 */
const numbers = 256;

/** 16 scales and minima of 4 bits, 256 numbers of 2 bits, d and dmin float16: d·scale·q - dmin·min. */
export const q2K: Decode = (bytes, out) => {
  for (let at = 0, to = 0; at < bytes.length; at += 84, to += numbers) {
    const [d, dmin] = [half(bytes, at + 80), half(bytes, at + 82)];
    for (let i = 0; i < numbers; i++) {
      const scale = byte(bytes, at + (i >> 4));
      const q = (byte(bytes, at + 16 + (i >> 7) * 32 + (i & 31)) >> (((i >> 5) & 3) * 2)) & 3;
      out[to + i] = d * (scale & 15) * q - dmin * (scale >> 4);
    }
  }
};

/** Scale `k` of 16, of 6 bits, less 32: four bits low, two high, packed into 12 bytes. */
const q3Scale = (bytes: Uint8Array, at: number, k: number): number => {
  const low = k < 8 ? byte(bytes, at + k) & 15 : byte(bytes, at + k - 8) >> 4;
  const high = (byte(bytes, at + 8 + (k & 3)) >> ((k >> 2) * 2)) & 3;
  return (low | (high << 4)) - 32;
};

/** 256 high bits, 256 numbers of 2 bits, 16 scales, d float16: d·scale·q, where a high bit of 0 takes 4 from q. */
export const q3K: Decode = (bytes, out) => {
  for (let at = 0, to = 0; at < bytes.length; at += 110, to += numbers) {
    const d = half(bytes, at + 108);
    for (let i = 0; i < numbers; i++) {
      const low = (byte(bytes, at + 32 + (i >> 7) * 32 + (i & 31)) >> (((i >> 5) & 3) * 2)) & 3;
      const high = (byte(bytes, at + (i & 31)) >> (i >> 5)) & 1;
      out[to + i] = d * q3Scale(bytes, at + 96, i >> 4) * (low - (high === 1 ? 0 : 4));
    }
  }
};

/** Scale and minimum `k` of 8, each of 6 bits, packed into 12 bytes. */
const scaleAndMin = (bytes: Uint8Array, at: number, k: number): readonly [number, number] => {
  if (k < 4) return [byte(bytes, at + k) & 63, byte(bytes, at + 4 + k) & 63];
  const both = byte(bytes, at + 4 + k);
  return [(both & 15) | ((byte(bytes, at + k - 4) >> 2) & 0x30), (both >> 4) | ((byte(bytes, at + k) >> 2) & 0x30)];
};

/** d and dmin float16, 8 scales and minima, 256 numbers of 4 bits: d·scale·q - dmin·min. */
export const q4K: Decode = (bytes, out) => {
  for (let at = 0, to = 0; at < bytes.length; at += 144, to += numbers) {
    const [d, dmin] = [half(bytes, at), half(bytes, at + 2)];
    for (let k = 0; k < 8; k++) {
      const [scale, min] = scaleAndMin(bytes, at + 4, k);
      for (let i = 0; i < 32; i++) {
        const q = (byte(bytes, at + 16 + (k >> 1) * 32 + i) >> ((k & 1) * 4)) & 15;
        out[to + k * 32 + i] = d * scale * q - dmin * min;
      }
    }
  }
};

/** As `q4K`, with a fifth bit for each number. */
export const q5K: Decode = (bytes, out) => {
  for (let at = 0, to = 0; at < bytes.length; at += 176, to += numbers) {
    const [d, dmin] = [half(bytes, at), half(bytes, at + 2)];
    for (let k = 0; k < 8; k++) {
      const [scale, min] = scaleAndMin(bytes, at + 4, k);
      for (let i = 0; i < 32; i++) {
        const low = (byte(bytes, at + 48 + (k >> 1) * 32 + i) >> ((k & 1) * 4)) & 15;
        const high = (byte(bytes, at + 16 + i) >> k) & 1;
        out[to + k * 32 + i] = d * scale * (low | (high << 4)) - dmin * min;
      }
    }
  }
};

/** 256 numbers of 4 low bits, then their 2 high bits, 16 scales of 8 bits, d float16: d·scale·(q - 32). */
export const q6K: Decode = (bytes, out) => {
  for (let at = 0, to = 0; at < bytes.length; at += 210, to += numbers) {
    const d = half(bytes, at + 208);
    for (let k = 0; k < 8; k++)
      for (let i = 0; i < 32; i++) {
        const [upper, quarter] = [k >> 2, k & 3];
        const low = (byte(bytes, at + upper * 64 + (quarter & 1) * 32 + i) >> ((quarter >> 1) * 4)) & 15;
        const high = (byte(bytes, at + 128 + upper * 32 + i) >> (quarter * 2)) & 3;
        const scale = signed(bytes, at + 192 + k * 2 + (i >> 4));
        out[to + k * 32 + i] = d * scale * ((low | (high << 4)) - 32);
      }
  }
};
