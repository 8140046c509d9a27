/**
 * How text is cut before pieces are looked for: regular expressions in Oniguruma's syntax, each tried from left to
 * right. The words of a family stand in its tokenizer.json; where that is not public, as llama.cpp has them.
 * @source llama.cpp src/llama-vocab.cpp, `llm_tokenizer_bpe` (commit 00ad355): patterns by pre-tokenizer; Radford 2019
 */

const contraction = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
const otherRuns = String.raw`\s+(?!\S)|\s+`;
const wordsAfterOne = String.raw`[^\r\n\p{L}\p{N}]?\p{L}+`;
const signsAndBreaks = String.raw` ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+`;

/** GPT-2: a word, a number or signs, each with the space before it. */
export const gpt2 = String.raw`'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|${otherRuns}`;

/** GPT-4 and those after it; they differ in how many digits stand together. */
const gpt4 = (digits: string): string => [contraction, wordsAfterOne, digits, signsAndBreaks, otherRuns].join('|');

export const digit = String.raw`\p{N}`;
export const digits = String.raw`\p{N}+`;
export const threeDigits = String.raw`\p{N}{1,3}`;
export const asciiDigitTriples = '[0-9][0-9][0-9]';
export const llama3 = gpt4(threeDigits);
export const qwen2 = gpt4(digit);
export const miniCpm5 = gpt4(digits);
/** Without contractions, which would cut Turkish suffixes. */
export const ufakzeka = [wordsAfterOne, digit, signsAndBreaks, otherRuns].join('|');
/** Marks belong to the word. */
export const qwen35 = [
  contraction,
  String.raw`[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+`,
  digit,
  String.raw` ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+`,
  otherRuns,
].join('|');
export const seedCoder = [
  contraction,
  wordsAfterOne,
  digit,
  String.raw` ?[^\s\p{L}\p{N}\r\n]+|\s*[\r\n]+`,
  otherRuns,
].join('|');
export const bailingMoe = [
  "'(?i:[sdmt]|ll|ve|re)",
  wordsAfterOne,
  digit,
  String.raw` ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]`,
  otherRuns,
].join('|');
/** Words of several parts stay together: `New York`. */
export const exaoneMoe = [
  contraction,
  String.raw`[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+`,
  digit,
  String.raw` ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]`,
  otherRuns,
].join('|');
/** Runs of spaces in powers of two. */
export const jais2 = [
  contraction,
  wordsAfterOne,
  threeDigits,
  signsAndBreaks,
  ...[512, 256, 128, 64, 32, 16, 8, 4].map((count) => String.raw`\s{${count}}(?!\S)`),
  String.raw`\s{1,2}(?!\S)|\s{1}`,
].join('|');

const upper = String.raw`\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}`;
const lower = String.raw`\p{Ll}\p{Lm}\p{Lo}\p{M}`;
/** Words that end where small letters are followed by a capital; `rest` is excluded from their letters. */
const casedWords = (ending: string, rest = ''): string =>
  [
    String.raw`[^\r\n\p{L}\p{N}]?[${upper}${rest}]*[${lower}${rest}]+${ending}`,
    String.raw`[^\r\n\p{L}\p{N}]?[${upper}${rest}]+[${lower}${rest}]*${ending}`,
  ].join('|');
const signsAndPaths = String.raw` ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+`;

/** GPT-4o: o200k. */
export const gpt4o = [casedWords(`${contraction}?`), threeDigits, signsAndPaths, otherRuns].join('|');
/** Mistral NeMo: single digits, no contractions. */
export const tekken = [casedWords(''), digit, signsAndPaths, otherRuns].join('|');
/** Chinese characters apart from the other letters. */
export const kimiK2 = [
  String.raw`[\p{Han}]+`,
  casedWords(`${contraction}?`, String.raw`&&[^\p{Han}]`),
  threeDigits,
  signsAndBreaks,
  otherRuns,
].join('|');
/** Hangul, Chinese punctuation, Bopomofo, and Chinese with Japanese, each by itself. */
export const youtuScripts =
  '[\uac00-\ud7a3\u3131-\u318e]+' +
  '|[\uff01\u2026\u201c\u201d\u2018\u2019\u2014\uff1a\uff1b\uff0c\u3001-\u303f\ufe30-\ufe4f]+' +
  '|[\u3105-\u312f]+|[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+';
export const youtuWords = [casedWords(`${contraction}?`), digit, signsAndPaths, otherRuns].join('|');

/** A long number in threes from its end, where a word ends behind it. */
export const triplesFromWordEnd = String.raw`\d{1,3}(?=(?:\d{3})*\b)`;
/** A long number in threes from its end. */
export const triplesFromEnd = String.raw`\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))`;
/** Where a number is a multiple of three digits from its end: a place, no text. */
export const placesOfTriples = String.raw`(?=(\d{3})+(?!\d))`;

