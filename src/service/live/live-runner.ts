import type { Prompt } from '../../engine/index.js';
import type { Edit, Expression } from '../../language/index.js';
import type { FloatTensor, Tensor } from '../../tensor/index.js';
import type { AgentPatch } from '../debugging/live/live-edits.js';
import type { LiveSite } from '../debugging/live/live-sites.js';

/** A pass in the process over prompts of equal length. */
export interface LivePass {
  readonly prompts: readonly Prompt[];
  readonly changes?: readonly AgentPatch[];
  /** Sites whose values are wanted. */
  readonly capture?: readonly string[];
  /** Positions whose scores are wanted; a classifier has one row whatever stands here. */
  readonly positions?: readonly number[];
  /** A number of each prompt. */
  readonly of?: readonly Expression[];
  /** Sites by which the gradient of that number is wanted. */
  readonly gradients?: readonly string[];
}

/** What it gave, all prompts along the axis `batch`. */
export interface LivePassed {
  readonly scalars: readonly number[];
  readonly sites: ReadonlyMap<string, FloatTensor>;
  readonly gradients: ReadonlyMap<string, FloatTensor>;
  /** [batch, position, vocab], or [batch, label] */
  readonly logits: Tensor<'float32'> | undefined;
}

/**
 * A model that lives in another process, as what runs prompts: with changes, for values, numbers and gradients. The
 * process is left as it was; what a debugger changed in it is not in force.
 */
export interface LiveRunner {
  /** Changes that all passes have. */
  readonly always: readonly AgentPatch[];
  /** The same under edits. @throws UsageError EDIT_INVALID, SITE_* */
  edited(edits: readonly Edit[]): Promise<LiveRunner>;
  /** A site that all that follows reads. @throws UsageError SITE_UNKNOWN, SITE_NOT_CAPTURED */
  changeable(name: string): LiveSite;
  /** @throws UsageError SITE_*, EXPRESSION_*, GRADIENT_UNDEFINED; EngineError AGENT_LOST, ENGINE_FAILED */
  pass(asked: LivePass): Promise<LivePassed>;
}
