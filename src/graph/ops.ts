import type { DType } from '../tensor/index.js';

/**
 * The operators of a graph, with their attributes: ONNX's names and semantics (opset 20), each with one output.
 * Differences from ONNX: axes lists are attributes, `Reshape` and `Transpose` also name the axes they give,
 * `Linear` is a product with a weight in the layout the file has, `Concat` may name the axis that it makes, and its extent.
 * @source https://onnx.ai/onnx/operators
 */
export interface OpAttrs {
  // element by element, one operand
  Neg: object;
  Abs: object;
  Sqrt: object;
  Reciprocal: object;
  Exp: object;
  Log: object;
  Tanh: object;
  Sigmoid: object;
  Erf: object;
  Relu: object;
  /** `none`: with the error function; `tanh`: the approximation. */
  Gelu: { readonly approximate: 'none' | 'tanh' };
  Not: object;
  Cast: { readonly to: DType };
  // element by element, several operands, broadcast as NumPy does
  Add: object;
  Sub: object;
  Mul: object;
  Div: object;
  Pow: object;
  Min: object;
  Max: object;
  Greater: object;
  Less: object;
  Equal: object;
  And: object;
  Or: object;
  Where: object;
  // along axes
  Softmax: { readonly axis: number };
  ReduceSum: { readonly axis: number };
  ReduceMean: { readonly axis: number };
  ReduceMax: { readonly axis: number };
  ReduceMin: { readonly axis: number };
  /** ONNX's second output: places of the `k` largest numbers along the last axis, the largest first. `name`: of the axis they make. */
  TopK: { readonly k: number; readonly name: string };
  // products
  MatMul: object;
  /** `x · Wᵀ` for a weight stored [out, in], `x · W` for [in, out]. `axis` names what comes out. */
  Linear: { readonly layout: 'out,in' | 'in,out'; readonly axis: string };
  // form
  /** 0 copies the extent of the same axis of the input, one -1 is what remains. */
  Reshape: { readonly shape: readonly number[]; readonly axes: readonly string[] };
  Transpose: { readonly perm: readonly number[]; readonly axes: readonly string[] };
  Slice: { readonly axis: number; readonly start: number; readonly end: number };
  Concat: { readonly axis: number; readonly extent?: string };
  /** Rows of the first operand, chosen by the integers of the second. */
  Gather: { readonly axis: number };
  // what gradients are made of besides; ONNX has each as a few nodes
  /** The elements of the first operand in the shape of the second. */
  ReshapeLike: object;
  /** The first operand stretched to the shape of the second. */
  ExpandLike: object;
  /** Zeros in the shape of the first operand [row, column]; each row of the third is added to the row that the second names. */
  ScatterAdd: object;
  /** Of the first operand, which joins the others along an axis, the part where the one at `index` is. */
  Part: { readonly axis: number; readonly index: number };
  Constant: {
    readonly dtype: DType;
    readonly shape: readonly number[];
    readonly axes: readonly string[];
    readonly values: readonly number[];
  };
}

export type OpName = keyof OpAttrs;

/** One row for every operator, a function of its attributes: a table that lacks one does not compile. */
export type OpTable<Args extends readonly unknown[], Result> = {
  readonly [K in OpName]: (attrs: OpAttrs[K], ...args: Args) => Result;
};
