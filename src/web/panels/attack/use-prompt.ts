import type { AttackResult } from '../../../protocol/index.js';
import type { App } from '../../app.js';
import type { Change } from '../../state/session.js';
import { attackedTokens, changedTexts } from './data.js';

/** The changed prompt as a text, where the tokenizer reads it as these very tokens. */
const asText = async (app: App, result: AttackResult): Promise<string | undefined> => {
  const [client, state] = [app.session.client(), app.state()];
  if (!client || !state || state.ids || state.chat || app.model()?.reads.tokenizer === false) return undefined;
  const { model, prompt } = state;
  const [read] = await client.request('tokenize', { model, texts: [prompt] });
  const texts = changedTexts(prompt, read?.tokens ?? [], attackedTokens(result));
  if (texts.length === 0) return undefined;
  const again = await client.request('tokenize', { model, texts: [...texts] });
  const wanted = JSON.stringify(result.final.map((t) => t.id));
  return again.find(({ tokens }) => JSON.stringify(tokens.map((t) => t.id)) === wanted)?.text;
};

/** Takes the text that an attack ended with as the prompt: as text where that is read alike, else as token ids. */
export const takePrompt = async (app: App, result: AttackResult): Promise<void> => {
  const text = await asText(app, result).catch(() => undefined); // then ids say it
  const change: Change = text === undefined ? { ids: result.final.map((t) => t.id), chat: null } : { prompt: text };
  app.change(change);
};
