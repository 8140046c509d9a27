import type { App } from '../../app.js';

/**
 * Puts a token behind a position and drops what followed: the run forks there. The text is cut where the tokenizer says
 * that the token ends. Of an encoder-decoder it is the decoder's text that forks.
 */
export const forkAt = async (app: App, position: number, token: string): Promise<void> => {
  const [client, { state }] = [app.session.client(), app.session.store];
  if (!client || !state) return;
  const isDecoder = app.results.compare()?.after.target !== undefined;
  const text = isDecoder ? (state.target ?? '') : state.prompt;
  const [cut] = await client.request('tokenize', { model: state.model, texts: [text], special: !isDecoder });
  // A decoder's first token is the start token, which is not in its text.
  const last = cut?.tokens[isDecoder ? position - 1 : position];
  const forked = text.slice(0, last?.end ?? 0) + token;
  app.fork(undefined);
  app.session.change(isDecoder ? { target: forked } : { prompt: forked });
};
