import { nearest, UsageError } from '../../base/index.js';
import { typesOf, type Program, type Site, type ValueType } from '../../graph/index.js';
import { siteOfGradient } from '../../language/index.js';
import { siteIn, type Instance } from '../run/order.js';

/** A site at its place in the run order. */
export interface PlacedSite {
  readonly instance: Instance;
  /** In the segment: `name` without the instance's number. */
  readonly site: Site;
  readonly type: ValueType;
  /** In the run order: `blocks.3#2.attn.z`. */
  readonly name: string;
}

/** Every site of a run order, in the order in which a run meets them. */
export const placedSites = (order: readonly Instance[]): readonly PlacedSite[] =>
  order.flatMap((instance) => {
    const types = typesOf(instance.segment.graph);
    return instance.segment.graph.sites.flatMap((site) => {
      const type = types.get(site.value);
      return type ? [{ instance, site, type, name: siteIn(instance, site.name) }] : [];
    });
  });

/** The canonical form of a name: aliases resolved, `blocks.3#2` kept. */
export const canonicalName = (program: Program, name: string): string => {
  const instance = /^(?:(?:encoder|decoder)\.)?blocks\.\d+(#\d+)/.exec(name)?.[1] ?? '';
  const plain = instance === '' ? name : name.replace(instance, '');
  const canonical = program.facts.aliases.get(plain) ?? plain;
  return instance === ''
    ? canonical
    : canonical.replace(/^(?:(?:encoder|decoder)\.)?blocks\.\d+/, (block) => block + instance);
};

const noGradient = (name: string): UsageError =>
  new UsageError(`there is no ${name} here`, {
    code: 'SITE_NOT_CAPTURED',
    hint: 'Gradients are there on a way back: `backward EXPRESSION` in the debugger. `cutaway inspect --grad-of` tells them all.',
  });

/** The error for a name that is no site, with the nearest ones. */
export const unknownSite = (name: string, known: Iterable<string>): UsageError => {
  if (siteOfGradient(name) !== undefined) return noGradient(name);
  const near = nearest(name, known);
  return new UsageError(`no site named ${name}`, {
    code: 'SITE_UNKNOWN',
    hint: `Did you mean ${near.join(', ')}? \`cutaway list MODEL --sites\` shows all.`,
    details: { name, nearest: near },
  });
};
