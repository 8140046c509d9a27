/**
 * Writes the tables of docs/sites.md and docs/aliases.md from the programs of all golden models. What a site is, the
 * last column, is written by hand and kept.
 *
 *     npx tsx scripts/sites-tables.ts
 */
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { rowsUnder } from '../test/support/markdown.js';
import { aliasFacts, goldenPrograms, hookRows, moduleRows, siteFacts, siteRows } from '../test/support/sites-doc.js';

const docs = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '../docs');

const tableOf = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '--'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

const write = async (name: string, between: Readonly<Record<string, string>>): Promise<void> => {
  const page = path.join(docs, name);
  let text = readFileSync(page, 'utf8');
  for (const [mark, content] of Object.entries(between))
    text = text.replace(
      new RegExp(`(<!-- ${mark} -->\\n)[\\s\\S]*?(<!-- end -->)`),
      (_, start: string, end: string) => `${start}\n${content}\n\n${end}`,
    );
  writeFileSync(page, await format(text, { ...(await resolveConfig(page)), parser: 'markdown' }));
};

const programs = await goldenPrograms();
const known = rowsUnder(readFileSync(path.join(docs, 'sites.md'), 'utf8'), 'All sites');
const meaning = new Map(known.map((cells) => [cells[0], cells.at(-1) ?? '']));
const order = known.map(([site = '']) => /`([^`]+)`/.exec(site)?.[1] ?? '');
const rows = siteRows(siteFacts(programs), order).map((row) => [...row, meaning.get(row[0]) ?? '']);
await write('sites.md', { 'sites-table': tableOf(['site', 'axes', 'families', 'what it is'], rows) });

const facts = aliasFacts(programs);
const families = [...new Set(facts.map((f) => f.family))].sort();
const modules = families.map((f) => `### ${f}\n\n${tableOf(['module', 'site'], moduleRows(facts, f))}`).join('\n\n');
await write('aliases.md', {
  'hooks-table': tableOf(['TransformerLens', 'site', 'families'], hookRows(facts)),
  'modules-tables': modules,
});
