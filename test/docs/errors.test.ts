import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { errorCodes } from '../../src/base/index.js';
import { root } from '../support/root.js';

const folder = path.join(root, 'docs/errors');
const pages = readdirSync(folder).filter((name) => /^[A-Z_]+\.md$/.test(name));

describe('docs/errors', () => {
  it('has a page for every code, and no page without a code', () => {
    expect(pages.map((name) => name.replace('.md', '')).sort()).toEqual([...errorCodes].sort());
  });

  it('keeps the codes in order, each once', () => {
    expect([...errorCodes]).toEqual([...new Set<string>(errorCodes)].sort());
  });

  it.each(pages)('%s has a symptom, a cause and a fix', (name) => {
    const text = readFileSync(path.join(folder, name), 'utf8');
    const headings = [...text.matchAll(/^#+ (.*)$/gm)].map((match) => match[1]);
    expect(headings).toEqual([name.replace('.md', ''), 'Symptom', 'Cause', 'Fix']);
    for (const part of text.split(/^#+ .*$/m).slice(2)) expect(part.trim().length).toBeGreaterThan(20);
  });
});
