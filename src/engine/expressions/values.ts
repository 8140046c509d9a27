import type { SiteName } from '../../language/index.js';
import type { FloatTensor, Tensor } from '../../tensor/index.js';

/** A token of the sequence, or of a text. */
export interface ExpressionToken {
  readonly id: number;
  readonly text: string;
}

/** A site's value as a run captured it. */
export interface SiteValue {
  readonly tensor: Tensor;
  readonly axes: readonly string[];
}

/** What an expression is evaluated on: one moment of a run. */
export interface ExpressionValues {
  /** A site's value, or undefined where the run has not kept it. */
  readonly site: (name: SiteName) => SiteValue | undefined;
  /** The sequence so far, from position 0. */
  readonly tokens: readonly ExpressionToken[];
  /** The encoder's, of an encoder-decoder. */
  readonly sourceTokens?: readonly ExpressionToken[];
  /** The absolute position of index 0 on `position` and `query` of the sites: more than 0 in a generation step. */
  readonly offset?: number;
  /** How many positions the run may have in the end; those not reached yet choose nothing. */
  readonly length?: number;
  /** [vocab] scores of what comes after an absolute position, or undefined where the run has not kept them. */
  readonly logits: (position: number) => Float32Array | undefined;
  /** One of these scores, where the run has kept only some tokens'; undefined: the row has it. */
  readonly logit?: ((position: number, id: number) => number | undefined) | undefined;
  /** [vocab] the same, as if the model ended here. */
  readonly lensLogits?: (position: number) => Float32Array | undefined;
  /** The tokens that a text is cut into, none added. */
  readonly encode: (text: string) => readonly ExpressionToken[];
  /** Log probability of some tokens in a row after a position, where the caller has run them. */
  readonly sequenceLogprob?: (ids: readonly number[], position: number) => number | undefined;
  readonly step: number;
  /** Where the run is; left out outside blocks. */
  readonly layer?: number;
}

/** Numbers with a shape; `axes` as many as its shape. */
export type ExpressionTensor = FloatTensor & { readonly axes: readonly string[] };

/** What an expression gives. */
export type ExpressionValue = number | boolean | ExpressionTensor;
