import type { SessionEdit } from '../../../protocol/index.js';

/** A rule of how a token is taken, as edits name it. */
export const rules = ['temperature', 'top-k', 'top-p', 'min-p', 'repetition-penalty', 'seed'] as const;
export type Rule = (typeof rules)[number];

/** Where the slider of a rule begins and ends, and what it begins with when it is switched on. */
export interface RuleRange {
  readonly least: number;
  readonly most: number;
  readonly step: number;
  readonly usual: number;
}
export const ranges: Readonly<Record<Rule, RuleRange>> = {
  temperature: { least: 0, most: 2, step: 0.01, usual: 0.8 },
  'top-k': { least: 1, most: 100, step: 1, usual: 40 },
  'top-p': { least: 0.01, most: 1, step: 0.01, usual: 0.9 },
  'min-p': { least: 0, most: 1, step: 0.01, usual: 0.05 },
  'repetition-penalty': { least: 0.5, most: 2, step: 0.01, usual: 1.1 },
  seed: { least: 0, most: 9999, step: 1, usual: 0 },
};

const isOf = (rule: Rule, text: string): boolean => text.startsWith(`${rule} `);

/** The value that the edits give a rule, the last that is on; undefined where none does. */
export const settingOf = (edits: readonly SessionEdit[], rule: Rule): number | undefined => {
  const last = edits.findLast(({ text, on }) => on && isOf(rule, text));
  const value = Number(last?.text.slice(rule.length + 1) ?? NaN);
  return Number.isFinite(value) ? value : undefined;
};

/** The edits with a rule set, in the place where it was set before; undefined takes it out. */
export const withSetting = (
  edits: readonly SessionEdit[],
  rule: Rule,
  value: number | undefined,
): readonly SessionEdit[] => {
  const others = edits.filter(({ text }) => !isOf(rule, text));
  if (value === undefined) return others;
  const at = edits.findIndex(({ text }) => isOf(rule, text));
  const edit = { text: `${rule} ${value}`, on: true };
  return at < 0 ? [...others, edit] : others.toSpliced(at, 0, edit);
};
