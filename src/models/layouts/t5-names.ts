import type { AliasNames } from './aliases.js';

type Stack = 'encoder' | 'decoder';

const attention = (module: string, out: string): Readonly<Record<string, string>> => ({
  [module]: out,
  [`${module}.o`]: out,
});

/** Hugging Face's modules of a block whose output is a site. */
const modules = (stack: Stack, gated: boolean): AliasNames => {
  const last = stack === 'encoder' ? 1 : 2;
  const mlp = `layer.${last}.DenseReluDense`;
  return {
    ...{ blocks: `${stack}.block`, stack },
    inBlock: {
      'layer.0.layer_norm': 'ln1.normalized',
      ...attention('layer.0.SelfAttention', 'attn_out'),
      'layer.0': 'resid_mid',
      ...(stack === 'encoder'
        ? {}
        : {
            'layer.1.layer_norm': 'ln_cross.normalized',
            ...attention('layer.1.EncDecAttention', 'cross_attn_out'),
            'layer.1': 'resid_cross',
          }),
      [`layer.${last}.layer_norm`]: 'ln2.normalized',
      [`layer.${last}`]: 'resid_post',
      [mlp]: 'mlp_out',
      [`${mlp}.wo`]: 'mlp_out',
      ...(gated
        ? { [`${mlp}.wi_0`]: 'mlp.pre', [`${mlp}.wi_1`]: 'mlp.pre_linear' }
        : { [`${mlp}.wi`]: 'mlp.pre', [`${mlp}.act`]: 'mlp.post' }),
    },
    outside: {
      [`${stack}.embed_tokens`]: `${stack}.embed`,
      [`${stack}.final_layer_norm`]: `${stack}.ln_final.normalized`,
      ...(stack === 'encoder' ? {} : { lm_head: 'logits', 'decoder.logits': 'logits' }),
    },
  };
};

const attentionHooks = (name: 'attn' | 'cross_attn'): Readonly<Record<string, string>> =>
  Object.fromEntries(
    ['q', 'k', 'v', 'pattern', 'z', 'result'].map((part) => [`${name}.hook_${part}`, `${name}.${part}`]),
  );

const normHooks = (hook: string, site: string): Readonly<Record<string, string>> => ({
  [`${hook}.hook_scale`]: `${site}.scale`,
  [`${hook}.hook_normalized`]: `${site}.normalized_raw`,
});

/**
 * TransformerLens's hook points of its T5: its decoder's `ln2` stands before cross-attention, `ln3` before the MLP.
 * @source TransformerLens, `T5Block` and `HookedEncoderDecoder`
 */
const hooks = (stack: Stack): AliasNames => ({
  ...{ blocks: stack, stack },
  inBlock: {
    ...Object.fromEntries(
      ['resid_pre', 'attn_out', 'resid_mid', 'cross_attn_out', 'mlp_out', 'resid_post'].map((s) => [`hook_${s}`, s]),
    ),
    hook_resid_mid_cross: 'resid_cross',
    ...normHooks('ln1', 'ln1'),
    ...(stack === 'encoder'
      ? normHooks('ln2', 'ln2')
      : { ...normHooks('ln2', 'ln_cross'), ...normHooks('ln3', 'ln2') }),
    ...attentionHooks('attn'),
    ...attentionHooks('cross_attn'),
    ...Object.fromEntries(['pre', 'pre_linear', 'post'].map((part) => [`mlp.hook_${part}`, `mlp.${part}`])),
  },
  outside: normHooks(`${stack}_final_ln`, `${stack}.ln_final`),
});

/** Other names of T5's sites. */
export const t5Names = (gated: boolean): readonly AliasNames[] => [
  modules('encoder', gated),
  modules('decoder', gated),
  hooks('encoder'),
  hooks('decoder'),
];
