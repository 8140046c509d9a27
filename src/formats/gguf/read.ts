import { MoreNeeded } from './cursor.js';
import type { GgufFile, GgufSource } from './gguf.js';
import { parseGguf } from './header.js';
import { invalidGguf } from './invalid.js';

/** Larger than most headers; a vocabulary of 256,000 tokens takes some 20 MB. */
const firstBytes = 2 ** 20;
/** A longer header is refused. */
const longestHeaderBytes = 100_000_000;

/** A GGUF file that is in memory. */
export const memorySource = (name: string, bytes: Uint8Array): GgufSource => ({
  name,
  size: bytes.length,
  read: (offset, length) => Promise.resolve(bytes.subarray(offset, offset + length)),
});

const tryParse = (bytes: Uint8Array, source: GgufSource): GgufFile | undefined => {
  try {
    return parseGguf(bytes, source);
  } catch (error) {
    if (error instanceof MoreNeeded) return undefined;
    throw error;
  }
};

/**
 * Reads the header of a GGUF file of version 2 or 3, little-endian: metadata, and where the tensors lie. More of the
 * file is read as long as the header goes on, at most 100 MB.
 * @throws ModelError GGUF_INVALID, TENSOR_DTYPE, FILE_UNREADABLE
 */
export const readGguf = async (source: GgufSource): Promise<GgufFile> => {
  for (let length = firstBytes; ; length *= 4) {
    const given = Math.min(length, longestHeaderBytes, source.size);
    const file = tryParse(await source.read(0, given), source);
    if (file) return file;
    if (given === longestHeaderBytes) throw invalidGguf(source.name, 'its header goes on beyond 100 MB');
  }
};
