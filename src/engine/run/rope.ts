import type { Rope, RopeScaling } from '../../graph/index.js';

const round = Math.fround;

/** base^(−2i/dim), i < dim/2, in float32 as PyTorch computes it. Su 2021 §3.3. */
const plainFrequencies = (dim: number, base: number): Float32Array =>
  Float32Array.from({ length: dim / 2 }, (_, i) => 1 / round(base ** round((2 * i) / dim)));

/** Low frequencies are divided by the factor, high ones stay, those between are mixed. Dubey 2024 (Llama 3.1). */
const llama3 = (frequencies: Float32Array, s: RopeScaling & { kind: 'llama3' }): Float32Array =>
  frequencies.map((f) => {
    const wavelength = (2 * Math.PI) / f;
    if (wavelength < s.originalLength / s.highFreqFactor) return f;
    if (wavelength > s.originalLength / s.lowFreqFactor) return f / s.factor;
    const smooth = (s.originalLength / wavelength - s.lowFreqFactor) / (s.highFreqFactor - s.lowFreqFactor);
    return ((1 - smooth) * f) / s.factor + smooth * f;
  });

/** The base that stretches the frequencies as far as the sequence goes. "NTK-aware" scaling, as transformers does it. */
const dynamicBase = (rope: Rope, s: RopeScaling & { kind: 'dynamic' }, length: number): number => {
  const reach = Math.max(length, s.originalLength);
  const stretch = (s.factor * reach) / s.originalLength - (s.factor - 1);
  return rope.base * stretch ** (rope.dim / (rope.dim - 2));
};

/** Dimension at which a frequency turns `rotations` times within the original length. Peng 2023 (YaRN) eq. 17. */
const correctionDim = (rotations: number, rope: Rope, originalLength: number): number =>
  (rope.dim * Math.log(originalLength / (rotations * 2 * Math.PI))) / (2 * Math.log(rope.base));

/** Interpolated and original frequencies, mixed along a ramp over the dimensions. Peng 2023 (YaRN) §3.2. */
const yarn = (frequencies: Float32Array, rope: Rope, s: RopeScaling & { kind: 'yarn' }): Float32Array => {
  const [fast, slow] = [s.betaFast, s.betaSlow].map((beta) => correctionDim(beta, rope, s.originalLength));
  const [low, high] = s.truncate ? [Math.floor(fast ?? 0), Math.ceil(slow ?? 0)] : [fast ?? 0, slow ?? 0];
  const [from, to] = [Math.max(low, 0), Math.min(high, rope.dim - 1)];
  const span = from === to ? 0.001 : to - from;
  return frequencies.map((f, i) => {
    const ramp = Math.min(1, Math.max(0, (i - from) / span));
    return (f / s.factor) * ramp + f * (1 - ramp);
  });
};

/** Each frequency divided by its factor, 1 where the list is too short. Ding 2024 (LongRoPE), as Phi-3 has it. */
const longrope = (rope: Rope, s: RopeScaling & { kind: 'longrope' }, length: number): Float32Array => {
  const factors = length > s.originalLength ? s.longFactors : s.shortFactors;
  return Float32Array.from(
    { length: rope.dim / 2 },
    (_, i) => 1 / round(round(factors[i] ?? 1) * round(rope.base ** round((2 * i) / rope.dim))),
  );
};

/** Radians a position, for each pair of dimensions, at a sequence of `length` tokens. [dim / 2] */
export const frequencies = (rope: Rope, length: number): Float32Array => {
  const { scaling } = rope;
  const plain = plainFrequencies(rope.dim, rope.base);
  switch (scaling.kind) {
    case 'none':
      return plain;
    case 'linear':
      return plain.map((f) => f / scaling.factor);
    case 'dynamic':
      return plainFrequencies(rope.dim, dynamicBase(rope, scaling, length));
    case 'llama3':
      return llama3(plain, scaling);
    case 'yarn':
      return yarn(plain, rope, scaling);
    case 'longrope':
      return longrope(rope, scaling, length);
  }
};

/**
 * cos and sin of position · frequency, both halves of the head alike.
 * @returns each [positions · dim], row-major
 */
export const rotaryTables = (
  rope: Rope,
  positions: readonly number[],
  length: number,
): { readonly cos: Float32Array; readonly sin: Float32Array } => {
  const f = frequencies(rope, length);
  const attention = 'attentionFactor' in rope.scaling ? rope.scaling.attentionFactor : 1;
  const [cos, sin] = [new Float32Array(positions.length * rope.dim), new Float32Array(positions.length * rope.dim)];
  positions.forEach((position, row) => {
    for (let i = 0; i < rope.dim; i++) {
      const angle = round(position * (f[i % f.length] ?? 0));
      cos[row * rope.dim + i] = round(Math.cos(angle)) * attention;
      sin[row * rope.dim + i] = round(Math.sin(angle)) * attention;
    }
  });
  return { cos, sin };
};
