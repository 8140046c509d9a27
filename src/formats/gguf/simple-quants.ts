import { bit, byte, half, signed, type Decode } from './block-bytes.js';

/**
 * Blocks of 32 numbers with one scale: q·d, or q·d + m. The low halves of 16 bytes are the first 16 numbers, the high
 * halves the rest; a fifth bit stands apart.
 * @source ggml `ggml-quants.c`, `dequantize_row_q4_0` and those after it
 */

/** d float16, 32 whole numbers of 8 bits. */
export const q8_0: Decode = (bytes, out) => {
  for (let at = 0, to = 0; at < bytes.length; at += 34, to += 32) {
    const d = half(bytes, at);
    for (let i = 0; i < 32; i++) out[to + i] = signed(bytes, at + 2 + i) * d;
  }
};

/** d float16, 16 bytes. */
export const q4_0: Decode = (bytes, out) => {
  for (let at = 0, to = 0; at < bytes.length; at += 18, to += 32) {
    const d = half(bytes, at);
    for (let i = 0; i < 16; i++) {
      const q = byte(bytes, at + 2 + i);
      out[to + i] = d * ((q & 15) - 8);
      out[to + 16 + i] = d * ((q >> 4) - 8);
    }
  }
};

/** d and m float16, 16 bytes. */
export const q4_1: Decode = (bytes, out) => {
  for (let at = 0, to = 0; at < bytes.length; at += 20, to += 32) {
    const [d, m] = [half(bytes, at), half(bytes, at + 2)];
    for (let i = 0; i < 16; i++) {
      const q = byte(bytes, at + 4 + i);
      out[to + i] = d * (q & 15) + m;
      out[to + 16 + i] = d * (q >> 4) + m;
    }
  }
};

/** d float16, 32 fifth bits, 16 bytes. */
export const q5_0: Decode = (bytes, out) => {
  for (let at = 0, to = 0; at < bytes.length; at += 22, to += 32) {
    const d = half(bytes, at);
    for (let i = 0; i < 16; i++) {
      const q = byte(bytes, at + 6 + i);
      out[to + i] = d * (((q & 15) | (bit(bytes, at + 2, i) << 4)) - 16);
      out[to + 16 + i] = d * (((q >> 4) | (bit(bytes, at + 2, i + 16) << 4)) - 16);
    }
  }
};

/** d and m float16, 32 fifth bits, 16 bytes. */
export const q5_1: Decode = (bytes, out) => {
  for (let at = 0, to = 0; at < bytes.length; at += 24, to += 32) {
    const [d, m] = [half(bytes, at), half(bytes, at + 2)];
    for (let i = 0; i < 16; i++) {
      const q = byte(bytes, at + 8 + i);
      out[to + i] = d * ((q & 15) | (bit(bytes, at + 4, i) << 4)) + m;
      out[to + 16 + i] = d * ((q >> 4) | (bit(bytes, at + 4, i + 16) << 4)) + m;
    }
  }
};
