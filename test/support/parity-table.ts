import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { format, resolveConfig } from 'prettier';
import { goldenFolder } from './golden.js';
import { root } from './root.js';

/** The worst absolute difference of one variant, by engine. */
export type Worst = ReadonlyMap<string, number>;

const familyOfVariant = (variant: string): string =>
  (JSON.parse(readFileSync(path.join(goldenFolder, variant, 'golden.json'), 'utf8')) as { family: string }).family;

/** Variants by family, families and variants in order. */
export const variantsByFamily = (variants: readonly string[]): ReadonlyMap<string, readonly string[]> => {
  const groups = new Map<string, string[]>();
  for (const variant of variants) {
    const family = familyOfVariant(variant);
    groups.set(family, [...(groups.get(family) ?? []), variant]);
  }
  return new Map([...groups].sort(([a], [b]) => (a < b ? -1 : 1)));
};

const rowOf = (
  [family, variants]: readonly [string, readonly string[]],
  engines: Readonly<Record<'onnxruntime' | 'reference', Worst>>,
): string => {
  const most = (worst: Worst): string =>
    Math.max(...variants.map((variant) => worst.get(variant) ?? NaN)).toExponential(1);
  const names = variants.map((variant) => `\`${variant}\``).join(', ');
  return `| ${family} | ${names} | ${most(engines.onnxruntime)} | ${most(engines.reference)} |`;
};

/** Writes the table of docs/families.md from what a test run measured. */
export const writeParityTable = async (
  variants: readonly string[],
  engines: Readonly<Record<'onnxruntime' | 'reference', Worst>>,
): Promise<void> => {
  const page = path.join(root, 'docs/families.md');
  const rows = [...variantsByFamily(variants)].map((group) => rowOf(group, engines));
  const table = ['| family | variants | onnxruntime | reference |', '|--|--|--:|--:|', ...rows].join('\n');
  const text = readFileSync(page, 'utf8').replace(
    /(<!-- families-table -->\n)[\s\S]*?(<!-- end -->)/,
    (_, start: string, end: string) => `${start}\n${table}\n\n${end}`,
  );
  writeFileSync(page, await format(text, { ...(await resolveConfig(page)), parser: 'markdown' }));
};
