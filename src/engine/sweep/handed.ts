import { bug } from '../../base/index.js';
import { range, type FloatTensor, type Tensor } from '../../tensor/index.js';

/** What each member of a batch is handed, by name: [1, row, ...] each. */
export type Handed = ReadonlyMap<string, readonly Tensor[]>;

/** What a batch was given, [member, row, ...] -> of each member; no numbers are copied. */
export const byMember = (outputs: ReadonlyMap<string, Tensor>): Handed =>
  new Map(
    [...outputs].map(([name, value]) => [
      name,
      Array.from({ length: value.shape[0] ?? 0 }, (_, b) => range(value, 0, [b, b + 1])),
    ]),
  );

/** What members were given in several calls. */
export const oneAfterAnother = (parts: readonly Handed[]): Handed => {
  const names = [...(parts[0]?.keys() ?? [])];
  return new Map(names.map((name) => [name, parts.flatMap((part) => part.get(name) ?? [])]));
};

/** The bits of a tensor. */
const wordsOf = ({ data }: Tensor): Uint8Array | Uint32Array =>
  data instanceof Uint8Array ? data : new Uint32Array(data.buffer, data.byteOffset, data.byteLength / 4);

/**
 * Which rows of a value are not another's, bit by bit; undefined: none.
 * @param count of rows; undefined: it has none, and where it differs no row is named
 */
export const differingRows = (
  value: Tensor,
  base: Tensor,
  count: number | undefined,
): readonly number[] | undefined => {
  const [own, other] = [wordsOf(value), wordsOf(base)];
  const width = own.length / (count ?? 1);
  const differs = (row: number): boolean => {
    for (let i = row * width; i < (row + 1) * width; i++) if (own[i] !== other[i]) return true;
    return false;
  };
  if (count === undefined) return differs(0) ? [] : undefined;
  const rows = Array.from({ length: count }, (_, row) => row).filter(differs);
  return rows.length === 0 ? undefined : rows;
};

const isFloat = (tensor: Tensor | undefined): tensor is FloatTensor =>
  tensor?.dtype === 'float32' || tensor?.dtype === 'float64';

/** @throws BugError INTERNAL where a value has no numbers to change */
export const floatOf = (tensor: Tensor | undefined, what: string): FloatTensor => {
  if (isFloat(tensor)) return tensor;
  throw bug(`${what} has no numbers`);
};
