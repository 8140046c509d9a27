import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { JsonObject } from '../../src/base/index.js';
import { typesOf, type Program } from '../../src/graph/index.js';
import { makeProgram } from '../../src/models/index.js';
import { goldenFolder, goldenVariants } from '../support/golden.js';
import { rowsUnder, textsIn } from '../support/markdown.js';
import { root } from '../support/root.js';

const page = readFileSync(path.join(root, 'docs/sites.md'), 'utf8');
const families = ['gpt2', 'llama'];

/** `blocks.2.attn.q` as the page has it: `blocks.L.attn.q`; likewise `model.layers.2.mlp`. */
const generic = (name: string): string => name.replace(/(^|\.)(blocks|h|layers)\.\d+/, '$1$2.L');

const programOf = (variant: string): Program => {
  const config = JSON.parse(readFileSync(path.join(goldenFolder, variant, 'config.json'), 'utf8')) as JsonObject;
  return makeProgram(config, (name) => !/^(wte|layers\.)/.test(name));
};

/** Each site with its axes and whether it is on request, as one line of text. */
const sitesOf = (program: Program): Set<string> =>
  new Set(
    program.segments.flatMap(({ graph }) => {
      const types = typesOf(graph);
      return graph.sites.map((s) => {
        const axes = types.get(s.value)?.axes.join(', ') ?? '';
        return `${generic(s.name)}${s.onRequest ? ' (on request)' : ''}: ${axes}`;
      });
    }),
  );

const listed = (family: string, keyAxis: string): Set<string> =>
  new Set(
    rowsUnder(page, 'All sites').flatMap(([site = '', axes = '', owners = '']) =>
      owners.split(', ').includes(family)
        ? [`${site.replaceAll('`', '')}: ${axes.replace('head/kvHead', keyAxis)}`]
        : [],
    ),
  );

const usesKvHeads = (program: Program): boolean => [...sitesOf(program)].some((line) => line.includes('kvHead'));

/** Aliases of a program, `ALIAS = SITE`, by layer-free names. */
const aliasesOf = (program: Program): Set<string> =>
  new Set([...program.facts.aliases].map(([alias, site]) => `${generic(alias)} = ${generic(site)}`));

/** The names in a cell that hold for a family: all, or none where the cell says `in OTHER`. */
const namesFor = (family: string, cell: string): readonly string[] =>
  families.some((other) => other !== family && cell.endsWith(`in ${other}`)) ? [] : textsIn(cell);

/** Aliases that the page lists for sites that the family has. */
const listedAliases = (family: string): Set<string> => {
  const own = new Set([...listed(family, 'head')].map((line) => line.replace(/( \(on request\))?: .*/, '')));
  return new Set(
    rowsUnder(page, 'Other names').flatMap(([site = '', hooks = '', ...modules]) => {
      const [name = ''] = textsIn(site);
      const cells = [hooks, modules[families.indexOf(family)] ?? ''];
      return own.has(name) ? cells.flatMap((c) => namesFor(family, c)).map((alias) => `${alias} = ${name}`) : [];
    }),
  );
};

describe('docs/sites.md', () => {
  it.each(goldenVariants())('lists the sites of %s with their axes, and no others', (variant) => {
    const program = programOf(variant);
    expect(sitesOf(program)).toEqual(listed(program.family, usesKvHeads(program) ? 'kvHead' : 'head'));
  });

  it.each(['gpt2-default', 'llama-default', 'llama-grouped'])('lists the aliases of %s, and no others', (variant) => {
    const program = programOf(variant);
    expect(aliasesOf(program)).toEqual(listedAliases(program.family));
  });

  it('has a row of other names for every site', () => {
    const names = rowsUnder(page, 'All sites').map(([site = '']) => textsIn(site)[0]);
    expect(rowsUnder(page, 'Other names').map(([site = '']) => textsIn(site)[0])).toEqual(names);
  });

  it('explains every axis, and none that no site has', () => {
    const axes = rowsUnder(page, 'All sites').flatMap(([, cell = '']) => cell.split(/, |\//));
    const explained = rowsUnder(page, 'The axes').flatMap(([cell = '']) => textsIn(cell));
    expect(new Set(explained)).toEqual(new Set(axes));
  });
});
