import type { App } from '../../app.js';
import type { TokenView } from '../../../protocol/index.js';
import type { Change } from '../../state/session.js';

/** The text up to the token at a position, with another behind it: cut where the tokenizer says that it ends. */
const forkedText = async (
  app: App,
  { text, last, token }: { readonly text: string; readonly last: number; readonly token: string },
  special: boolean,
): Promise<string | undefined> => {
  const [client, state] = [app.session.client(), app.state()];
  if (!client || !state) return undefined;
  const [cut] = await client.request('tokenize', { model: state.model, texts: [text], special });
  return text.slice(0, cut?.tokens[last]?.end ?? 0) + token;
};

/** What a prompt becomes; where it is given as ids, and where a template wrote it, ids. */
const forked = async (app: App, position: number, { id, text: token }: TokenView): Promise<Change | undefined> => {
  const [state, run] = [app.state(), app.results.compare()?.after];
  if (!state || !run) return undefined;
  const ids = [...(run.target ?? run.tokens).slice(0, position + 1).map((t) => t.id), id];
  const hasTokenizer = app.model()?.reads.tokenizer !== false;
  if (run.target) {
    // A decoder's first token is the start token, which is not in its text.
    if (state.targetIds || !hasTokenizer) return { targetIds: ids.slice(1), target: null };
    const text = await forkedText(app, { text: state.target ?? '', last: position - 1, token }, false);
    return text === undefined ? undefined : { target: text };
  }
  if (state.ids || state.chat) return { ids, chat: null };
  const text = await forkedText(app, { text: state.prompt, last: position, token }, true);
  return text === undefined ? undefined : { prompt: text };
};

/**
 * Puts a token behind a position and drops what followed: the run forks there. Of an encoder-decoder it is the
 * decoder's text that forks.
 */
export const forkAt = async (app: App, position: number, token: TokenView): Promise<void> => {
  const change = await forked(app, position, token);
  app.fork(undefined);
  if (change) app.change(change);
};
