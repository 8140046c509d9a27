import { TokenizerFault } from '../tokenizer-json.js';
import { mbart50Languages, mbartLanguages } from './fairseq-languages.js';
import { flag, modelType, tokenizerClass, type Settings } from './settings.js';
import type { SentencePieceModel } from './sentencepiece-model.js';
import type { SpecialDefaults } from './special-tokens.js';
import { noTemplate, type Template } from './template.js';

/** What a family of models adds to its SentencePiece vocabulary. */
export interface SentencePieceKind {
  readonly name: 'plain' | 't5' | 'llama' | 'gemma' | 'xlmRoberta' | 'mbart' | 'mbart50' | 'marian';
  /** The order of fairseq's dictionary, and the languages behind the pieces. */
  readonly fairseq?: readonly string[];
  readonly defaults: SpecialDefaults;
  readonly template: (settings: Settings) => Template;
}

/** `add_bos_token` and `add_eos_token` of tokenizer_config.json. */
const asTold =
  (bos: boolean) =>
  (settings: Settings): Template => ({
    before: flag(settings, 'add_bos_token', bos) ? ['bos'] : [],
    after: flag(settings, 'add_eos_token', false) ? ['eos'] : [],
  });

const always = (template: Template) => () => template;

/** The language of the text; English where no file tells. @throws TokenizerFault */
const language = ({ config }: Settings, known: readonly string[]): { readonly spelling: string } => {
  const spelling = config['src_lang'] ?? 'en_XX';
  if (typeof spelling === 'string' && known.includes(spelling)) return { spelling };
  throw new TokenizerFault(`its language ${JSON.stringify(spelling)} is none of ${known.join(', ')}`);
};

const xlmRoles = { bos: '<s>', eos: '</s>', sep: '</s>', cls: '<s>', unk: '<unk>', pad: '<pad>', mask: '<mask>' };

/** @source transformers 4.57: what each class has unless it is told otherwise */
const kinds: Readonly<Record<SentencePieceKind['name'], SentencePieceKind>> = {
  plain: { name: 'plain', defaults: { roles: {} }, template: asTold(false) },
  t5: {
    name: 't5',
    defaults: { roles: { eos: '</s>', unk: '<unk>', pad: '<pad>' } },
    template: always({ ...noTemplate, after: ['eos'] }),
  },
  llama: {
    name: 'llama',
    defaults: { roles: { bos: '<s>', eos: '</s>', unk: '<unk>' } },
    template: asTold(true),
  },
  gemma: {
    name: 'gemma',
    defaults: { roles: { bos: '<bos>', eos: '<eos>', unk: '<unk>', pad: '<pad>' } },
    template: asTold(true),
  },
  xlmRoberta: {
    name: 'xlmRoberta',
    defaults: { roles: xlmRoles, lstrip: ['mask'] },
    template: always({ before: ['cls'], after: ['sep'] }),
    fairseq: [],
  },
  mbart: {
    name: 'mbart',
    defaults: { roles: xlmRoles, lstrip: ['mask'] },
    template: (settings) => ({ ...noTemplate, after: ['eos', language(settings, mbartLanguages)] }),
    fairseq: mbartLanguages,
  },
  mbart50: {
    name: 'mbart50',
    defaults: { roles: xlmRoles, lstrip: ['mask'] },
    template: (settings) => ({ before: [language(settings, mbart50Languages)], after: ['eos'] }),
    fairseq: mbart50Languages,
  },
  marian: {
    name: 'marian',
    defaults: { roles: { eos: '</s>', unk: '<unk>', pad: '<pad>' } },
    template: always({ ...noTemplate, after: ['eos'] }),
  },
};

const ofClass: Readonly<Record<string, SentencePieceKind['name']>> = {
  T5Tokenizer: 't5',
  MT5Tokenizer: 't5',
  LlamaTokenizer: 'llama',
  CodeLlamaTokenizer: 'llama',
  GemmaTokenizer: 'gemma',
  XLMRobertaTokenizer: 'xlmRoberta',
  MBartTokenizer: 'mbart',
  MBart50Tokenizer: 'mbart50',
  MarianTokenizer: 'marian',
};

const ofModel: readonly (readonly [RegExp, SentencePieceKind['name']])[] = [
  [/^(t5|mt5|umt5|longt5|switch_transformers)$/, 't5'],
  [/^(llama|mistral|mixtral|phi3)$/, 'llama'],
  [/^gemma/, 'gemma'],
  [/^(xlm-roberta|xlm-roberta-xl)$/, 'xlmRoberta'],
  [/^mbart$/, 'mbart'],
  [/^marian$/, 'marian'],
];

/** Families whose tokenizers do more than their SentencePiece file tells. */
const otherModels =
  /^(albert|xlnet|camembert|bart|nllb.*|m2m_100|pegasus.*|deberta-v[23]|big_bird|rembert|xglm|fnet|barthez|plbart|reformer|seamless.*)$/;

/** Where no file names the family: by the first pieces. */
const ofPieces = ({ pieces, algorithm, byteFallback }: SentencePieceModel): SentencePieceKind['name'] => {
  const first = pieces.slice(0, 4).map(({ piece }) => piece);
  const begins = (...some: readonly string[]): boolean => some.every((piece, id) => first[id] === piece);
  if (begins('<pad>', '</s>', '<unk>')) return 't5';
  if (begins('<pad>', '<eos>', '<bos>', '<unk>')) return 'gemma';
  return begins('<unk>', '<s>', '</s>') && algorithm === 'bpe' && byteFallback ? 'llama' : 'plain';
};

/**
 * Which family a SentencePiece vocabulary is of: by `tokenizer_class`, else `model_type`, else by its first pieces.
 * @throws TokenizerFault for a family that is not known here
 */
export const sentencePieceKind = (model: SentencePieceModel, settings: Settings): SentencePieceKind => {
  const [className, type] = [tokenizerClass(settings), modelType(settings)];
  const unknown = (what: string): TokenizerFault =>
    new TokenizerFault(`the SentencePiece vocabulary of ${what} is read in a way that is not known here`);
  if (className !== undefined) {
    const name = Object.hasOwn(ofClass, className) ? ofClass[className] : undefined;
    if (name === undefined) throw unknown(`a ${className}`);
    return kinds[name];
  }
  if (type !== undefined && otherModels.test(type)) throw unknown(`a model of type ${type}`);
  return kinds[ofModel.find(([pattern]) => pattern.test(type ?? ''))?.[1] ?? ofPieces(model)];
};

export const marianKind = kinds.marian;
