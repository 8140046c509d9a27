import { TokenizerFault } from '../tokenizer-json.js';
import type { ConvertedTokenizer } from './converted.js';
import { flag, tokenizerClass, type Settings } from './settings.js';
import { specialTokens, type SpecialDefaults } from './special-tokens.js';
import { templateJson } from './template.js';

/** Classes that read vocab.txt as BERT does. @source transformers 4.57 */
const bertLike: ReadonlySet<string> = new Set(
  [
    ...['Bert', 'DistilBert', 'Electra', 'MobileBert', 'ConvBert', 'LayoutLM', 'SqueezeBert', 'Lxmert', 'RetriBert'],
    ...['Realm', 'DPRReader', 'DPRQuestionEncoder', 'DPRContextEncoder'],
  ].map((name) => `${name}Tokenizer`),
);

const defaults: SpecialDefaults = {
  roles: { unk: '[UNK]', sep: '[SEP]', pad: '[PAD]', cls: '[CLS]', mask: '[MASK]' },
};

/** Where nothing says it: a vocabulary of words with capital letters tells them apart. */
const isUncased = (vocab: ReadonlyMap<string, number>): boolean =>
  ![...vocab.keys()].some((piece) => /^(##)?[A-Z][a-z]*$/.test(piece));

/** The lines of vocab.txt, with their ids; of a line that stands twice the last counts. */
export const parseVocabulary = (text: string): ReadonlyMap<string, number> => {
  const lines = text.split('\n');
  if (lines.at(-1) === '') lines.pop();
  return new Map(lines.map((line, id) => [line.replace(/\r$/, ''), id]));
};

const normalizer = (vocab: ReadonlyMap<string, number>, settings: Settings) => {
  const strip = settings.config['strip_accents'];
  const told = Object.keys(settings.config).length > 0;
  return {
    type: 'BertNormalizer',
    clean_text: true,
    handle_chinese_chars: flag(settings, 'tokenize_chinese_chars', true),
    strip_accents: typeof strip === 'boolean' ? strip : null, // null: as lowercase
    lowercase: flag(settings, 'do_lower_case', told || isUncased(vocab)),
  };
};

/**
 * WordPiece as BERT and its relatives have it.
 * @param text content of vocab.txt
 * @throws TokenizerFault
 */
export const convertWordPiece = (text: string, settings: Settings): ConvertedTokenizer => {
  const name = tokenizerClass(settings);
  if (name !== undefined && !bertLike.has(name))
    throw new TokenizerFault(`vocab.txt of a ${name} is read in a way that is not known here`);
  const vocab = parseVocabulary(text);
  const specials = specialTokens(settings, vocab, defaults);
  const unk = specials.spellings.get('unk') ?? '[UNK]';
  if (!vocab.has(unk)) throw new TokenizerFault(`it is no WordPiece vocabulary: it has no ${unk}`);
  const added = specials.added.map((token) => [token.content, token.id] as const);
  const model = {
    type: 'WordPiece',
    unk_token: unk,
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 100,
    vocab: Object.fromEntries([...vocab, ...added]),
  };
  const json = {
    version: '1.0',
    added_tokens: specials.added.map((token) => ({ ...token })),
    normalizer: normalizer(vocab, settings),
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: templateJson({ before: ['cls'], after: ['sep'] }, specials),
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model,
  };
  return { json, roles: specials.roles };
};
