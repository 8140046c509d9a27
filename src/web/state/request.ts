import type { HostParams } from '../../protocol/index.js';
import type { SessionStore } from './session.js';

/** What the host is asked about: model and prompt, edits that are switched on, the tracked word. */
export interface Request {
  /** Two requests of one key are the same. */
  readonly key: string;
  readonly input: Pick<HostParams<'compare'>, 'model' | 'binding' | 'prompt' | 'target'>;
  readonly edits: readonly string[];
  readonly word: string | undefined;
}

/** The session as a request; undefined while there is nothing to run. */
export const requestOf = ({ state }: SessionStore): Request | undefined => {
  if (!state || state.prompt === '') return undefined;
  const input = {
    // Linears apart from what is between them: another edit then compiles in a millisecond.
    ...{ model: state.model, prompt: state.prompt, binding: 'apart' as const },
    ...(state.target === undefined ? {} : { target: state.target }),
  };
  const edits = state.edits.filter((e) => e.on).map((e) => e.text);
  return { key: JSON.stringify([input, edits, state.word]), input, edits, word: state.word };
};
