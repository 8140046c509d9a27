import { ModelError, type JsonObject } from '../../base/index.js';

/** Fields that every Hugging Face config may have and that change nothing in a forward run. */
const harmless = new Set([
  '_attn_implementation_autoset', '_attn_implementation', '_commit_hash', '_name_or_path', 'architectures', 'attention_dropout', 'attn_implementation', 'attn_pdrop',
  'auto_map', 'bad_words_ids', 'begin_suppress_tokens', 'bos_token_id', 'classifier_dropout', 'decoder_start_token_id',
  'diversity_penalty', 'do_sample', 'dtype', 'early_stopping', 'embd_pdrop', 'encoder_no_repeat_ngram_size',
  'eos_token_id', 'exponential_decay_length_penalty', 'finetuning_task', 'forced_bos_token_id', 'forced_eos_token_id',
  'gradient_checkpointing', 'hidden_dropout', 'id2label', 'initializer_range', 'keys_to_ignore_at_inference',
  'label2id', 'length_penalty', 'max_length', 'max_new_tokens', 'min_length', 'model_type', 'n_ctx', 'no_repeat_ngram_size',
  'num_beam_groups', 'num_beams', 'num_return_sequences', 'output_attentions', 'output_hidden_states',
  'output_scores', 'pad_token_id', 'prefix', 'problem_type', 'remove_invalid_values', 'repetition_penalty',
  'resid_pdrop', 'return_dict', 'return_dict_in_generate', 'sep_token_id', 'suppress_tokens', 'task_specific_params',
  'temperature', 'tf_legacy_loss', 'tie_encoder_decoder', 'tokenizer_class', 'top_k', 'top_p', 'torch_dtype',
  'torchscript', 'transformers_version', 'typical_p', 'unk_token_id', 'use_bfloat16', 'use_cache',
]); // prettier-ignore

/** Many times what any model has. */
const mostLayers = 1000;

const isNeutral = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === false ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value).length === 0);

const invalid = (field: string, expected: string, value: unknown): ModelError =>
  new ModelError(`config.json: ${field} should be ${expected}, but is ${JSON.stringify(value)}`, {
    code: 'CONFIG_INVALID',
    hint: `Correct ${field} in config.json, or try a value with --edit 'config ${field} = VALUE'.`,
    details: { field },
  });

/** The error of a field whose value changes the computation in a way that is not supported. */
export const unsupportedField = (field: string, value: unknown, supported: string): ModelError =>
  new ModelError(`config.json: ${field} = ${JSON.stringify(value)} is not supported`, {
    code: 'CONFIG_FIELD_UNSUPPORTED',
    hint: `${supported} If you know that it does not matter here, set it aside with --edit 'config ${field} = null'.`,
    details: { field },
  });

/** Reads a config field by field, so that at the end the fields nobody read are known. */
export class ConfigReader {
  readonly #read = new Set<string>();
  constructor(readonly config: JsonObject) {}

  /** The value of a field, which counts as read; `undefined` where absent or null. */
  raw(field: string): unknown {
    this.#read.add(field);
    return this.config[field] ?? undefined;
  }

  /** A whole number of at least `least`. */
  integer(field: string, fallback?: number, least = 1): number {
    const value = this.raw(field) ?? fallback;
    if (value === undefined) throw this.#missing(field);
    if (typeof value !== 'number' || !Number.isSafeInteger(value) || value < least)
      throw invalid(field, `a whole number of at least ${least}`, value);
    return value;
  }

  /** A number of layers: bounded, since each is built before its tensors can be missed. */
  layers(field: string): number {
    const count = this.integer(field);
    if (count > mostLayers) throw invalid(field, `at most ${mostLayers}`, count);
    return count;
  }

  number(field: string, fallback?: number): number {
    const value = this.raw(field) ?? fallback;
    if (value === undefined) throw this.#missing(field);
    if (typeof value !== 'number' || !Number.isFinite(value)) throw invalid(field, 'a number', value);
    return value;
  }

  boolean(field: string, fallback: boolean): boolean {
    const value = this.raw(field) ?? fallback;
    if (typeof value !== 'boolean') throw invalid(field, 'true or false', value);
    return value;
  }

  string(field: string, fallback?: string): string {
    const value = this.raw(field) ?? fallback;
    if (value === undefined) throw this.#missing(field);
    if (typeof value !== 'string') throw invalid(field, 'a text', value);
    return value;
  }

  /** A nested object as a reader of its own; undefined where absent or null. */
  object(field: string): ConfigReader | undefined {
    const value = this.raw(field);
    if (value === undefined) return undefined;
    if (typeof value !== 'object' || Array.isArray(value)) throw invalid(field, 'an object', value);
    return new ConfigReader(value as JsonObject);
  }

  /** Checks a rule between fields. */
  require(holds: boolean, field: string, expected: string): void {
    if (!holds) throw invalid(field, expected, this.config[field]);
  }

  /**
   * Ends the reading. A field that nobody read and that is not known to be harmless is an error, unless it is
   * neutral (null, false, empty): what it would change is not computed.
   * @param harmlessHere fields of this family that only matter in training
   * @throws ModelError CONFIG_FIELD_UNSUPPORTED
   */
  finish(harmlessHere: readonly string[] = []): void {
    const known = (field: string): boolean =>
      this.#read.has(field) || harmless.has(field) || harmlessHere.includes(field);
    for (const [field, value] of Object.entries(this.config))
      if (!known(field) && !isNeutral(value))
        throw unsupportedField(field, value, 'This version does not know the field.');
  }

  #missing(field: string): ModelError {
    return new ModelError(`config.json has no ${field}`, {
      code: 'CONFIG_FIELD_MISSING',
      hint: `Add ${field} to config.json, or give it with --edit 'config ${field} = VALUE'.`,
      details: { field },
    });
  }
}
