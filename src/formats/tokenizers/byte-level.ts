import type { JsonObject } from '../../base/index.js';
import { TokenizerFault } from '../tokenizer-json.js';
import type { ConvertedTokenizer } from './converted.js';
import { flag, modelType, tokenizerClass, type Settings } from './settings.js';
import { specialTokens, type SpecialDefaults, type SpecialTokens } from './special-tokens.js';
import { templateJson } from './template.js';

/** Kinds of byte-level vocabularies that are published as vocab.json and merges.txt. */
type Kind = 'gpt2' | 'gptNeox' | 'opt' | 'qwen2' | 'roberta';

/** @source transformers 4.57, the tokenizer that each class is or is converted to */
const kindOfClass: ReadonlyMap<string, Kind> = new Map<string, Kind>([
  ['GPT2Tokenizer', 'gpt2'],
  ['CodeGenTokenizer', 'gpt2'],
  ['GPTNeoXTokenizer', 'gptNeox'],
  ['Qwen2Tokenizer', 'qwen2'],
  ...['Roberta', 'Bart', 'Longformer', 'LED', 'Mvp', 'LayoutLMv3'].map(
    (name) => [`${name}Tokenizer`, 'roberta'] as const,
  ),
]);

const kindOfModel = (type: string): Kind | undefined => {
  if (/^qwen[23]/.test(type)) return 'qwen2';
  if (type === 'gpt_neox') return 'gptNeox';
  if (['roberta', 'bart', 'longformer', 'led', 'mvp'].includes(type)) return 'roberta';
  return ['gpt2', 'gptj', 'gpt_neo', 'gpt_bigcode', 'codegen', 'phi'].includes(type) ? 'gpt2' : undefined;
};

const kindOfVocabulary = (vocab: ReadonlyMap<string, number>, { addedTokens, config }: Settings): Kind => {
  const all = (...tokens: readonly string[]): boolean => tokens.every((token) => vocab.has(token));
  if (all('<s>', '</s>', '<mask>')) return 'roberta';
  if (all('<s>', '</s>', '<pad>') && !vocab.has('<|endoftext|>')) return 'opt';
  const chat =
    '<|im_start|>' in addedTokens || JSON.stringify(config['added_tokens_decoder'] ?? '').includes('im_start');
  return !vocab.has('<|endoftext|>') && (chat || vocab.size === 151_643) ? 'qwen2' : 'gpt2';
};

const kindOf = (vocab: ReadonlyMap<string, number>, settings: Settings): Kind => {
  if (modelType(settings) === 'opt') return 'opt';
  const name = tokenizerClass(settings);
  const known = name === undefined ? kindOfModel(modelType(settings) ?? '') : kindOfClass.get(name);
  if (name !== undefined && known === undefined)
    throw new TokenizerFault(`vocab.json and merges.txt of a ${name} are read in a way that is not known here`);
  return known ?? kindOfVocabulary(vocab, settings);
};

const endOfText = '<|endoftext|>';
const defaults: Readonly<Record<Kind, SpecialDefaults>> = {
  gpt2: { roles: { bos: endOfText, eos: endOfText, unk: endOfText } },
  gptNeox: { roles: { bos: endOfText, eos: endOfText, unk: endOfText } },
  opt: { roles: { bos: '</s>', eos: '</s>', unk: '</s>', pad: '<pad>' } },
  qwen2: { roles: { eos: endOfText, unk: endOfText, pad: endOfText } },
  roberta: {
    roles: { bos: '<s>', eos: '</s>', unk: '<unk>', sep: '</s>', pad: '<pad>', cls: '<s>', mask: '<mask>' },
    lstrip: ['mask'],
  },
};

/** @source Qwen2's tokenizer.json: words, single digits, line breaks apart */
const qwen2Pattern =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";

const byteLevel = (add_prefix_space: boolean, use_regex: boolean): JsonObject => ({
  type: 'ByteLevel',
  add_prefix_space,
  trim_offsets: false,
  use_regex,
});

const preTokenizer = (kind: Kind, prefixSpace: boolean): JsonObject => {
  if (kind !== 'qwen2') return byteLevel(prefixSpace, true);
  const split = { type: 'Split', pattern: { Regex: qwen2Pattern }, behavior: 'Isolated', invert: false };
  return { type: 'Sequence', pretokenizers: [split, byteLevel(prefixSpace, false)] };
};

const postProcessor = (kind: Kind, settings: Settings, specials: SpecialTokens): JsonObject => {
  const add_prefix_space = flag(settings, 'add_prefix_space', false);
  const pair = (role: 'sep' | 'cls') => [specials.spellings.get(role) ?? '', specials.roles.get(role) ?? 0];
  if (kind === 'roberta')
    return { type: 'RobertaProcessing', sep: pair('sep'), cls: pair('cls'), trim_offsets: true, add_prefix_space };
  if (flag(settings, 'add_bos_token', kind === 'opt') && kind !== 'qwen2')
    return templateJson({ before: ['bos'], after: [] }, specials);
  return byteLevel(true, true);
};

/**
 * The lines of merges.txt as pairs.
 * @throws TokenizerFault
 */
export const parseMerges = (text: string): readonly (readonly [string, string])[] =>
  text.split(/\r?\n/).flatMap((line, i) => {
    if (line === '' || line.startsWith('#version')) return [];
    const [left, right, ...more] = line.split(' ');
    if (left === undefined || right === undefined || right === '' || more.length > 0)
      throw new TokenizerFault(`line ${i + 1} of its merges is no pair of pieces`);
    return [[left, right] as const];
  });

/**
 * Byte-pair vocabularies over GPT-2's alphabet of bytes: GPT-2, GPT-NeoX, OPT, Qwen2, RoBERTa, BART.
 * @param vocab content of vocab.json: spelling to id
 * @param merges content of merges.txt
 * @throws TokenizerFault
 */
export const convertByteLevel = (
  vocab: ReadonlyMap<string, number>,
  merges: string,
  settings: Settings,
): ConvertedTokenizer => {
  const kind = kindOf(vocab, settings);
  const specials = specialTokens(settings, vocab, defaults[kind]);
  const added = specials.added.map(({ content, id }) => [content, id] as const);
  const model = {
    type: 'BPE',
    continuing_subword_prefix: '',
    end_of_word_suffix: '',
    vocab: Object.fromEntries([...vocab, ...added]), // so that an added token keeps its id where ids have gaps
    merges: parseMerges(merges),
  };
  const json = {
    version: '1.0',
    added_tokens: specials.added.map((token) => ({ ...token })),
    normalizer: kind === 'qwen2' || kind === 'gptNeox' ? { type: 'NFC' } : null,
    pre_tokenizer: preTokenizer(kind, flag(settings, 'add_prefix_space', false)),
    post_processor: postProcessor(kind, settings, specials),
    decoder: byteLevel(true, true),
    model,
  };
  return { json, roles: specials.roles };
};
