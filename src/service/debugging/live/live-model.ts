import { nearest, UsageError } from '../../../base/index.js';
import { unknownSite } from '../../../engine/index.js';
import { matches, parseGlobs } from '../../../language/index.js';
import type { AgentDescription, AgentModule, AgentWeight } from '../../../protocol/index.js';
import { listingOf, type LiveListing } from './live-listing.js';
import { knownSites, type KnownSites, type LiveSite, type LiveSlot } from './live-sites.js';

/** What the agent finds a tensor by. */
export type AgentRef = Readonly<Record<string, unknown>>;

/** A tensor of the process, with the names of its axes where they are known. */
export interface LiveValue {
  readonly name: string;
  readonly ref: AgentRef;
  readonly axes: readonly string[];
  /** What stands before a selector where it is changed. */
  readonly place?: string;
}

/** The name of a module's own value: its path, where that begins as a name does. */
export const moduleName = (path: string): string => {
  if (path === '') return 'root';
  return /^[A-Za-z_]/.test(path) ? path : `root.${path}`;
};

/** What a value of a module is called: the module's path stands for what it gives, `PATH.in` for what it takes. */
export const slotName = ({ path, slot }: LiveSlot): string => {
  const name = moduleName(path);
  if (slot === 'out' || slot === 'out.0') return name;
  return slot === 'in.0' ? `${name}.in` : `${name}.${slot}`;
};

const weightAxes: Readonly<Record<string, readonly (readonly string[])[]>> = {
  Linear: [['out', 'in'], ['out']],
  Conv1D: [['in', 'out'], ['out']], // Hugging Face's own layer has them the other way round
  Embedding: [['token', 'model']],
};

/** Names of a weight's axes, whatever the module's layout; of other modules `d0`, `d1`. */
export const axesOfWeight = (module: AgentModule | undefined, weight: AgentWeight): readonly string[] => {
  const named = weightAxes[module?.type ?? '']?.find((axes) => axes.length === weight.shape.length);
  return named ?? (weight.shape.length === 1 ? ['out'] : weight.shape.map((_, i) => `d${i}`));
};

/** A live model as the debugger names things in it. */
export class LiveModel {
  readonly modules: ReadonlyMap<string, AgentModule>;
  readonly weights: ReadonlyMap<string, AgentWeight>;
  readonly known: KnownSites;
  readonly listing: LiveListing;
  readonly notes: readonly string[];
  /** Modules that are layers, by number; of an encoder-decoder each number stands for two. */
  readonly layers: ReadonlyMap<string, number>;

  constructor(readonly description: AgentDescription) {
    const { modules } = description;
    this.modules = new Map(modules.map((m) => [m.path, m]));
    this.weights = new Map(modules.flatMap((m) => m.weights.map((w) => [w.name, w])));
    const { known, note } = knownSites(description);
    this.known = known;
    const given = new Map<string, string>();
    for (const { name, at } of known.sites.values())
      if (at.slot.startsWith('out') && !at.view?.part && !given.has(at.path)) given.set(at.path, name);
    this.listing = listingOf(description, (path) => given.get(path));
    this.layers = new Map(modules.flatMap(({ path, block }) => (block === null ? [] : [[path, block] as const])));
    this.notes = [...(note === undefined ? [] : [note]), ...this.#limits(description)];
  }

  #limits({ attention, compiled, fastPath }: AgentDescription): string[] {
    return [
      ...(attention !== null && attention !== 'eager'
        ? [`attention is computed by ${attention}, which keeps no pattern: load the model with attn_implementation="eager" to see where heads look`] // prettier-ignore
        : []),
      ...(compiled
        ? ['the model is compiled: it runs uncompiled while the debugger asks for something (PyTorch 2.6 or later)']
        : []),
      ...(fastPath
        ? ["PyTorch's own attention and encoder layers compute some parts without calling their modules: those show no values"] // prettier-ignore
        : []),
    ];
  }

