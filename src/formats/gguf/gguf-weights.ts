import { ModelError, bug, nearest } from '../../base/index.js';
import { sizeOf, type Tensor } from '../../tensor/index.js';
import type { WeightInfo, Weights } from '../weights.js';
import { dequantize, isReadable, plainDType, unreadableType } from './dequantize.js';
import { ggmlLayouts } from './ggml-types.js';
import type { GgufSource } from './gguf.js';
import { placing, planeOf, shapeOf, type MappedTensor } from './layout.js';

/** Bytes decoded at a time, at most, or one row: what reading takes besides the tensor itself. */
const pieceBytes = 2 ** 20;

const infoOf = (tensor: MappedTensor, file: string): WeightInfo => {
  const { name, stored, layout } = tensor;
  const { type, offset, length } = stored;
  const dtype = plainDType(type);
  const asItIs = dtype !== undefined && layout.kind === 'plain';
  const encoding = isReadable(type) && !asItIs ? { encoding: { type, layout: layout.kind } } : {};
  return { name, dtype: dtype ?? 'float32', shape: shapeOf(tensor), file, offset, length, ...encoding };
};

/** Rows as they are stored, decoded. */
const storedRows = async (
  source: GgufSource,
  { name, stored }: MappedTensor,
  { from, count, width }: { from: number; count: number; width: number },
): Promise<Float32Array> => {
  const { type, offset } = stored;
  if (!isReadable(type)) throw unreadableType(source.name, name, type);
  const rowBytes = (width / ggmlLayouts[type].numbers) * ggmlLayouts[type].bytes;
  return dequantize(type, await source.read(offset + from * rowBytes, count * rowBytes));
};

const readTensor = async (source: GgufSource, tensor: MappedTensor): Promise<Tensor<'float32'>> => {
  const shape = shapeOf(tensor);
  const data = new Float32Array(sizeOf(shape));
  const { rows, width } = planeOf(tensor);
  const place = placing(tensor);
  const wholeBlocks = width % ggmlLayouts[tensor.stored.type].numbers === 0; // a vector in blocks, as a column, is not cut
  const atOnce = wholeBlocks ? Math.max(1, Math.floor((pieceBytes * rows) / Math.max(1, tensor.stored.length))) : rows;
  for (let from = 0; from < rows; from += atOnce) {
    const count = Math.min(atOnce, rows - from);
    place(data, await storedRows(source, tensor, { from, count, width }), from);
  }
  return { dtype: 'float32', shape, data };
};

const missing = (file: string, name: string, names: Iterable<string>): ModelError =>
  new ModelError(`${file} has no tensor ${name}`, {
    code: 'TENSOR_MISSING',
    hint: `The nearest names: ${nearest(name, [...names]).join(', ')}.`,
    details: { name },
  });

/**
 * The weights of a GGUF file, under Hugging Face's names and in its layout. Tensors in blocks, and those that the
 * converter rearranged, have an `encoding`: their bytes are not their numbers.
 * @param path of the file, absolute and real
 */
export const ggufWeights = (
  source: GgufSource & { readonly path: string; close(): Promise<void> },
  tensors: readonly MappedTensor[],
): Weights => {
  const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const of = (name: string): MappedTensor => {
    const tensor = byName.get(name);
    if (tensor) return tensor;
    throw missing(source.name, name, byName.keys());
  };
  return {
    names: () => [...byName.keys()],
    info: (name) => infoOf(of(name), source.path),
    read: async (name) => readTensor(source, of(name)),
    readBytes: async (name, start, length) => {
      const { stored } = of(name);
      if (start < 0 || length < 0 || start + length > stored.length) throw bug(`bytes outside tensor ${name}`);
      return source.read(stored.offset + start, length);
    },
    close: () => source.close(),
  };
};
