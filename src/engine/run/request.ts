import type { GradientRequest, ValueEdit } from '../../graph/index.js';
import type { Tensor } from '../../tensor/index.js';
import type { Tensors } from '../backend.js';
import type { KvCache } from './cache.js';
import type { GradientForm } from './compiled.js';
import type { Instance } from './order.js';
import type { Rows } from './rows.js';

/** An edit of a value, with the numbers it has in this pass. */
export interface LiveEdit {
  readonly edit: ValueEdit;
  /** The tensors of its inputs, for these rows. `type`: of the site. */
  readonly numbers: (rows: Rows) => Tensors;
}

/** How the model is changed in a pass: what each instance's edits are, which weights are given, in which order to run. */
export interface Variant {
  readonly order: readonly Instance[];
  /** By instance name. */
  readonly edits: ReadonlyMap<string, readonly LiveEdit[]>;
  /** Weights that replace the file's. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** Changes of gradients on their way back, by instance name. */
  readonly gradients?: ReadonlyMap<string, readonly LiveEdit[]>;
}

/** What a pass had in its hands when it ran an instance. */
export interface Moment {
  /** What was fed, by the names of the graph's inputs. */
  readonly fed: Tensors;
  /** What it gave: the values that it handed on, and those that the way back needs. */
  readonly results: Tensors;
  readonly rows: Rows;
}

/** What a pass keeps so that gradients can go back through it. */
export interface Keeping {
  /** In which form an instance runs that is kept; undefined: as always. */
  readonly formOf: (instance: Instance) => GradientForm | undefined;
  /** What it has to do on the way back; undefined: nothing. */
  readonly requestOf: (instance: Instance) => GradientRequest | undefined;
  readonly keep: (instance: Instance, moment: Moment) => void;
}

/** An instance that a pass went through, and how the model was changed then. */
export interface Passed {
  readonly instance: Instance;
  readonly variant: Variant;
}

export interface ForwardRequest {
  readonly variant: Variant;
  /** The pass was changed on its way: its first instances, which are what they were. */
  readonly passed?: readonly Passed[];
  /** [batch][position] ids of the new tokens; sequences of a batch may differ in length. */
  readonly ids: readonly (readonly number[])[];
  /** [batch][position] ids of the encoder's text, for an encoder-decoder; not read again once the cache has it. */
  readonly source?: readonly (readonly number[])[];
  /** Keys and values of earlier tokens; the new ones are appended. Batches of one only. */
  readonly cache?: KvCache;
  /** Sites to capture, by their names in the run order; each must be in `taps` or `taps` be left out. */
  readonly capture: ReadonlySet<string>;
  /** Which step of the run this is: 0 is the prefill. */
  readonly step?: number;
  /**
   * Which rows are scored: only each sequence's last (the default, [batch, 1, vocab]), all, or none. Where the model
   * does not score the next token, all are.
   */
  readonly logits?: 'last' | 'all' | 'none';
  /** Sites that can be captured without compiling again: `all`, or (the default) those captured. */
  readonly taps?: 'all';
  readonly keeping?: Keeping;
  /** Rows of the last layer that nobody reads are not computed: in a form of its own, worth it where much is run. */
  readonly sparing?: true;
  /** Called before each segment; throws to stop. */
  readonly onSegment?: (name: string) => void | Promise<void>;
}

export interface ForwardResult {
  readonly logits: Tensor<'float32'> | undefined;
  /** By name in the run order, float32. Positions are those of the new tokens. */
  readonly sites: ReadonlyMap<string, Tensor>;
}
