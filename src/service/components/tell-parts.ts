import { contributionAt, headContributionsAt, neuronContributionsAt, rowAt } from '../../analyses/components/index.js';
import { toSitePath, type SiteName, type SitePath } from '../../language/index.js';
import type { ComponentPart, ComponentsResult, NeuronPart } from '../../protocol/index.js';
import type { DirectBias, DirectPaths, DirectSite } from './direct-paths.js';

/** A layer as edits name it: `3`, `decoder.3`, `3#2`; undefined outside blocks. */
export const layerName = ({ stack, layer, instance }: SitePath): string | undefined => {
  if (layer === undefined) return undefined;
  return `${stack === undefined ? '' : `${stack}.`}${layer}${instance === undefined ? '' : `#${instance}`}`;
};

const inLayer = (path: SitePath): { readonly layer?: string } => {
  const layer = layerName(path);
  return layer === undefined ? {} : { layer };
};

const headPrefix = (layer: string | undefined, cross: boolean): string => {
  const [, stack = '', rest = ''] = /^((?:encoder|decoder)\.)?(.*)$/.exec(layer ?? '') ?? [];
  return `${stack}${cross ? 'cross.' : ''}${rest}`;
};

/** The summands that one site holds; none where its parts are told by others. */
const partsOfSite = (site: DirectSite, position: number): readonly ComponentPart[] => {
  const { path, place } = site;
  const at = inLayer(path);
  switch (path.local) {
    case 'embed':
    case 'pos_embed':
    case 'type_embed':
      return [{ part: 'embed', name: path.local, value: contributionAt(site, position) }];
    case 'attn.z':
    case 'cross_attn.z': {
      const cross = path.local === 'cross_attn.z';
      const prefix = headPrefix(at.layer, cross);
      return headContributionsAt(site, position).map((value, head) => ({
        ...{ part: cross ? ('cross-head' as const) : ('head' as const), name: `${prefix}.${head}` },
        ...at,
        ...{ head, value },
      }));
    }
    case 'mlp_out':
      return [{ part: 'mlp', name: place.name, ...at, value: contributionAt(site, position) }];
    default:
      return [];
  }
};

const biasPath = ({ scope }: DirectBias): SitePath => toSitePath(scope as SiteName);

const biasPart = (bias: DirectPaths['biases'][number]): ComponentPart => ({
  ...{ part: 'bias', name: bias.param.name, value: bias.value },
  ...inLayer(biasPath(bias)),
});

/** All summands of a score, in the order of the run, biases last. Those on no direct path are left out. */
export const partsOf = ({ sites, biases }: DirectPaths, position: number): readonly ComponentPart[] => [
  ...sites.flatMap((site) => partsOfSite(site, position)),
  ...biases.filter((bias) => bias.value !== 0).map(biasPart),
];

/** Does a bias come with a norm or the head, and not with attention? */
const framing = ({ scope }: DirectBias): boolean => !/(^|\.)(cross_)?attn$/.test(scope);

/**
 * What the stream after each layer gives by itself, with what norms and the head behind it add.
 * @source TransformerLens, `ActivationCache.accumulated_resid`
 */
export const accumulatedOf = ({ sites, biases }: DirectPaths, position: number): ComponentsResult['accumulated'] => {
  const behind = (layer: number): number =>
    biases
      .filter((b) => framing(b) && (biasPath(b).layer ?? (b.scope.endsWith('ln_embed') ? -1 : Infinity)) > layer)
      .reduce((sum, { value }) => sum + value, 0);
  const first = sites.find((s) => s.path.local === 'resid_pre');
  const rows = sites.filter((s) => s === first || s.path.local === 'resid_post');
  return rows.map((site) => ({
    after: site === first ? 'embed' : site.place.name.replace(/\.resid_post$/, ''),
    value: contributionAt(site, position) + behind(site === first ? -1 : (site.path.layer ?? -1)),
  }));
};

/** Neurons of all layers, those that give most, up or down, first. */
export const neuronsOf = ({ sites }: DirectPaths, position: number, most: number): readonly NeuronPart[] => {
  const all = sites
    .filter((s) => s.path.local === 'mlp.post')
    .flatMap((site) => {
      const { shape } = site.value;
      const width = shape.at(-1) ?? 1;
      const [activations, values] = [rowAt(site.value, position), neuronContributionsAt(site, position)];
      return Array.from(values, (value, i) => ({
        ...{ layer: layerName(site.path) ?? '', neuron: i % width },
        ...(shape.length > 3 ? { slot: Math.floor(i / width) } : {}),
        ...{ activation: activations[i] ?? 0, value },
      }));
    });
  return all.sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, most);
};
