import { ModelError, nearest } from '../../../base/index.js';
import * as cut from './patterns.js';

/** How a family of byte-pair vocabularies reads text. */
export interface PreTokenizer {
  /** Patterns in order: each cuts what those before it left, its matches and what lies between them. */
  readonly splits: readonly string[];
  /**
   * What pieces are spelled in. `bytes`: GPT-2's printable bytes; `spaces`: characters, `▁` for a space, other bytes as
   * `<0xE4>`; `characters`: the same without `▁`.
   */
  readonly spelling: 'bytes' | 'spaces' | 'characters';
  /** A cut-out text that is a piece as a whole needs no merges. */
  readonly ignoreMerges: boolean;
  /** Whether a prompt begins with the BOS token where the file does not say. */
  readonly addBos: boolean;
  /** The BOS token begins a prompt whatever the file says. */
  readonly alwaysBos: boolean;
}

const plain = { spelling: 'bytes', ignoreMerges: false, addBos: false, alwaysBos: false } as const;
const by = (...splits: readonly string[]): PreTokenizer => ({ ...plain, splits });
const wholeWords = (base: PreTokenizer): PreTokenizer => ({ ...base, ignoreMerges: true });
const withBos = (base: PreTokenizer): PreTokenizer => ({ ...base, addBos: true });
const named = (base: PreTokenizer, names: string): readonly (readonly [string, PreTokenizer])[] =>
  names.split(' ').map((name) => [name, base] as const);

const digitsApart = by(cut.digit, cut.gpt2);
const cjkApart = by(cut.threeDigits, cut.cjkRuns, cut.deepseekV3);
const spaces: PreTokenizer = { ...by(cut.lines), spelling: 'spaces' };

/**
 * Every name that `tokenizer.ggml.pre` may have with byte-pair vocabularies.
 * @source llama.cpp src/llama-vocab.cpp, `llama_vocab::impl::load` (commit 00ad355)
 */
export const preTokenizers: ReadonlyMap<string, PreTokenizer> = new Map([
  ...named(by(cut.defaultSigns, cut.gpt2, cut.digits, cut.asciiDigitTriples), 'default'),
  ...named(by(cut.gpt2), 'gpt-2 phi-2 jina-es jina-de jina-v1-en jina-v2-es jina-v2-de jina-v2-code roberta-bpe'),
  ...named(by(cut.gpt2), 'gigachat a.x-4.0 mellum modern-bert exaone4 mpt olmo jais trillion granite-docling'),
  ...named(digitsApart, 'starcoder refact command-r smollm codeshell exaone minerva-7b mellum2'),
  ...named(by(cut.falconSigns, cut.gpt2, cut.asciiDigitTriples), 'falcon'),
  ...named(withBos(wholeWords(by(cut.llama3))), 'llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2'),
  ...named(withBos(wholeWords(by(cut.llama3))), 'jina-v5-nano'),
  ...named(by(cut.llama3), 'dbrx smaug-bpe glm4 chatglm-bpe'),
  ...named(by(cut.jais2), 'jais-2 jais2'),
  ...named(by(cut.qwen2), 'qwen2 deepseek-r1-qwen kormo f2llmv2 megrez stablelm2 hunyuan solar-open grok-2'),
  ...named(by(cut.lines, cut.qwen2), 'laguna'),
  ...named(by(cut.qwen35), 'qwen35'),
  ...named(by(cut.ufakzeka), 'ufakzeka'),
  ...named(wholeWords(by(cut.threeDigits, cut.miniCpm5)), 'minicpm5'),
  ...named(by(cut.seedCoder), 'seed-coder'),
  ...named(by(cut.bailingMoe), 'bailingmoe bailingmoe2 llada-moe'),
  ...named(by(cut.exaoneMoe), 'exaone-moe'),
  ...named(by(cut.gpt4o), 'gpt-4o llama4 kanana2 talkie minimax-m2'),
  ...named(wholeWords(by(cut.gpt4o)), 'granite-embed-multi-97m'),
  ...named(by(cut.triplesFromWordEnd, cut.gpt4o), 'tiny_aya cohere2moe'),
  ...named(withBos(wholeWords(by(cut.tekken))), 'tekken'),
  ...named(by(cut.kimiK2), 'kimi-k2'),
  ...named(cjkApart, 'deepseek-v3 hunyuan-dense joyai-llm hy_v4'),
  ...named(by(cut.threeDigits, cut.cjkRuns, cut.spark, cut.digit), 'spark2_5'),
  ...named(by(cut.triplesFromEnd, cut.afmoeScripts, cut.deepseekV3), 'afmoe'),
  ...named(wholeWords(by(cut.youtuScripts, cut.youtuWords)), 'youtu'),
  ...named(by(cut.digits, cut.placesOfTriples), 'superbpe'),
  ...named(
    by(cut.lineBreak, cut.deepseekWords, cut.deepseekSigns, cut.trailingSpace, cut.deepseekAsian, cut.digits),
    'deepseek-llm',
  ),
  ...named(by(cut.lineBreak, cut.letters, cut.punctuation, cut.deepseekAsian, cut.digit), 'deepseek-coder'),
  ...named(by(cut.bloom), 'bloom poro-chat gpt3-finnish'),
  ...named(by(cut.bloom, cut.digit), 'viking'),
  ...named(
    withBos(by(cut.sentinels, cut.imageTokens, cut.indents, cut.digit, cut.anyPunctuation, cut.gpt2)),
    'chameleon',
  ),
  ...named({ ...spaces, alwaysBos: true }, 'gemma4 granite-embed-multi-311m'),
  ...named(spaces, 'sarvam-moe'),
  ...named({ ...by(cut.notSpace), spelling: 'characters' }, 'whitespace'),
]);

/**
 * The pre-tokenizer of a name; the default where the file names none.
 * @throws ModelError TOKENIZER_INVALID
 */
export const preTokenizerOf = (name = 'default'): PreTokenizer => {
  const found = preTokenizers.get(name);
  if (found) return found;
  throw new ModelError(`its pre-tokenizer ${JSON.stringify(name.slice(0, 80))} is not known`, {
    code: 'TOKENIZER_INVALID',
    hint: `Known ones with a similar name: ${nearest(name, preTokenizers.keys()).join(', ')}. Until it is supported, give ids with --ids.`,
    details: { 'tokenizer.ggml.pre': name.slice(0, 80) },
  });
};
