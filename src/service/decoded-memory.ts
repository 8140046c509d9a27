import { UsageError } from '../base/index.js';
import type { Weights } from '../formats/index.js';
import { float32Bytes, type Program } from '../graph/index.js';
import { formatBytes } from './bytes.js';
import { paramsOf } from './check-weights.js';

/**
 * Quantised weights are decoded to float32 and cannot be mapped from the file: they must fit into memory.
 * @param freeBytes memory that can be taken
 * @throws UsageError MEMORY_LIMIT
 */
export const checkDecodedFits = (model: { program: Program; weights: Weights }, freeBytes: number): void => {
  const encoded = paramsOf(model.program).filter(({ name }) => model.weights.info(name).encoding);
  const bytes = float32Bytes(encoded);
  if (bytes <= freeBytes) return;
  throw new UsageError(
    `decoded to float32, the model takes ${formatBytes(bytes)}; ${formatBytes(freeBytes)} are free`,
    {
      code: 'MEMORY_LIMIT',
      hint: 'Close other programs, take a smaller model, or the model as safetensors, which need not fit into memory.',
      details: { bytes, limit: freeBytes },
    },
  );
};