  /** The layer that a module is, or is in. */
  layerOf(path: string): number | undefined {
    for (let at = path; at !== ''; at = at.split('.').slice(0, -1).join('.')) {
      const layer = this.layers.get(at);
      if (layer !== undefined) return layer;
    }
    return undefined;
  }

  /** A module by the name that it has here. */
  modulePath(name: string): string | undefined {
    if (name === 'root') return '';
    if (this.modules.has(name)) return name;
    const inner = name.replace(/^root\./, '');
    return this.modules.has(inner) ? inner : undefined;
  }

  /** A value by its name: a site, another name of one, or a module's path with what it takes or gives. */
  find(name: string): LiveSite | undefined {
    const own = this.known.sites.get(name);
    if (own) return own;
    const aliased = this.known.sites.get(this.known.aliases.get(name) ?? '');
    if (aliased && this.modulePath(name) === undefined) return aliased;
    const parts = name.split('.');
    for (let end = parts.length; end > 0; end--) {
      const path = this.modulePath(parts.slice(0, end).join('.'));
      if (path === undefined) continue;
      const rest = parts.slice(end).join('.');
      if (rest === '') return { name, axes: [], at: { path, slot: 'out' } };
      if (rest === 'in') return { name, axes: [], at: { path, slot: 'in.0' } };
      if (/^(in|out|kw)\./.test(rest)) return { name, axes: [], at: { path, slot: rest } };
    }
    return undefined;
  }

  /** @throws UsageError SITE_UNKNOWN, SITE_NOT_CAPTURED for a site that no module takes or gives */
  site(name: string): LiveSite {
    const found = this.find(name);
    if (found) return found;
    const canonical = this.known.aliases.get(name) ?? name;
    if (this.known.missing.has(canonical))
      throw new UsageError(`${canonical} is at no module's boundary in this process`, {
        code: 'SITE_NOT_CAPTURED',
        hint: canonical.endsWith('pattern')
          ? 'Load the model with attn_implementation="eager": other attentions keep no pattern.'
          : 'A live process shows what its modules take and give: `info sites` lists them; our own engine has all.',
      });
    throw unknownSite(name, this.names);
  }

  /** The names of all values: sites first, then modules. */
  get names(): readonly string[] {
    return [...this.known.sites.keys(), ...[...this.modules.keys()].map(moduleName)];
  }

  /** Which values some globs mean. @throws UsageError SITE_UNKNOWN, SITE_NOT_CAPTURED */
  matching(text: string): readonly LiveSite[] {
    const globs = parseGlobs(text.trim());
    const fits = (name: string): boolean => globs.some((glob) => matches(glob, name));
    const aliased = [...this.known.aliases].filter(([alias]) => fits(alias)).map(([, site]) => site);
    const names = new Set([...this.names.filter(fits), ...aliased.filter((site) => this.known.sites.has(site))]);
    if (names.size === 0) return [this.site(text.trim())];
    return [...names].map((name) => this.site(name));
  }

  /** @throws UsageError WEIGHT_UNKNOWN */
  weight(name: string): LiveValue {
    const weight = this.#weight(name);
    const owner = this.modules.get(weight.name.split('.').slice(0, -1).join('.'));
    return { name, ref: { param: name }, axes: axesOfWeight(owner, weight), place: `weight ${name}` };
  }

  /** A weight by any of its names: a tied one is listed under the first alone. */
  #weight(name: string): AgentWeight {
    const own = this.weights.get(name);
    if (own) return own;
    const at = name.lastIndexOf('.');
    const [path, leaf] = [name.slice(0, Math.max(0, at)), name.slice(at + 1)];
    const owner = [...this.modules.values()].find((m) => m.path === path || m.aliases.includes(path));
    const found = owner?.weights.find((w) => w.name === (owner.path === '' ? leaf : `${owner.path}.${leaf}`));
    if (found) return found;
    const near = nearest(name, this.weights.keys());
    throw new UsageError(`there is no weight ${name}`, {
      code: 'WEIGHT_UNKNOWN',
      hint: near.length === 0 ? '`info weights` lists those of a module.' : `Did you mean ${near.join(', ')}?`,
    });
  }
}
