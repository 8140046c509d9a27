/** Where and how onnxruntime runs. */
export type Device = 'cpu' | 'webgpu' | 'cuda';

/**
 * How weights reach the products (measured side by side in `bench/`).
 * `packed`: one session a segment, weights packed once: the fastest to run, the dearest to make.
 * `apart`: every linear a packed session of its own, the rest small sessions without weights, made in a millisecond.
 * `inputs`: weights given at each run; equal segments share one session; nothing is packed.
 * `mapped`: as `packed`, but never packed: read straight from the mapped file, for models larger than memory.
 */
export type Binding = 'packed' | 'apart' | 'inputs' | 'mapped';

export interface OnnxruntimeOptions {
  readonly device: Device;
  /** Threads of one operation; physical cores by default. Undefined: onnxruntime's own choice. */
  readonly threads?: number;
  readonly binding: Binding;
}

export interface SessionNeeds {
  /** The folder that weights outside the model are in. */
  readonly folder?: string;
  /** Weights outside the model, as bytes: in onnxruntime-web, and where they had to be decoded. */
  readonly externalData?: readonly { readonly path: string; readonly data: Uint8Array }[];
  /** Weights are stored narrower than float32 and must be widened before packing. */
  readonly widens: boolean;
}

/**
 * Session options under which results keep their bits whether run whole, cut, or with more outputs:
 * no fusion ever changes an operation. Folding constants (level `basic`) is needed only to widen weights before packing.
 * Threads do not spin, or the sessions of a model would fight for the cores. What a device cannot do, the CPU does
 * without being listed; listed, it would stand in for a device that is not there, in silence.
 */
export const sessionOptions = (options: OnnxruntimeOptions, needs: SessionNeeds): object => ({
  executionProviders: [options.device],
  ...(options.threads === undefined ? {} : { intraOpNumThreads: options.threads }),
  interOpNumThreads: 1,
  executionMode: 'sequential',
  graphOptimizationLevel: needs.widens || options.device !== 'cpu' ? 'basic' : 'disabled',
  ...(needs.externalData === undefined ? {} : { externalData: needs.externalData }),
  logSeverityLevel: 4, // what goes wrong comes as an exception, which we translate
  extra: {
    session: {
      intra_op: { allow_spinning: '0' },
      use_deterministic_compute: '1',
      ...(needs.folder === undefined ? {} : { model_external_initializers_file_folder_path: needs.folder }),
      ...(options.binding === 'mapped' ? { disable_prepacking: '1' } : {}),
    },
    optimization: { disable_specified_optimizers: 'MatMulAddFusion' },
  },
});
