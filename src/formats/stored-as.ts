import { plainDType } from './gguf/dequantize.js';
import type { WeightInfo } from './weights.js';

/** What a tensor's numbers are in the file: `bfloat16`, or the kind of its blocks, `Q4_K`. */
export const storedAs = ({ dtype, encoding }: WeightInfo): string =>
  encoding && plainDType(encoding.type) === undefined ? encoding.type : dtype;
