import { EngineError } from '../../base/index.js';
import type { DTypeArrays, Tensor } from '../../tensor/index.js';

/** The part of onnxruntime's JavaScript interface that is used: the Node and the browser package both have it. */
export interface Ort {
  readonly InferenceSession: {
    create(bytes: Uint8Array, options: object): Promise<OrtSession>;
  };
  readonly Tensor: new (type: string, data: ArrayBufferView, dims: readonly number[]) => OrtTensor;
}

export interface OrtTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: unknown;
  getData?(): Promise<unknown>;
}

export interface OrtSession {
  run(feeds: Readonly<Record<string, OrtTensor>>, fetches: readonly string[]): Promise<Record<string, OrtTensor>>;
  release(): Promise<void>;
}

/** Our tensor over the same memory, as onnxruntime's. */
export const toOrt = (ort: Ort, tensor: Tensor): OrtTensor => new ort.Tensor(tensor.dtype, tensor.data, tensor.shape);

/** onnxruntime's tensor over the same memory, as ours. */
export const fromOrt = async (tensor: OrtTensor): Promise<Tensor> => {
  const data = tensor.getData ? await tensor.getData() : tensor.data;
  switch (tensor.type) {
    case 'float32':
    case 'float64':
    case 'int64':
    case 'bool':
      return { dtype: tensor.type, shape: tensor.dims, data: data as DTypeArrays['float32'] } as Tensor;
    default:
      throw failed(`onnxruntime gave a tensor of type ${tensor.type}`);
  }
};

/** What onnxruntime said, as an error of ours. */
export const failed = (what: string, cause?: unknown): EngineError =>
  new EngineError(what, {
    code: 'ENGINE_FAILED',
    hint: 'If memory is short, close other programs or take a smaller model; otherwise please report it.',
    cause,
    details: { onnxruntime: cause instanceof Error ? cause.message : null },
  });
