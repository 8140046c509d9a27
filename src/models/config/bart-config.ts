import type { Stack } from '../../graph/index.js';
import { unsupportedField, type ConfigReader } from './config-reader.js';

export const activationField = 'activation_function';

interface StackSizes {
  readonly layers: number;
  readonly heads: number;
  readonly neurons: number;
}

/** What the configs of all models have that are laid out as BART. */
export interface BartSizes {
  readonly maxPositions: number;
  readonly modelDim: number;
  readonly encoder: StackSizes;
  readonly decoder: StackSizes;
  readonly activation: string;
  /** Multiplies the embedding. */
  readonly embedScale: number;
  /** Begins the decoder's sequence. */
  readonly start: number;
}

const readStack = (c: ConfigReader, stack: Stack, modelDim: number): StackSizes => {
  const heads = c.integer(`${stack}_attention_heads`, 16);
  c.require(modelDim % heads === 0, `${stack}_attention_heads`, `a divisor of d_model (${modelDim})`);
  return { layers: c.layers(`${stack}_layers`), heads, neurons: c.integer(`${stack}_ffn_dim`, 4096) };
};

/**
 * Reads the common fields.
 * @param start the token that the decoder begins with where the config does not say
 * @param vocab of the decoder
 */
export const readBart = (c: ConfigReader, { start, vocab }: { start: number; vocab: number }): BartSizes => {
  const modelDim = c.integer('d_model');
  c.require(c.boolean('is_encoder_decoder', true), 'is_encoder_decoder', 'true');
  const first = c.integer('decoder_start_token_id', start, 0);
  c.require(first < vocab, 'decoder_start_token_id', `an id of the vocabulary, below ${vocab}`);
  return {
    modelDim,
    maxPositions: c.integer('max_position_embeddings', 1024),
    ...{ encoder: readStack(c, 'encoder', modelDim), decoder: readStack(c, 'decoder', modelDim) },
    activation: c.string(activationField, 'gelu'),
    embedScale: c.boolean('scale_embedding', false) ? Math.sqrt(modelDim) : 1,
    start: first,
  };
};

/** Fields of published configs that only matter in training, or that say again what others say. */
export const bartHarmless = [
  ...['_num_labels', 'activation_dropout', 'classif_dropout', 'decoder_layerdrop', 'dropout', 'encoder_layerdrop'],
  ...['force_bos_token_to_be_generated', 'init_std', 'num_hidden_layers', 'output_past', 'replacing_rate'],
  ...['save_step', 'student_decoder_layers', 'student_encoder_layers'],
];

/** Refuses fields of older configs that once chose another model, unless they say what is computed. */
export const refuseOthers = (
  c: ConfigReader,
  family: string,
  computed: Readonly<Record<string, boolean | number>>,
): void => {
  for (const [field, value] of Object.entries({ add_bias_logits: false, ...computed })) {
    const given = c.raw(field);
    if (given !== undefined && given !== value)
      throw unsupportedField(field, given, `In ${family} it is ${String(value)}.`);
  }
};
