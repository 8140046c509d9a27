import { rename, unlink } from 'node:fs/promises';
import { encodeSafetensors, type NamedTensor } from './safetensors-write.js';
import { openBeside, targetOf, unwritable, writeAll } from './whole-file.node.js';

/** Writes a file of pieces: whole and on disk under its name, or not at all. */
const writeWhole = async (file: string, chunks: Iterable<Uint8Array>): Promise<void> => {
  const target = await targetOf(file);
  const { handle, temporary } = await openBeside(target);
  try {
    await writeAll(handle, chunks).finally(() => handle.sync().finally(() => handle.close()));
    await rename(temporary, target);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
};

/**
 * Writes tensors as a safetensors file: to a temporary file beside it, synced, then renamed. No copy is made of them.
 * @throws UsageError OUT_UNWRITABLE; what was under that name before is then still there
 */
export const writeSafetensorsFile = async (
  file: string,
  tensors: Iterable<NamedTensor>,
  metadata?: Readonly<Record<string, string>>,
): Promise<void> => {
  const chunks = encodeSafetensors(tensors, metadata);
  try {
    await writeWhole(file, chunks);
  } catch (cause) {
    throw unwritable(file, cause);
  }
};
