/** The options of a verb, as commander collects them. */
export type Flags = Readonly<Record<string, unknown>>;

/** What a verb does with its argument, which may be left out, and options; resolves to the exit status. */
export type Action = (model: string | undefined, flags: Flags) => Promise<number>;
export type Actions = Readonly<Record<'run' | 'inspect' | 'list' | 'tokenize' | 'tour' | 'debug' | 'dap', Action>>;
