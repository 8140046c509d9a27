/** Sentences that the page translates are those that the program says: one that was reworded would stay English. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { phrasesZh } from '../../src/web/i18n/phrases-zh.js';
import { root } from '../support/root.js';

const sources = (folder: string): string[] =>
  readdirSync(folder).flatMap((name) => {
    const file = path.join(folder, name);
    if (statSync(file).isDirectory()) return name === 'web' ? [] : sources(file);
    return file.endsWith('.ts') && !file.endsWith('.test.ts') ? [file] : [];
  });

/** A literal, with `{}` for what is put into it. */
const literal = (node: ts.Node): string | undefined => {
  if (ts.isStringLiteralLike(node)) return node.text;
  if (!ts.isTemplateExpression(node)) return undefined;
  return node.head.text + node.templateSpans.map((span) => `{}${span.literal.text}`).join('');
};

const saidIn = (file: string): string[] => {
  const said: string[] = [];
  const visit = (node: ts.Node): void => {
    const text = literal(node);
    if (text !== undefined) said.push(text);
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(file, readFileSync(file, 'utf8'), ts.ScriptTarget.Latest, true));
  return said;
};

/** Made of a place and a message. */
const composed: ReadonlySet<string> = new Set(['column {}: {}']);

it('each phrase is said somewhere', () => {
  const said = sources(path.join(root, 'src')).flatMap(saidIn).join('\n');
  const unsaid = phrasesZh.map(([text]) => text).filter((text) => !composed.has(text) && !said.includes(text));
  expect(unsaid).toEqual([]);
});

it('each translation takes only what the phrase has', () => {
  const wrong = phrasesZh.filter(([said, told]) => {
    const holes = said.split('{}').length - 1;
    return [...told.matchAll(/\{(\d)!?\}/g)].some(([, i]) => Number(i) >= holes);
  });
  expect(wrong).toEqual([]);
});

it('no phrase stands twice', () => {
  const all = phrasesZh.map(([said]) => said);
  expect(all.filter((said, i) => all.indexOf(said) !== i)).toEqual([]);
});
