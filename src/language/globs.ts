import { Scanner } from './scanner.js';
import { scanWhere, selectorSource, type Where } from './selectors.js';
import type { SiteName } from './sites.js';

/** A pattern of site names, with a selector: `blocks.*.attn.pattern[head=2]`. */
export interface Glob {
  readonly text: string;
  /** Dotted parts; `**` stands for any number of them. */
  readonly parts: readonly string[];
  readonly where: Where;
}

const pattern = /[\w.#*]+/y;

const scanGlob = (s: Scanner): Glob => {
  const column = s.column;
  const [text] = s.expectMatch(pattern, "a site's name or a pattern such as blocks.*.attn.z");
  const parts = text.split('.');
  if (parts.includes('')) throw s.error('a name or `*` on both sides of each dot', column);
  return { text, parts, where: scanWhere(s) };
};

/**
 * A list of patterns, separated by commas.
 * @throws UsageError SELECTOR_SYNTAX with the column
 */
export const parseGlobs = (text: string): readonly Glob[] => {
  const s = new Scanner(text, selectorSource);
  const globs = [scanGlob(s)];
  while (s.eat(',')) globs.push(scanGlob(s));
  s.expectEnd();
  return globs;
};

/**
 * Whether a sequence fits a pattern in which `star` stands for any run of items. On a mismatch the latest star takes
 * one item more, so the work is at most the product of the lengths.
 */
const fits = <T>(
  pattern: ArrayLike<string>,
  items: ArrayLike<T>,
  step: { star: string; same: (p: string, item: T) => boolean },
): boolean => {
  let [p, i, afterStar, taken] = [0, 0, -1, 0];
  while (i < items.length) {
    const wanted = pattern[p];
    if (wanted === step.star) [afterStar, taken] = [++p, i];
    else if (wanted !== undefined && step.same(wanted, items[i] as T)) [p, i] = [p + 1, i + 1];
    else if (afterStar >= 0) [p, i] = [afterStar, ++taken];
    else return false;
  }
  while (pattern[p] === step.star) p++;
  return p === pattern.length;
};

const partFits = (wanted: string, part: string): boolean => fits(wanted, part, { star: '*', same: (a, b) => a === b });

/** Whether a name fits; the glob's selector plays no part. */
export const matches = (glob: Glob, name: SiteName | string): boolean =>
  fits(glob.parts, name.split('.'), { star: '**', same: partFits });
