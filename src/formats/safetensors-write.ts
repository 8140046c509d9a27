import { bug } from '../base/index.js';
import { bytesPer, type Tensor } from '../tensor/index.js';
import { safetensorsDTypes } from './safetensors.js';

/** A tensor and its name. */
export type NamedTensor = readonly [name: string, tensor: Tensor];

const bytesOf = ({ data }: Tensor): Uint8Array => new Uint8Array(data.buffer, data.byteOffset, data.byteLength);

/** The length, then the header's JSON, filled up with spaces so that the data begins at a multiple of 8. */
const encodeHeader = (header: object): Uint8Array => {
  const json = new TextEncoder().encode(JSON.stringify(header));
  const bytes = new Uint8Array(8 + Math.ceil(json.length / 8) * 8).fill(0x20);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(bytes.length - 8), true);
  bytes.set(json, 8);
  return bytes;
};

/**
 * A safetensors file, in pieces to be written one after the other: the header, then each tensor's own memory. Wider
 * numbers come first, so that all are aligned.
 * @param metadata texts for `__metadata__`
 */
export const encodeSafetensors = (
  tensors: Iterable<NamedTensor>,
  metadata: Readonly<Record<string, string>> = {},
): readonly Uint8Array[] => {
  const sorted = [...tensors].sort(([, a], [, b]) => bytesPer[b.dtype] - bytesPer[a.dtype]);
  const entries = new Map<string, object>();
  if (Object.keys(metadata).length > 0) entries.set('__metadata__', metadata);
  let at = 0;
  for (const [name, { dtype, shape, data }] of sorted) {
    if (entries.has(name) || name === '__metadata__') throw bug(`two tensors cannot be named ${name}`);
    entries.set(name, { dtype: safetensorsDTypes[dtype], shape, data_offsets: [at, at + data.byteLength] });
    at += data.byteLength;
  }
  return [encodeHeader(Object.fromEntries(entries)), ...sorted.map(([, tensor]) => bytesOf(tensor))];
};
