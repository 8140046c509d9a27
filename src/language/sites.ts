import { UsageError, type Brand } from '../base/index.js';

/** The name of a value that can be read and changed: `blocks.3.attn.pattern`; `blocks.3#2.…` in a repeated block. */
export type SiteName = Brand<string, 'site'>;

/** The half of an encoder-decoder that a name is in. */
export type Stack = 'encoder' | 'decoder';

/** A site's name taken apart: `decoder.blocks.3#2.attn.z`. */
export interface SitePath {
  readonly stack?: Stack;
  /** 0-based, as in the loaded model; left out for a site of no block. */
  readonly layer?: number;
  /** Which run of a repeated block, from 1; left out: the first. */
  readonly instance?: number;
  /** The rest: `attn.z`. */
  readonly local: string;
}

const longestName = 500;
const part = /^\w+(?:#[1-9]\d{0,5})?$/;
const startsWell = /^[A-Za-z_]/;
const firstInstance = /#1(?=\.|$)/g;
const inBlock = /^(?:(encoder|decoder)\.)?blocks\.(\d+)(?:#(\d+))?(?:\.(.*))?$/;
const inStack = /^(encoder|decoder)\.(.+)$/;

/** The name that a text spells, or undefined. `blocks.3#1` is `blocks.3`. */
export const toSiteName = (text: string): SiteName | undefined => {
  const good = text.length <= longestName && startsWell.test(text) && text.split('.').every((p) => part.test(p));
  return good ? (text.replace(firstInstance, '') as SiteName) : undefined;
};

/**
 * A site's name, checked for its form only; whether a model has it, the model says.
 * @throws UsageError SELECTOR_SYNTAX
 */
export const parseSiteName = (text: string): SiteName => {
  const name = toSiteName(text);
  if (name !== undefined) return name;
  throw new UsageError(`"${text.slice(0, 60)}" is no site's name`, {
    code: 'SELECTOR_SYNTAX',
    hint: 'A name is words with dots between them, such as blocks.3.attn.pattern.',
  });
};

/** What the gradient by a site is called: `grad(blocks.3.attn.z)`. */
export const gradientName = (site: string): SiteName => `grad(${site})` as SiteName;

/** The site of which a name is the gradient; undefined of a site itself. */
export const siteOfGradient = (name: string): string | undefined => /^grad\(([^()]+)\)$/.exec(name)?.[1];

/** Takes a name apart. */
export const toSitePath = (name: SiteName): SitePath => {
  const block = inBlock.exec(name);
  if (!block) {
    const [, stack, local] = inStack.exec(name) ?? [];
    return stack === undefined ? { local: name } : { stack: stack as Stack, local: local ?? '' };
  }
  const [, stack, layer, instance, local = ''] = block as unknown as (string | undefined)[];
  return {
    ...(stack === undefined ? {} : { stack: stack as Stack }),
    layer: Number(layer),
    ...(instance === undefined ? {} : { instance: Number(instance) }),
    local,
  };
};

/** Puts a name together; the inverse of `toSitePath`. */
export const formatSite = ({ stack, layer, instance, local }: SitePath): SiteName => {
  const block =
    layer === undefined ? [] : [`blocks.${layer}${instance === undefined || instance === 1 ? '' : `#${instance}`}`];
  return [...(stack === undefined ? [] : [stack]), ...block, ...(local === '' ? [] : [local])].join('.') as SiteName;
};
