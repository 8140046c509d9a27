import type { GgufTensor } from './gguf.js';

/**
 * How llama.cpp's converter wrote a tensor of the model.
 * `plain`: as it is. `heads`: the rows of each head reordered, so that a pair of numbers that turn together stand side
 * by side. `transposed`: [out, in] from [in, out]. `plus one`: the gain of an RMSNorm whose model adds 1.
 * @source llama.cpp `convert_hf_to_gguf.py`
 */
export type Layout =
  | { readonly kind: 'plain' }
  | { readonly kind: 'heads'; readonly heads: number }
  | { readonly kind: 'transposed' }
  | { readonly kind: 'plus one' };

export const plain: Layout = { kind: 'plain' };

/** A tensor of the model under the name that Hugging Face gives it. */
export interface MappedTensor {
  readonly name: string;
  readonly stored: GgufTensor;
  readonly layout: Layout;
}

/** As in the model. */
export const shapeOf = ({ stored, layout }: MappedTensor): readonly number[] =>
  layout.kind === 'transposed' ? [...stored.shape].reverse() : stored.shape;

/** Rows and the length of one; a vector that is reordered or transposed is a column. */
export const planeOf = ({
  stored: { shape },
  layout,
}: MappedTensor): { readonly rows: number; readonly width: number } => {
  if (shape.length < 2 && layout.kind !== 'heads') return { rows: 1, width: shape[0] ?? 1 };
  const width = shape.length < 2 ? 1 : (shape.at(-1) ?? 1);
  return { rows: width === 0 ? 0 : shape.reduce((a, b) => a * b, 1) / width, width };
};

/** Where a stored row stands in the model: pair `j` of a head is its rows `2j` and `2j + 1`, from `j` and `j + d/2`. */
const headRow = (row: number, headDim: number): number => {
  const [head, inHead] = [Math.floor(row / headDim), row % headDim];
  return head * headDim + (inHead & 1) * (headDim / 2) + (inHead >> 1);
};

type Place = (whole: Float32Array, rows: Float32Array, first: number) => void;

/** Puts whole stored rows, from row `first` on, where they stand in the model. */
export const placing = (tensor: MappedTensor): Place => {
  const { rows: height, width } = planeOf(tensor);
  const { layout } = tensor;
  switch (layout.kind) {
    case 'plain':
      return (whole, rows, first) => whole.set(rows, first * width);
    case 'plus one':
      return (whole, rows, first) =>
        whole.set(
          rows.map((gain) => gain - 1),
          first * width,
        );
    case 'heads':
      return (whole, rows, first) => {
        for (let r = 0; r * width < rows.length; r++)
          whole.set(rows.subarray(r * width, (r + 1) * width), headRow(first + r, height / layout.heads) * width);
      };
    case 'transposed':
      return (whole, rows, first) => {
        for (let i = 0; i < rows.length; i++)
          whole[(i % width) * height + first + Math.floor(i / width)] = rows[i] ?? 0;
      };
  }
};
