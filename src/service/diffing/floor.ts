/**
 * Relative differences that rounding makes by itself, by how numbers are stored: float32 below 5e-5 in eager execution,
 * where 1e-4 and more is suspicious; bfloat16 below 1e-2 (TransformerLens's guide). Quantised weights: half a step of
 * their blocks, and what layers make of it.
 */
const floors: readonly (readonly [RegExp, number])[] = [
  [/^float(32|64)$|^F32$/i, 1e-4],
  [/^(bfloat16|float16|BF16|F16)$/i, 1e-2],
  [/^Q8/i, 0.05],
  [/^(I?Q[56])/i, 0.15],
  [/^(I?Q4|MXFP4)/i, 0.3],
];

const ofDtype = (dtype: string | undefined): number =>
  dtype === undefined ? 1e-4 : (floors.find(([name]) => name.test(dtype))?.[1] ?? 0.5);

/**
 * The floor for two sides. Two that are stored alike are computed alike: their numbers agree as float32 ones do.
 */
export const floorFor = ([a, b]: readonly [string | undefined, string | undefined]): number =>
  a === b ? 1e-4 : Math.max(ofDtype(a), ofDtype(b));
