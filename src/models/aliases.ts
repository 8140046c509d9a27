import type { Segment } from '../graph/index.js';

/** Hugging Face's names of modules whose output is a site, relative to a block and outside of them. */
export interface AliasNames {
  /** Module path of the list of blocks: `transformer.h`. */
  readonly blocks: string;
  readonly inBlock: Readonly<Record<string, string>>;
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

/**
 * Other names of a model's sites, to the canonical ones, for those sites that the model has.
 * @param normalized which of our two normalised values TransformerLens's `hook_normalized` is in this family
 */
export const aliases = (
  names: AliasNames,
  segments: readonly Segment[],
  normalized: 'normalized' | 'normalized_raw',
): ReadonlyMap<string, string> => {
  const sites = new Set(segments.flatMap((s) => s.graph.sites.map((t) => t.name)));
  const pairs: [string, string][] = Object.entries({ ...outsideHooks(normalized), ...names.outside });
  segments
    .filter((s) => s.kind === 'block')
    .forEach(({ id }, layer) => {
      const module = `${names.blocks}.${layer}`;
      pairs.push([module, `${id}.resid_post`]);
      for (const [hook, site] of Object.entries(hooks(normalized))) pairs.push([`${id}.${hook}`, `${id}.${site}`]);
      for (const [path, site] of Object.entries(names.inBlock)) pairs.push([`${module}.${path}`, `${id}.${site}`]);
    });
  return new Map(pairs.filter(([, site]) => sites.has(site)));
};
