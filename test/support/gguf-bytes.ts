/** A value of a GGUF file's metadata with its type, as it is written. */
export type GgufField =
  | readonly ['u32', number]
  | readonly ['i64', bigint]
  | readonly ['u64', bigint]
  | readonly ['f32', number]
  | readonly ['bool', boolean]
  | readonly ['text', string]
  | readonly ['array', readonly GgufField[]];

export interface GgufParts {
  readonly magic?: string;
  readonly version?: number;
  readonly metadata?: readonly (readonly [string, GgufField])[];
  /** `dims` in ggml's order; `type` by its number; the offset from the start of the data. */
  readonly tensors?: readonly { name: string; dims: readonly number[]; type: number; offset: number }[];
  /** What stands in the data, after the header and its padding. */
  readonly dataBytes?: number;
  readonly alignment?: number;
}

const typeIds = { u32: 4, f32: 6, bool: 7, text: 8, array: 9, u64: 10, i64: 11 } as const;

const packed = (size: number, write: (view: DataView) => void): number[] => {
  const bytes = new Uint8Array(size);
  write(new DataView(bytes.buffer));
  return [...bytes];
};
export const u32 = (value: number): number[] => packed(4, (v) => v.setUint32(0, value, true));
export const u64 = (value: number | bigint): number[] => packed(8, (v) => v.setBigUint64(0, BigInt(value), true));
export const text = (value: string): number[] => {
  const bytes = [...new TextEncoder().encode(value)];
  return [...u64(bytes.length), ...bytes];
};

const bare = (field: GgufField): number[] => {
  switch (field[0]) {
    case 'u32':
      return u32(field[1]);
    case 'u64':
      return u64(field[1]);
    case 'i64':
      return packed(8, (v) => v.setBigInt64(0, field[1], true));
    case 'f32':
      return packed(4, (v) => v.setFloat32(0, field[1], true));
    case 'bool':
      return [field[1] ? 1 : 0];
    case 'text':
      return text(field[1]);
    case 'array': {
      const [first] = field[1];
      return [...u32(typeIds[first?.[0] ?? 'u32']), ...u64(field[1].length), ...field[1].flatMap(bare)];
    }
  }
};

/** The bytes of a GGUF file, right or wrong as its parts are. */
export const ggufBytes = (parts: GgufParts): Uint8Array => {
  const { magic = 'GGUF', version = 3, metadata = [], tensors = [], dataBytes = 0, alignment = 32 } = parts;
  const header = [
    ...new TextEncoder().encode(magic),
    ...u32(version),
    ...u64(tensors.length),
    ...u64(metadata.length),
    ...metadata.flatMap(([key, field]) => [...text(key), ...u32(typeIds[field[0]]), ...bare(field)]),
    ...tensors.flatMap(({ name, dims, type, offset }) => [
      ...text(name),
      ...u32(dims.length),
      ...dims.flatMap(u64),
      ...u32(type),
      ...u64(offset),
    ]),
  ];
  const start = Math.ceil(header.length / alignment) * alignment;
  const bytes = new Uint8Array(start + dataBytes);
  bytes.set(header);
  return bytes;
};
