/** The options of a verb, as commander collects them. */
export type Flags = Readonly<Record<string, unknown>>;

export type Verb =
  | 'components'
  | 'composition'
  | 'heads'
  | 'neurons'
  | 'head'
  | 'run'
  | 'inspect'
  | 'list'
  | 'tokenize'
  | 'lens'
  | 'compare'
  | 'diff'
  | 'knockout'
  | 'attribute'
  | 'attack'
  | 'patch'
  | 'circuit'
  | 'tour'
  | 'debug'
  | 'attach'
  | 'dap'
  | 'page';

/** What a verb does with its argument, which may be left out, and options; resolves to the exit status. */
export type Action = (model: string | undefined, flags: Flags) => Promise<number>;
export type Actions = Readonly<Record<Verb, Action>>;

/** Hands a verb's argument and options to its action. */
export type Act = (verb: Verb) => (model: string | undefined, flags: Flags) => Promise<void>;
