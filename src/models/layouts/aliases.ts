import type { Segment, Stack } from '../../graph/index.js';

/** Hugging Face's names of modules whose output is a site, relative to a block and outside of them. */
export interface AliasNames {
  /** Module path of the list of blocks: `transformer.h`. */
  readonly blocks: string;
  /** The half of an encoder-decoder that these names are in. */
  readonly stack?: Stack;
  readonly inBlock: Readonly<Record<string, string>>;
  /** TransformerLens's names in a block that stand for other sites than elsewhere. */
  readonly hooks?: Readonly<Record<string, string>>;
  readonly outside: Readonly<Record<string, string>>;
}

/**
 * TransformerLens's hook points, by our site relative to a block. Its attention scores are -infinity where masked
 * and ours the float32 minimum, so they are not the same value and have no alias.
 * @source TransformerLens, docs "main demo": HookedTransformer hook names
 */
const hooks = (normalized: string): Readonly<Record<string, string>> => ({
  hook_resid_pre: 'resid_pre',
  hook_resid_mid: 'resid_mid',
  hook_resid_post: 'resid_post',
  hook_attn_out: 'attn_out',
  hook_mlp_out: 'mlp_out',
  'ln1.hook_scale': 'ln1.scale',
  'ln1.hook_normalized': `ln1.${normalized}`,
  'ln2.hook_scale': 'ln2.scale',
  'ln2.hook_normalized': `ln2.${normalized}`,
  'ln1_post.hook_scale': 'ln1_post.scale',
  'ln1_post.hook_normalized': `ln1_post.${normalized}`,
  'ln2_post.hook_scale': 'ln2_post.scale',
  'ln2_post.hook_normalized': `ln2_post.${normalized}`,
  ln1_post: 'ln1_post.normalized', // the contract's own short names
  ln2_post: 'ln2_post.normalized',
  'attn.hook_q': 'attn.q',
  'attn.hook_k': 'attn.k',
  'attn.hook_v': 'attn.v',
  'attn.hook_rot_q': 'attn.rot_q',
  'attn.hook_rot_k': 'attn.rot_k',
  'attn.hook_pattern': 'attn.pattern',
  'attn.hook_z': 'attn.z',
  'attn.hook_result': 'attn.result',
  'mlp.hook_pre': 'mlp.pre',
  'mlp.hook_pre_linear': 'mlp.pre_linear',
  'mlp.hook_post': 'mlp.post',
});

const outsideHooks = (normalized: string): Readonly<Record<string, string>> => ({
  hook_embed: 'embed',
  hook_pos_embed: 'pos_embed',
  'ln_final.hook_scale': 'ln_final.scale',
  'ln_final.hook_normalized': `ln_final.${normalized}`,
});

/** Other names of a block's sites. */
const inBlock = (
  module: string,
  { id, names, normalized }: { id: string; names: AliasNames; normalized: 'normalized' | 'normalized_raw' },
): [string, string][] => [
  [module, `${id}.resid_post`],
  ...Object.entries({ ...(names.stack === undefined ? hooks(normalized) : {}), ...names.hooks }).map(
    ([hook, site]): [string, string] => [`${id}.${hook}`, `${id}.${site}`],
  ),
  ...Object.entries(names.inBlock).map(([path, site]): [string, string] => [`${module}.${path}`, `${id}.${site}`]),
];

/**
 * Other names of a model's sites, to the canonical ones, for those sites that the model has.
 * @param normalized which of our two normalised values TransformerLens's `hook_normalized` is in this family
 */
export const aliases = (
  stacks: readonly AliasNames[],
  segments: readonly Segment[],
  normalized: 'normalized' | 'normalized_raw',
): ReadonlyMap<string, string> => {
  const sites = new Set(segments.flatMap((s) => s.graph.sites.map((t) => t.name)));
  const pairs: [string, string][] = Object.entries(outsideHooks(normalized));
  for (const names of stacks) {
    pairs.push(...Object.entries(names.outside));
    for (const { id, layer, kind, stack } of segments)
      if (kind === 'block' && stack === names.stack)
        pairs.push(...inBlock(`${names.blocks}.${layer}`, { id, names, normalized }));
  }
  return new Map(pairs.filter(([, site]) => sites.has(site)));
};
