import { UsageError } from '../../base/index.js';
import type { Position } from '../../debugger/index.js';
import type { ExpressionValue } from '../../engine/index.js';
import { isInSomeLayer, type LocalSites } from './local-sites.js';
import { nodesOf, parseExpression, sitesOf, type Expression } from '../../language/index.js';

/** Where a run stands, as conditions, watches and log points ask it: of our engine, or of a recording. */
export interface Moment {
  readonly position: Position;
  /** The layer that the run is in; undefined outside of layers. */
  readonly layer: number | undefined;
  /** Another one where values may be others at the same place. */
  readonly variant: unknown;
  /** @throws UsageError EXPRESSION_*, SITE_* */
  evaluate(expression: Expression): Promise<ExpressionValue>;
  /** The sites that there are, and in which layer the run stands. */
  readonly local: LocalSites;
  /** @returns the site's own name. @throws UsageError SITE_UNKNOWN */
  checkSite(site: string): string;
  /** A token by its text in quotes, or its id. @throws UsageError */
  token(name: string): Promise<{ readonly token: number; readonly text: string }>;
}

/** Is this a value that is only not there yet? */
export const isNotYet = (error: unknown): boolean =>
  error instanceof UsageError && error.info.code === 'SITE_NOT_CAPTURED';

/** Does it ask for the layer where the run is in none? */
export const isOutside = ({ layer }: Pick<Moment, 'layer'>, tree: Expression): boolean =>
  layer === undefined && nodesOf(tree).some((n) => n.kind === 'word' && n.word === 'layer');

/** Are they all there, by their own names or by those that they have in a layer? @throws UsageError SITE_UNKNOWN */
export const checkSites = (moment: Pick<Moment, 'checkSite' | 'local'>, tree: Expression): void => {
  for (const { site } of sitesOf(tree)) if (!isInSomeLayer(site, moment.local)) moment.checkSite(site);
};

/** The error for a site that is named as in a layer which has none of it, or in no layer. */
export const notInLayer = (site: string, { place }: LocalSites): UsageError =>
  new UsageError(`${site} is a site of other layers, and the run is in ${place ?? 'none'}`, {
    code: 'SITE_NOT_CAPTURED',
    hint: `Go on to a layer that has it, or name the layer: blocks.0.${site}.`,
  });

/** Does a condition hold here? What is not computed yet does not. */
export const holdsAt = async (moment: Moment, tree: Expression): Promise<boolean> => {
  if (isOutside(moment, tree)) return false;
  try {
    const value = await moment.evaluate(tree);
    return typeof value === 'object' ? value.data.some((x) => x !== 0) : Boolean(value);
  } catch (error) {
    if (isNotYet(error)) return false;
    throw error;
  }
};

/** A token as it is named: a text in quotes, or an id; undefined for what is no token. @throws UsageError EXPRESSION_* */
export const namedToken = (name: string): string | number | undefined => {
  const tree = parseExpression(`rank(${name})`);
  return tree.kind === 'token' && tree.position === undefined ? tree.token : undefined;
};
