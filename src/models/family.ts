import type { JsonObject } from '../base/index.js';
import type { Program } from '../graph/index.js';

/** Tells whether the file has a tensor of this name. */
export type HasTensor = (name: string) => boolean;

/** An architecture's definition: one file a family. */
export interface Family {
  /** `gpt2`: also the `model_type` of its configs. */
  readonly name: string;
  /** Architectures of config.json that it computes; where their heads differ, the family chooses by them. */
  readonly architectures: readonly string[];
  /** The config field that names the MLP's activation. */
  readonly activationField: string;
  /** Tensors that files of this family may hold and that nothing reads: buffers, not weights. */
  readonly ignoredTensors: RegExp;
  /**
   * The whole computation for a config.
   * @param has tells how the file names its tensors, where there is more than one way
   * @throws ModelError CONFIG_FIELD_MISSING, CONFIG_INVALID, CONFIG_FIELD_UNSUPPORTED
   */
  build(config: JsonObject, has: HasTensor): Program;
}
