import { realpath } from 'node:fs/promises';
import { openFile, readInto, unreadable } from '../file.node.js';
import type { GgufFile, GgufSource } from './gguf.js';
import { readGguf } from './read.js';

/** A file that is open for reading. */
export interface GgufFileSource extends GgufSource {
  /** Absolute and real. */
  readonly path: string;
  close(): Promise<void>;
}

/** @throws ModelError FILE_UNREADABLE */
export const openGgufSource = async (file: string): Promise<GgufFileSource> => {
  const path = await realpath(file).catch((cause: unknown) => {
    throw unreadable(file, cause);
  });
  const { handle, size } = await openFile(path);
  return {
    ...{ name: file, path, size },
    read: async (offset, length) => {
      const bytes = new Uint8Array(length);
      await readInto({ handle, path }, bytes, offset);
      return bytes;
    },
    close: () => handle.close(),
  };
};

/**
 * The header of a GGUF file on disk, such as one that holds a vocabulary alone.
 * @throws ModelError GGUF_INVALID, TENSOR_DTYPE, FILE_UNREADABLE
 */
export const readGgufFile = async (file: string): Promise<GgufFile> => {
  const source = await openGgufSource(file);
  try {
    return await readGguf(source);
  } finally {
    await source.close();
  }
};
