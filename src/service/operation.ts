import type { ProgressPart, TargetTold } from '../protocol/index.js';
import type { OpenModel } from './open-model.js';

/** Models that stay open from one request to the next. */
export interface ModelSource {
  /**
   * The model of this key, opened where it is not; its `dispose` gives it back.
   * @param stamp what its files are: another stamp is another model
   */
  lease(key: string, stamp: string, open: () => Promise<OpenModel>): Promise<OpenModel>;
}

/** What an operation may use while it runs. */
export interface OperationContext {
  /** Cancel: checked between segments. */
  readonly signal: AbortSignal;
  /** Looks whether another thread asked to cancel; if so, `signal` is aborted when it returns. */
  poll?(): void;
  /** Where models come from; without it each request opens its own. */
  readonly models?: ModelSource;
  /** Something the user should know at once: a note, progress. One line, without a newline. */
  note(text: string): void;
  /** Text of generation as it comes. */
  stream?(text: string): void;
  /** What a run under the debugger tells while it goes on. */
  told?(told: TargetTold): void;
  /** How far something is. */
  progress?(part: ProgressPart): void;
}

/**
 * One thing that Cutaway does, defined once: every face (command line, page, editor, assistant) offers it from here.
 */
export interface Operation<Input, Output> {
  readonly name: string;
  /** One paragraph. */
  readonly help: string;
  run(input: Input, context: OperationContext): Promise<Output>;
}
