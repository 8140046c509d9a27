import { UsageError } from '../../base/index.js';
import type { Position } from '../../debugger/index.js';
import type { ExpressionValue } from '../../engine/index.js';
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

/** @throws UsageError SITE_UNKNOWN */
export const checkSites = (moment: Pick<Moment, 'checkSite'>, tree: Expression): void => {
  for (const { site } of sitesOf(tree)) moment.checkSite(site);
};

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
