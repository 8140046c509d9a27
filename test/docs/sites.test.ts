import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { rowsUnder, textsIn } from '../support/markdown.js';
import { root } from '../support/root.js';
import { aliasFacts, goldenPrograms, hookRows, moduleRows, siteFacts, siteRows } from '../support/sites-doc.js';

const sites = readFileSync(path.join(root, 'docs/sites.md'), 'utf8');
const aliases = readFileSync(path.join(root, 'docs/aliases.md'), 'utf8');
const programs = await goldenPrograms();
const written = 'out of date: npx tsx scripts/sites-tables.ts';

describe('docs/sites.md', () => {
  const rows = rowsUnder(sites, 'All sites');

  it('lists the sites of all families with their axes, and no others', () => {
    const order = rows.map(([site = '']) => textsIn(site)[0] ?? '');
    expect(
      rows.map((row) => row.slice(0, 3)),
      written,
    ).toEqual(siteRows(siteFacts(programs), order));
  });

  it('says what each is', () => {
    expect(rows.filter((row) => (row[3] ?? '').length < 5).map((row) => row[0])).toEqual([]);
  });

  it('explains every axis', () => {
    const explained = rowsUnder(sites, 'The axes').map(([axis = '']) => textsIn(axis)[0]);
    const used = new Set(siteFacts(programs).flatMap((f) => f.axes));
    expect(explained.sort()).toEqual([...used].sort());
  });
});

describe('docs/aliases.md', () => {
  const facts = aliasFacts(programs);

  it("lists TransformerLens's names", () => {
    expect(rowsUnder(aliases, 'TransformerLens'), written).toEqual(hookRows(facts));
  });

  it.each([...new Set(facts.map((f) => f.family))])('lists the modules of %s', (family) => {
    expect(rowsUnder(aliases, family), written).toEqual(moduleRows(facts, family));
  });
});
