/** What an operation may use while it runs. */
export interface OperationContext {
  /** Cancel: checked between segments. */
  readonly signal: AbortSignal;
  /** Something the user should know at once: a note, progress. One line, without a newline. */
  note(text: string): void;
  /** Text of generation as it comes. */
  stream?(text: string): void;
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
