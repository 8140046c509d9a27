import type { JsonObject } from '../../base/index.js';
import type { InputRule, Program, Segment } from '../../graph/index.js';
import { aliases, type AliasNames } from './aliases.js';
import type { TokenTables } from './decoder.js';

/** A model that reads a whole text at once: what its config says, and its parts. */
export interface EncoderParts {
  readonly family: string;
  readonly config: JsonObject;
  readonly sizes: {
    readonly layers: number;
    readonly heads: number;
    readonly modelDim: number;
    readonly vocab: number;
    readonly maxPositions: number;
  };
  /** Names of the labels, of a classifier. */
  readonly labels?: readonly string[] | undefined;
  readonly segments: readonly Segment[];
  /** Rules beyond those of `ids` and `mask.padding`. */
  readonly inputs: Readonly<Record<string, InputRule>>;
  readonly tables: TokenTables;
  readonly names: AliasNames;
}

/**
 * TransformerLens's names where norms follow: its `resid_mid` and `resid_post` are the sums before them.
 * @source TransformerLens, components/bert_block.py and bert_embed.py, HookedEncoder.py
 */
export const postNormHooks: Readonly<Record<string, string>> = {
  hook_resid_mid: 'resid_mid_raw',
  hook_resid_post: 'resid_post_raw',
  hook_normalized_resid_post: 'resid_post',
};

const outsideHooks: Readonly<Record<string, string>> = {
  'embed.hook_embed': 'embed',
  'embed.hook_pos_embed': 'pos_embed',
  'embed.hook_token_type_embed': 'type_embed',
  'embed.ln.hook_scale': 'ln_embed.scale',
  'embed.ln.hook_normalized': 'ln_embed.normalized',
  hook_full_embed: 'ln_embed',
  'mlm_head.ln.hook_scale': 'head.ln.scale',
  'mlm_head.ln.hook_normalized': 'head.ln.normalized',
};

/** The program of an encoder-only model. */
export const encoderProgram = (parts: EncoderParts): Program => {
  const { family, config, segments, sizes, labels, tables } = parts;
  const { layers, heads, modelDim, vocab, maxPositions } = sizes;
  const names = { hooks: postNormHooks, ...parts.names, outside: { ...outsideHooks, ...parts.names.outside } };
  return {
    family,
    segments,
    inputs: { ids: { rule: 'ids' }, 'mask.padding': { rule: 'padding' }, ...parts.inputs },
    facts: {
      output: labels ? 'labels' : 'masks',
      ...{ layers, heads, modelDim, vocab, maxPositions },
      ...(labels ? { labels } : {}),
      aliases: aliases([names], segments, 'normalized'),
      ...tables,
    },
    config,
  };
};
