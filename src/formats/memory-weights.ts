import { bug } from '../base/index.js';
import { bytesPer, sizeOf, type Tensor } from '../tensor/index.js';
import { parseHeader } from './safetensors.js';
import { placesIn, type Place } from './weight-places.js';
import type { WeightFile, Weights } from './weights.js';
import { widen } from './widen.js';

/** Bytes converted at a time, so that widening takes no second copy of a tensor. A multiple of every dtype's size. */
const pieceBytes = 8 * 2 ** 20;

/** A safetensors file that is in memory. */
export interface MemoryFile {
  /** `model.safetensors`: for messages, and to tell files apart. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

type Held = WeightFile & MemoryFile;

const readTensor = ({ file, info }: Place<Held>): Tensor<'float32'> => {
  const { dtype, shape, offset, length } = info;
  const data = new Float32Array(sizeOf(shape));
  for (let at = 0; at < length; at += pieceBytes) {
    const view = file.bytes.subarray(offset + at, offset + Math.min(at + pieceBytes, length));
    const piece = Uint8Array.from(view); // a copy is aligned, a view need not be
    data.set(widen(dtype, piece.buffer), at / bytesPer[dtype]);
  }
  return { dtype: 'float32', shape, data };
};

/**
 * Weights whose files are in memory, as in a browser. `readBytes` gives a view, no copy: it is not to be written to.
 * The files of a model in shards are all given; its index is not needed.
 * @throws ModelError SAFETENSORS_INVALID
 */
export const makeMemoryWeights = (files: readonly MemoryFile[]): Weights => {
  const held = files.map(({ name, bytes }): Held => {
    const { tensors } = parseHeader(bytes, bytes.length, name);
    return { path: name, tensors, name, bytes };
  });
  const places = placesIn(held);
  return {
    names: places.names,
    info: (name) => places.of(name).info,
    read: async (name) => readTensor(places.of(name)),
    readBytes: async (name, start, length) => {
      const { file, info } = places.of(name);
      if (start < 0 || length < 0 || start + length > info.length) throw bug(`bytes outside tensor ${name}`);
      const from = info.offset + start;
      return file.bytes.subarray(from, from + length);
    },
    close: () => Promise.resolve(),
  };
};
