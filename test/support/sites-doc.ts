import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { JsonObject } from '../../src/base/index.js';
import { openWeights } from '../../src/formats/index.node.js';
import { typesOf, type Program, type Stack } from '../../src/graph/index.js';
import { makeProgram } from '../../src/models/index.js';
import { goldenFolder, goldenVariants } from './golden.js';

/** What one family's program says of one site. */
export interface SiteFact {
  readonly family: string;
  readonly stack: Stack | undefined;
  /** Without its stack and layer: `blocks.L.attn.q`. */
  readonly site: string;
  readonly onRequest: boolean;
  readonly axes: readonly string[];
}

/** Another name of a site, both without the layer's number. */
export interface AliasFact {
  readonly family: string;
  readonly alias: string;
  readonly site: string;
}

/** `decoder.blocks.2.attn.q` as `decoder.blocks.L.attn.q`; likewise `model.layers.2.mlp`. */
export const generic = (name: string): string => name.replace(/\.\d+(?=\.|$)/, '.L').replace(/^(\d+)\./, 'L.');

/** The programs of all golden models. */
export const goldenPrograms = async (): Promise<readonly Program[]> => {
  const programs: Program[] = [];
  for (const variant of goldenVariants()) {
    const folder = path.join(goldenFolder, variant);
    const config = JSON.parse(readFileSync(path.join(folder, 'config.json'), 'utf8')) as JsonObject;
    const file = path.join(folder, 'model.safetensors');
    const weights = existsSync(file) ? await openWeights(file) : undefined;
    const names = new Set(weights?.names());
    programs.push(makeProgram(config, (name) => names.has(name)));
    await weights?.close();
  }
  return programs;
};

export const siteFacts = (programs: readonly Program[]): readonly SiteFact[] => {
  const facts = new Map<string, SiteFact>();
  for (const program of programs)
    for (const { graph } of program.segments) {
      const types = typesOf(graph);
      for (const s of graph.sites) {
        const axes = types.get(s.value)?.axes ?? [];
        const [, stack, site = ''] = /^(?:(encoder|decoder)\.)?(.*)$/.exec(generic(s.name)) ?? [];
        const fact = { family: program.family, stack: stack as Stack | undefined, site, onRequest: s.onRequest, axes };
        facts.set(JSON.stringify(fact), fact);
      }
    }
  return [...facts.values()];
};

export const aliasFacts = (programs: readonly Program[]): readonly AliasFact[] => {
  const facts = new Map<string, AliasFact>();
  for (const program of programs)
    for (const [alias, site] of program.facts.aliases) {
      const fact = { family: program.family, alias: generic(alias), site: generic(site) };
      facts.set(JSON.stringify(fact), fact);
    }
  return [...facts.values()];
};

const unique = <T>(list: readonly T[]): T[] => [...new Set(list)];

/** The axes in a few words, where families differ in one of them. */
const axesText = (facts: readonly SiteFact[]): string => {
  const lists = unique(facts.map((f) => f.axes.join(', ')));
  const grouped = lists.map((text) => text.replace(/\b(head|kvHead)\b/, 'head/kvHead'));
  return unique(lists.some((text) => text.includes('kvHead')) ? grouped : lists).join(' or ');
};

const owners = (facts: readonly SiteFact[], families: readonly string[]): string => {
  const have = families.filter((family) => facts.some((f) => f.family === family));
  const only = (family: string): string => {
    const stacks = unique(facts.filter((f) => f.family === family).flatMap((f) => f.stack ?? []));
    return stacks.length === 1 ? `${family} (${stacks.join()})` : family;
  };
  const shown = have.map(only);
  if (have.length === families.length && shown.every((name, i) => name === have[i])) return 'all';
  const missing = families.filter((family) => !have.includes(family));
  if (missing.length < have.length && shown.every((name, i) => name === have[i]))
    return `all but ${missing.join(', ')}`;
  return shown.join(', ');
};

/** The order of a forward run, as far as all families share it. */
const byPlace = (order: readonly string[]) => (a: string, b: string) => order.indexOf(a) - order.indexOf(b);

/** The rows of the table of sites: name, axes, who has it. */
export const siteRows = (
  facts: readonly SiteFact[],
  order: readonly string[],
): readonly (readonly [site: string, axes: string, families: string])[] => {
  const families = unique(facts.map((f) => f.family)).sort();
  const names = unique(facts.map((f) => f.site));
  const placed = [...names].sort(byPlace([...order, ...names.filter((n) => !order.includes(n))]));
  return placed.map((site) => {
    const own = facts.filter((f) => f.site === site);
    const name = `\`${site}\`${own[0]?.onRequest ? ' (on request)' : ''}`;
    return [name, axesText(own), owners(own, families)];
  });
};

const isHook = (alias: string): boolean => /(^|\.)hook_/.test(alias);

/** TransformerLens's names: site, hook, whose. */
export const hookRows = (facts: readonly AliasFact[]): readonly (readonly string[])[] => {
  const hooks = facts.filter((f) => isHook(f.alias));
  const families = unique(facts.map((f) => f.family)).sort();
  return unique(hooks.map((f) => `${f.alias} ${f.site}`)).map((pair) => {
    const [alias = '', site = ''] = pair.split(' ');
    const own = families.filter((family) =>
      hooks.some((f) => f.family === family && f.alias === alias && f.site === site),
    );
    const all = families.filter((family) => hooks.some((f) => f.family === family && f.alias === alias));
    return [`\`${alias}\``, `\`${site}\``, own.length === all.length ? 'wherever the site is' : own.join(', ')];
  });
};

/** Hugging Face's module paths of one family: path, site. */
export const moduleRows = (facts: readonly AliasFact[], family: string): readonly (readonly string[])[] =>
  facts.filter((f) => f.family === family && !isHook(f.alias)).map((f) => [`\`${f.alias}\``, `\`${f.site}\``]);
