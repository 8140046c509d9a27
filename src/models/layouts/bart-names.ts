import type { Stack } from '../../graph/index.js';
import type { AliasNames } from './aliases.js';

/** Hugging Face's modules whose output is a site. */
const modules = (prefix: string, stack: Stack, embeds: boolean): AliasNames => ({
  ...{ blocks: `${prefix}${stack}.layers`, stack },
  inBlock: {
    self_attn: 'attn_out',
    'self_attn.out_proj': 'attn_out',
    self_attn_layer_norm: 'ln1.normalized',
    ...(stack === 'encoder'
      ? {}
      : {
          encoder_attn: 'cross_attn_out',
          'encoder_attn.out_proj': 'cross_attn_out',
          encoder_attn_layer_norm: 'ln_cross.normalized',
        }),
    fc1: 'mlp.pre',
    activation_fn: 'mlp.post',
    fc2: 'mlp_out',
    final_layer_norm: 'ln2.normalized',
  },
  outside: {
    ...(embeds ? { [`${prefix}${stack}.embed_tokens`]: `${stack}.embed` } : {}),
    [`${prefix}${stack}.embed_positions`]: `${stack}.pos_embed`,
    [`${prefix}${stack}.layernorm_embedding`]: `${stack}.ln_embed.normalized`,
    [`${prefix}${stack}.layer_norm`]: `${stack}.ln_final.normalized`,
    ...(stack === 'encoder' ? {} : { lm_head: 'logits', 'decoder.logits': 'logits' }),
  },
});

/**
 * Other names of the sites of a model laid out as BART.
 * @param embeds whether the module of the embedding gives the site `embed`, scaled where it is
 */
export const bartNames = (prefix: string, embeds: boolean): readonly AliasNames[] => [
  modules(prefix, 'encoder', embeds),
  modules(prefix, 'decoder', embeds),
];