/** Chinese characters with Japanese syllables. */
export const cjkRuns = '[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+';
const asciiSign = String.raw`[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_${'`'}{|}~][A-Za-z]+`;
const markedWords = String.raw`[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+`;
export const deepseekV3 = [asciiSign, markedWords, String.raw` ?[\p{P}\p{S}]+[\r\n]*|\s*[\r\n]+`, otherRuns].join('|');
export const spark = [asciiSign, markedWords, String.raw` ?[\p{P}\p{S}]+|[\r\n]`, otherRuns].join('|');
/** Scripts of East and South-East Asia. */
export const afmoeScripts =
  '[\u4e00-\u9fff\u3400-\u4dbf\uf900-\ufaff\u3040-\u309f\u30a0-\u30ff\uff65-\uff9f\u2f00-\u2fdf\u0e40-\u0e7f' +
  '\u0e80-\u0eff\u1780-\u17ff\u1000-\u109f\uaa60-\uaa7f\ua9e0-\ua9ff\uac00-\ud7af\u1100-\u11ff]+';

export const lineBreak = '[\r\n]';
export const lines = String.raw`[^\n]+|[\n]+`;
/** The letters with case of Unicode 12, in DeepSeek LLM's own list. */
const casedLetters =
  'A-Za-z\u00b5\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u01ba\u01bc-\u01bf\u01c4-\u0293\u0295-\u02af\u0370-\u0373\u0376' +
  '\u0377\u037b-\u037d\u037f\u0386\u0388-\u038a\u038c\u038e-\u03a1\u03a3-\u03f5\u03f7-\u0481\u048a-\u052f\u0531-\u0556' +
  '\u10a0-\u10c5\u13a0-\u13f5\u13f8-\u13fd\u1c90-\u1cba\u1cbd-\u1cbf\u1d00-\u1d2b\u1d6b-\u1d77\u1d79-\u1d9a' +
  '\u1e00-\u1f15\u1f18-\u1f1d\u1f20-\u1f45\u1f48-\u1f4d\u1f50-\u1f57\u1f59\u1f5b\u1f5d\u1f5f-\u1f7d\u1f80-\u1fb4' +
  '\u1fb6-\u1fbc\u1fbe\u1fc2-\u1fc4\u1fc6-\u1fcc\u1fd0-\u1fd3\u1fd6-\u1fdb\u1fe0-\u1fec\u1ff2-\u1ff4\u1ff6-\u1ffc' +
  '\u2102\u2107\u210a-\u2113\u2115\u2119-\u211d\u2124\u2126\u2128\u212a-\u212d\u212f-\u2134\u2139\u213c-\u213f' +
  '\u2145-\u2149\u214e\u2183\u2184\u2c00-\u2c7b\u2c7e-\u2ce4\u2ceb-\u2cee\u2cf2\u2cf3\ua640-\ua66d\ua680-\ua69b' +
  '\ua722-\ua76f\ua771-\ua787\ua78b-\ua78e\uab70-\uabbf\ufb00-\ufb06\ufb13-\ufb17\uff21-\uff3a\uff41-\uff5a' +
  '\u{10400}-\u{1044f}\u{104b0}-\u{104d3}\u{104d8}-\u{104fb}\u{10c80}-\u{10cb2}\u{10cc0}-\u{10cf2}\u{118a0}-\u{118df}' +
  '\u{1e900}-\u{1e943}';
export const deepseekWords = String.raw`\s?[${casedLetters}]+`;
export const deepseekSigns = `\\s?[!-/:-~\uff01-\uff0f\uff1a-\uff5e\u2018-\u201f\u3000-\u3002]+`;
export const trailingSpace = String.raw`\s+$`;
export const deepseekAsian = '[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+';
export const letters = String.raw`\s?\p{L}+`;
export const punctuation = String.raw`\s?\p{P}+`;

export const falconSigns = String.raw`[\p{P}\$\+<=>\^~\|${'`'}]+`;
export const defaultSigns = String.raw`[\p{P}\$\+<=>\^~\|]+`;
/** Everything between spaces and the punctuation of many scripts. */
export const bloom = ' ?[^(\\s|.,!?\u2026\u3002\uff0c\u3001\u0964\u06d4\u060c)]+';

export const sentinels = '<sentinel:[0-9]+>';
export const imageTokens = '(IMGIMG)((A|B|C|D|E|F|G|H|I){1,4})Z';
export const indents = String.raw`([\t\n]|    |  )`;
export const anyPunctuation = String.raw`[\p{P}!-/:-@\[-${'`'}{-~]`;
export const notSpace = String.raw`\S+`;
