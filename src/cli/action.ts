/** The options of a verb, as commander collects them. */
export type Flags = Readonly<Record<string, unknown>>;

/** What a verb does with its argument and options; resolves to the exit status. */
export type Action = (model: string, flags: Flags) => Promise<number>;
export type Actions = Readonly<Record<'run' | 'inspect' | 'list' | 'tokenize', Action>>;
