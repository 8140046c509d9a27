import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/base/index.js';
import { familyOf } from '../../src/models/index.js';
import { goldenFolder, goldenVariants } from '../support/golden.js';
import { rowsUnder, sectionOf, textsIn } from '../support/markdown.js';
import { root } from '../support/root.js';

const page = readFileSync(path.join(root, 'docs/families.md'), 'utf8');
const rows = rowsUnder(page, 'How agreement with transformers is shown');
const read = (variant: string, file: string): JsonObject =>
  JSON.parse(readFileSync(path.join(goldenFolder, variant, file), 'utf8')) as JsonObject;

describe('docs/families.md', () => {
  it('lists exactly the golden variants, each with its family and what it shows', () => {
    const variants = goldenVariants().map((name) => [
      read(name, 'golden.json')['family'],
      `\`${name}\``,
      read(name, 'golden.json')['purpose'],
    ]);
    expect(rows.map((row) => row.slice(0, 3))).toEqual(variants);
  });

  it('gives differences below the tolerance that it names', () => {
    const tolerance = Number(/Tolerance: (\S+),/.exec(page)?.[1]);
    expect(tolerance).toBe(2e-5);
    for (const difference of rows.flatMap((row) => row.slice(3).map(Number))) {
      expect(difference).toBeGreaterThan(0);
      expect(difference).toBeLessThan(tolerance);
    }
  });

  it('lists every family with its architectures', () => {
    const intro = `## All\n${sectionOf(page, 'Families').split(/^## /m)[0] ?? ''}`;
    const listed = rowsUnder(intro, 'All').map(([name = '', architectures = '']) => [
      textsIn(name)[0],
      textsIn(architectures),
    ]);
    const used = new Map(
      goldenVariants()
        .map((v) => familyOf(read(v, 'config.json')))
        .map((f) => [f.name, f.architectures]),
    );
    expect(listed).toEqual([...used]);
  });
});
