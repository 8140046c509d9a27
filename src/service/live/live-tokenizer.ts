import type { Token, TokenRole, Tokenizer } from '../../formats/index.node.js';
import type { AgentConnection } from '../debugging/live/index.js';

/** The tokenizer that a process gave its agent: texts are cut there, ids are named here. Places in a text are not told. */
export const liveTokenizer = async (connection: AgentConnection): Promise<Tokenizer> => {
  const { result, payload } = await connection.ask('vocabulary');
  const texts = JSON.parse(new TextDecoder().decode(payload)) as readonly string[];
  const ids = new Map<string, number>();
  texts.forEach((text, id) => ids.has(text) || ids.set(text, id));
  const tokenText = (id: number): string => texts[id] ?? `[${id}]`;
  const specials = new Map(Object.entries(result.specials).map(([id, text]) => [Number(id), text]));
  const decode = (given: readonly number[], skipSpecial: boolean): string =>
    given.map((id) => (skipSpecial && specials.has(id) ? '' : tokenText(id))).join('');
  const encode: Tokenizer['encode'] = async (text, { special, template = special }) => {
    const cut = await connection.request('encode', { text, special: template });
    return cut.ids.map((id): Token => ({ id, text: tokenText(id), start: 0, end: 0 }));
  };
  return {
    ...{ encode, tokenText, specials, vocabSize: texts.length, idOf: (text) => ids.get(text) },
    encodeBatch: (all, options) => Promise.all(all.map((text) => encode(text, options))),
    decode: async (given, { skipSpecial }) => Promise.resolve(decode(given, skipSpecial)),
    roles: new Map(Object.entries(result.roles) as [TokenRole, number][]),
    stream: () => ({ push: (id) => decode([id], true), flush: () => '' }),
  };
};
