import type { JsonObject } from '../base/index.js';
import { likeliest } from '../engine/index.js';
import { eosIds } from '../formats/index.node.js';
import type { OpenModel } from './open-model.js';
import { textOf } from './prompts.js';

/** What the model's own files say of generating, as Hugging Face's `generate` heeds it. */
export interface GenerationRules {
  /** Tokens that are taken whatever the model says, by step. */
  readonly forced: ReadonlyMap<number, number>;
  /** Tokens that are never taken, by the field that says so. */
  readonly suppressed: ReadonlyMap<number, string>;
  /** The same, in one step alone. */
  readonly suppressedOnce: { readonly step: number; readonly tokens: ReadonlyMap<number, string> };
  /** What the user should know: what is forced, and what the files ask for and is not carried out. */
  readonly notes: readonly string[];
}

/** generation_config.json; where there is none, the same fields of config.json, as older models have them. */
const settingsOf = ({ folder, program }: OpenModel): { readonly fields: JsonObject; readonly file: string } =>
  folder.generationConfig
    ? { fields: folder.generationConfig, file: 'generation_config.json' }
    : { fields: program.config, file: 'config.json' };

const ids = (value: unknown, vocab: number): number[] =>
  (Array.isArray(value) ? value : [value]).filter(
    (id): id is number => Number.isSafeInteger(id) && id >= 0 && id < vocab,
  );

/** Lists of ids, each a text that must not be made. */
const badWords = ({ bad_words_ids: lists }: JsonObject): readonly unknown[][] =>
  (Array.isArray(lists) ? (lists as readonly unknown[]) : []).filter((list): list is unknown[] => Array.isArray(list));

/** The token that the first uploads of BART for summaries force says its config in an older way. */
const forcedFirst = (fields: JsonObject, vocab: number): number | undefined => {
  const { forced_bos_token_id: forced, force_bos_token_to_be_generated: older, bos_token_id: bos } = fields;
  return ids(forced ?? (older === true ? bos : undefined), vocab)[0];
};

const positive = (fields: JsonObject, field: string, above: number): string[] => {
  const value = fields[field];
  return typeof value === 'number' && value > above ? [`${field} ${value}`] : [];
};

/** What the files ask for that is not carried out. */
const notDone = (fields: JsonObject): readonly string[] => [
  ...positive(fields, 'num_beams', 1),
  ...['no_repeat_ngram_size', 'encoder_no_repeat_ngram_size', 'min_length', 'min_new_tokens'].flatMap((field) =>
    positive(fields, field, 0),
  ),
  ...(badWords(fields).some((list) => list.length > 1) ? ['bad_words_ids of several tokens'] : []),
];

/**
 * What is forced and suppressed in a generation.
 * @param length tokens of the decoder before the first new one
 * @source transformers 4.57, generation/utils.py, `_get_logits_processor`
 */
export const generationRules = (model: OpenModel, length: number): GenerationRules => {
  const { vocab } = model.program.facts;
  const { fields, file } = settingsOf(model);
  const end = new Set(eosIds(model.program.config, model.folder.generationConfig));
  const words = badWords(fields).flatMap((list) => (list.length === 1 ? ids(list[0], vocab) : []));
  const named = (list: readonly number[], field: string) =>
    list.map((id): [number, string] => [id, `${field} of ${file}`]);
  const first = length === 1 ? forcedFirst(fields, vocab) : undefined;
  const missing = notDone(fields);
  return {
    forced: new Map(first === undefined ? [] : [[0, first]]),
    suppressed: new Map([
      ...named(
        words.filter((id) => !end.has(id)),
        'bad_words_ids',
      ),
      ...named(ids(fields['suppress_tokens'], vocab), 'suppress_tokens'),
    ]),
    suppressedOnce: {
      step: first === undefined ? 0 : 1,
      tokens: new Map(named(ids(fields['begin_suppress_tokens'], vocab), 'begin_suppress_tokens')),
    },
    notes: [
      ...(first === undefined
        ? []
        : [`the first new token is ${textOf(model, first)}: forced_bos_token_id of ${file}`]),
      ...(missing.length === 0
        ? []
        : [`${file} asks for ${missing.join(', ')}, which is not done: one sequence is made, token by token`]),
    ],
  };
};

/** The tokens that may not be taken in a step, with the reasons. */
export const suppressedAt = (
  { suppressed, suppressedOnce }: GenerationRules,
  step: number,
): ReadonlyMap<number, string> =>
  step === suppressedOnce.step ? new Map([...suppressed, ...suppressedOnce.tokens]) : suppressed;

/** The likeliest token of a step, where it may not be taken, and why. */
export const suppressionOf = (
  rules: GenerationRules,
  step: number,
  logits: Float32Array,
): { readonly id: number; readonly reason: string } | undefined => {
  const id = likeliest(logits);
  const reason = suppressedAt(rules, step).get(id);
  return reason === undefined ? undefined : { id, reason };
};
