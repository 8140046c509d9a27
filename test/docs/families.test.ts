import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { families } from '../../src/models/index.js';
import { goldenVariants } from '../support/golden.js';
import { rowsUnder, sectionOf, textsIn } from '../support/markdown.js';
import { variantsByFamily } from '../support/parity-table.js';
import { root } from '../support/root.js';

const page = readFileSync(path.join(root, 'docs/families.md'), 'utf8');
const rows = rowsUnder(page, 'How agreement with transformers is shown');
const listed = rowsUnder(`## All\n${sectionOf(page, 'Families').split(/^## /m)[0] ?? ''}`, 'All');

describe('docs/families.md', () => {
  it('lists every family with its architectures, and a file that is there', () => {
    expect(listed.map(([name = '', architectures = '']) => [textsIn(name)[0], textsIn(architectures)])).toEqual(
      families.map((f) => [f.name, f.architectures]),
    );
    for (const [, , , file = ''] of listed)
      expect(existsSync(path.join(root, 'docs', /\(([^)]+)\)/.exec(file)?.[1] ?? '?')), file).toBe(true);
  });

  it('lists exactly the golden variants, by family', () => {
    const groups = [...variantsByFamily(goldenVariants())].map(([family, variants]) => [family, [...variants]]);
    expect(rows.map(([family = '', variants = '']) => [family, textsIn(variants)])).toEqual(groups);
  });

  it('has golden variants for every family that computes something of its own', () => {
    const shown = new Set(rows.map(([family]) => family));
    const without = families.map((f) => f.name).filter((name) => !shown.has(name));
    const sameAs = new Map([
      ['camembert', 'roberta'],
      ['xlm-roberta', 'roberta'],
      ['mt5', 't5'],
    ]);
    expect(without.filter((name) => !shown.has(sameAs.get(name) ?? ''))).toEqual([]);
  });

  it('gives differences below the tolerance that it names', () => {
    const tolerance = Number(/Tolerance: (\S+),/.exec(page)?.[1]);
    expect(tolerance).toBe(2e-5);
    for (const difference of rows.flatMap((row) => row.slice(2).map(Number))) {
      expect(difference).toBeGreaterThan(0);
      expect(difference).toBeLessThan(tolerance);
    }
  });
});
