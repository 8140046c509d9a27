import { dequantize } from './gguf/dequantize.js';
import type { Weights } from './weights.js';
import { widen } from './widen.js';

/**
 * One row of a matrix as float32, without reading the rest of it where its rows lie whole in the file.
 * @throws ModelError TENSOR_MISSING, FILE_UNREADABLE
 */
export const readRow = async (weights: Weights, name: string, row: number): Promise<Float32Array> => {
  const { shape, dtype, length, encoding } = weights.info(name);
  const [rows = 1, width = 1] = shape;
  if (encoding && encoding.layout !== 'plain')
    return (await weights.read(name)).data.slice(row * width, (row + 1) * width);
  const rowBytes = length / rows;
  const bytes = await weights.readBytes(name, row * rowBytes, rowBytes);
  return encoding ? dequantize(encoding.type, bytes) : widen(dtype, Uint8Array.from(bytes).buffer);
};
