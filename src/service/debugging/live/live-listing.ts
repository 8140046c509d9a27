import type { AgentDescription, AgentModule, TargetAbout } from '../../../protocol/index.js';

/** The tree of modules as text, equal layers folded into one, and which modules each line stands for. */
export interface LiveListing {
  readonly lines: TargetAbout['listing'];
  /** By line, from 1: paths of the modules that it stands for. */
  readonly pathsAt: readonly (readonly string[])[];
  /** By path. */
  readonly lineOf: ReadonlyMap<string, number>;
}

interface Node {
  readonly module: AgentModule;
  readonly name: string;
  readonly children: readonly Node[];
}

/** A line of modules that are alike: the same part of each of the folded layers. */
interface Folded {
  readonly name: string;
  readonly modules: readonly AgentModule[];
  readonly children: readonly Folded[];
}

/** These hold modules and are never called. */
const containers: ReadonlySet<string> = new Set(['ModuleList', 'ModuleDict']);

const treeOf = (modules: readonly AgentModule[]): Node => {
  const [root] = modules;
  if (!root) throw new Error('a model has at least one module');
  const children = new Map<string, AgentModule[]>();
  for (const module of modules) {
    if (module.path === root.path) continue;
    const parent = module.path.split('.').slice(0, -1).join('.');
    children.set(parent, [...(children.get(parent) ?? []), module]);
  }
  const node = (module: AgentModule): Node => ({
    module,
    name: module.path.split('.').at(-1) ?? '',
    children: (children.get(module.path) ?? []).map(node),
  });
  return node(root);
};

/** What makes two layers alike: the same modules of the same sizes under the same names. */
const signature = ({ module, children }: Node): string =>
  `${module.type}(${module.text})[${children.map((c) => `${c.name}:${signature(c)}`).join(',')}]`;

const merge = (nodes: readonly Node[], name: string): Folded => ({
  name,
  modules: nodes.map((n) => n.module),
  children: foldAll(nodes[0]?.children ?? [], nodes),
});

/** Runs of numbered children that are alike become one line, `0..11`. `same`: the nodes whose children these are. */
const foldAll = (children: readonly Node[], same: readonly Node[]): Folded[] => {
  const folded: Folded[] = [];
  for (let from = 0; from < children.length;) {
    const first = children[from];
    if (!first) break;
    let to = from + 1;
    const isNumbered = /^\d+$/.test(first.name);
    while (isNumbered && to < children.length && signature(children[to] ?? first) === signature(first)) to++;
    const group = same.flatMap((node) => node.children.slice(from, to));
    const last = children[to - 1]?.name ?? first.name;
    folded.push(merge(group, to - from > 1 ? `${first.name}..${last}` : first.name));
    from = to;
  }
  return folded;
};

const width = 56;

/**
 * The listing of a live model.
 * @param siteOf what a module gives, as the model's family calls it
 */
export const listingOf = (
  { modules }: Pick<AgentDescription, 'modules'>,
  siteOf: (path: string) => string | undefined,
): LiveListing => {
  const lines: { text: string; stops: boolean }[] = [];
  const pathsAt: (readonly string[])[] = [];
  const write = ({ name, modules: alike, children }: Folded, depth: number): void => {
    const [module] = alike;
    if (!module) return;
    const site = siteOf(module.path);
    const shown = alike.length > 1 ? site?.replace(/blocks\.\d+/, 'blocks.*') : site;
    const own = `${'  '.repeat(depth)}${name === '' ? '' : `${name}: `}${module.type}`;
    const text = module.text === '' ? own : `${own}(${module.text})`;
    lines.push({
      text: shown === undefined ? text : `${text.padEnd(width)}  ${shown}`,
      stops: !containers.has(module.type),
    });
    pathsAt.push(alike.map((m) => m.path));
    for (const child of children) write(child, depth + 1);
  };
  write(merge([treeOf(modules)], ''), 0);
  const lineOf = new Map(pathsAt.flatMap((paths, i) => paths.map((path): [string, number] => [path, i + 1])));
  return { lines, pathsAt, lineOf };
};
