import { realpath, type FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { bug } from '../base/index.js';
import { bytesPer, sizeOf, type Tensor } from '../tensor/index.js';
import { openFile, readInto, unreadable } from './file.node.js';
import { headerEnd, parseHeader } from './safetensors.js';
import { placesIn, type Place } from './weight-places.js';
import type { WeightFile, Weights } from './weights.js';
import { widen } from './widen.js';

/** Bytes converted at a time: narrow numbers are widened piece by piece. A multiple of every dtype's size. */
const pieceBytes = 8 * 2 ** 20;

/** A safetensors file that is open, its header read. */
export interface OpenWeightFile extends WeightFile {
  readonly handle: FileHandle;
}

/**
 * Opens a safetensors file and reads its header, nothing else.
 * @throws ModelError FILE_UNREADABLE, SAFETENSORS_INVALID
 */
export const openWeightFile = async (file: string): Promise<OpenWeightFile> => {
  const real = await realpath(file).catch((cause: unknown) => {
    throw unreadable(file, cause);
  });
  const { handle, size } = await openFile(real);
  try {
    const name = path.basename(file);
    const start = new Uint8Array(Math.min(8, size));
    await readInto({ handle, path: real }, start, 0);
    const bytes = new Uint8Array(headerEnd(start, size, name));
    await readInto({ handle, path: real }, bytes, 0);
    return { path: real, tensors: parseHeader(bytes, size, name).tensors, handle };
  } catch (error) {
    await handle.close();
    throw error;
  }
};

const readTensor = async ({ file, info }: Place<OpenWeightFile>): Promise<Tensor<'float32'>> => {
  const { dtype, shape } = info;
  const data = new Float32Array(sizeOf(shape));
  if (dtype === 'float32') await readInto(file, new Uint8Array(data.buffer), info.offset);
  else
    for (let at = 0; at < info.length; at += pieceBytes) {
      const piece = new Uint8Array(Math.min(pieceBytes, info.length - at));
      await readInto(file, piece, info.offset + at);
      data.set(widen(dtype, piece.buffer), at / bytesPer[dtype]);
    }
  return { dtype: 'float32', shape, data };
};

/** The weights in some open files. Where two files hold a name, the first counts, or the one that `listed` names. */
export const makeWeights = (
  files: readonly OpenWeightFile[],
  listed: ReadonlyMap<string, OpenWeightFile> = new Map(),
): Weights => {
  const places = placesIn(files, listed);
  return {
    names: places.names,
    info: (name) => places.of(name).info,
    read: async (name) => readTensor(places.of(name)),
    readBytes: async (name, start, length) => {
      const { file, info } = places.of(name);
      if (start < 0 || length < 0 || start + length > info.length) throw bug(`bytes outside tensor ${name}`);
      const bytes = new Uint8Array(length);
      await readInto(file, bytes, info.offset + start);
      return bytes;
    },
    close: async () => {
      await Promise.all(files.map((file) => file.handle.close()));
    },
  };
};

/** The weights of one safetensors file, for vectors and patches that stand alone. @throws as `openWeightFile` */
export const openWeights = async (file: string): Promise<Weights> => makeWeights([await openWeightFile(file)]);
