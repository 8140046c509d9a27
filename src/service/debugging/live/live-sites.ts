import { ModelError, UsageError, type JsonObject } from '../../../base/index.js';
import { placedSites, runOrder } from '../../../engine/index.js';
import type { Program, ValueType } from '../../../graph/index.js';
import { makeProgram } from '../../../models/index.js';
import type { AgentDescription } from '../../../protocol/index.js';

/** How a value lies in what a module takes or gives: a part of the last axis, cut into heads. */
export interface LiveView {
  readonly part?: readonly [number, number];
  readonly split?: readonly number[];
  /** Two axes that the module has the other way round. */
  readonly swap?: readonly [number, number];
  /** How many axes it has in the end. */
  readonly rank: number;
}

/** A value by the module that takes or gives it. */
export interface LiveSlot {
  readonly path: string;
  readonly slot: string;
  readonly view?: LiveView;
}

/** A site that a live model has: which value of which module it is. */
export interface LiveSite {
  readonly name: string;
  readonly axes: readonly string[];
  readonly at: LiveSlot;
}

/** What is known of a model by its family: which of its sites are at a module's boundary, and other names of them. */
export interface KnownSites {
  /** In the order in which the model computes them. */
  readonly sites: ReadonlyMap<string, LiveSite>;
  /** Sites of the family that no module takes or gives. */
  readonly missing: ReadonlySet<string>;
  readonly aliases: ReadonlyMap<string, string>;
  /** Where layers are called, by the name of the layer: `blocks.3`. */
  readonly blocks: ReadonlyMap<string, string>;
  /** Its computation, as our engine would do it. */
  readonly program?: Program;
  /** Modules that make scores of the stream: the last norm and the head. */
  readonly ends?: { readonly norm: string | undefined; readonly head: string };
}

const nothing: KnownSites = { sites: new Map(), missing: new Set(), aliases: new Map(), blocks: new Map() };

type Types = ReadonlyMap<string, ValueType>;

const viewFor = (type: ValueType, more: Pick<LiveView, 'part' | 'swap'>): LiveView => {
  const sizes = type.shape.slice(2);
  const split = sizes.length === 2 && sizes.every((n) => typeof n === 'number') ? sizes : undefined;
  return {
    ...more,
    ...(split ? { split: split.map(Number) } : {}),
    rank: type.axes.length,
  };
};

/** Its module lies directly in this one. */
const parentOf = (path: string): string => path.split('.').slice(0, -1).join('.');

/**
 * Refuses a site whose change would not reach all that follows: an attention gives its pattern beside what it made of it,
 * and a norm inside a layer takes the stream that goes on around it too.
 * @throws UsageError SITE_NOT_CAPTURED
 */
export const checkReadThere = ({ name, at }: LiveSite): void => {
  const isPattern = name.endsWith('.pattern');
  if (!isPattern && !(at.slot === 'in.0' && /\.resid_(mid|cross)$/.test(name))) return;
  throw new UsageError(`a change of ${name} would not reach all that follows from it in this process`, {
    code: 'SITE_NOT_CAPTURED',
    hint: isPattern
      ? 'An attention tells its weights beside what it made of them: change attn.z, or q, k and v, or use our own engine.'
      : 'The norm takes the stream, and the stream goes on around it: change attn_out or resid_pre, or use our own engine.',
  });
};

/** Collects sites; the first module that gives a value has it. */
class Collected {
  readonly sites = new Map<string, LiveSite>();

  constructor(
    readonly types: Types,
    readonly paths: ReadonlySet<string>,
  ) {}

  add(name: string, at: { path: string; slot: string }, more: Pick<LiveView, 'part' | 'swap'> = {}): void {
    const type = this.types.get(name);
    if (!type || this.sites.has(name) || !this.paths.has(at.path)) return;
    const view = viewFor(type, more);
    const own = view.part || view.split || view.swap ? { ...at, view } : at;
    this.sites.set(name, { name, axes: type.axes, at: own });
  }
}

const widthOf = (type: ValueType | undefined): number =>
  (type?.shape.slice(2) ?? []).reduce<number>((n, size) => n * Number(size), 1);

/** Parts of one matrix that gives several values side by side. */
const fused: readonly { readonly ends: string; readonly parts: readonly string[] }[] = [
  { ends: 'attn.c_attn', parts: ['attn.q', 'attn.k', 'attn.v'] }, // GPT-2
  { ends: 'self_attn.qkv_proj', parts: ['attn.q', 'attn.k', 'attn.v'] }, // Phi-3
  { ends: 'mlp.gate_up_proj', parts: ['mlp.pre', 'mlp.pre_linear'] }, // Phi-3
];

const addFused = (found: Collected, block: string, path: string): void => {
  const row = fused.find(({ ends }) => path.endsWith(`.${ends}`));
  let from = 0;
  for (const part of row?.parts ?? []) {
    const width = widthOf(found.types.get(`${block}.${part}`));
    found.add(`${block}.${part}`, { path, slot: 'out' }, { part: [from, from + width] });
    from += width;
  }
};

/** What the input of a module is, where its output is this site. */
const inputs: Readonly<Record<string, string>> = {
  attn_out: 'attn.z',
  'attn.out_raw': 'attn.z',
  mlp_out: 'mlp.post',
  'mlp.out_raw': 'mlp.post',
  cross_attn_out: 'cross_attn.z',
};
/** What a norm reads, where it stands before the stream's next part, and where behind it (post-norm). */
const normInputs: Readonly<Record<string, { readonly pre: readonly string[]; readonly post: string }>> = {
  'ln1.normalized': { pre: ['resid_pre'], post: 'resid_mid_raw' },
  'ln_cross.normalized': { pre: ['resid_mid'], post: 'resid_cross_raw' },
  'ln2.normalized': { pre: ['resid_cross', 'resid_mid', 'resid_pre'], post: 'resid_post_raw' },
};

/** What a norm gives to the stream, where it stands behind the sum. */
const normOutputs: Readonly<Record<string, string>> = {
  'ln1.normalized': 'resid_mid',
  'ln_cross.normalized': 'resid_cross',
  'ln2.normalized': 'resid_post',
};

/** Norms behind a part of the layer, before the sum, by what they give it (Gemma 2, OLMo 2). */
const normsBehind: Readonly<Record<string, string>> = {
  attn_out: 'ln1_post.normalized',
  mlp_out: 'ln2_post.normalized',
};

interface Aliased {
  readonly path: string;
  readonly site: string;
  readonly isLeaf: boolean;
}

const inBlock = /^((?:(?:encoder|decoder)\.)?blocks\.\d+)\.(.+)$/;

/** Sites that a module takes: known from what it gives. */
const addInputs = (found: Collected, { path, site, isLeaf }: Aliased): void => {
  const [, block, local] = inBlock.exec(site) ?? [];
  if (block === undefined || local === undefined) return;
  if (local === 'resid_post' && !isLeaf) found.add(`${block}.resid_pre`, { path, slot: 'in.0' });
  const input = isLeaf ? inputs[local] : undefined;
  if (input !== undefined) found.add(`${block}.${input}`, { path, slot: 'in.0' });
  const isPost = found.types.has(`${block}.resid_mid_raw`);
  const norm = normInputs[local];
  const read = isPost ? norm?.post : norm?.pre.find((name) => found.types.has(`${block}.${name}`));
  if (read !== undefined) found.add(`${block}.${read}`, { path, slot: 'in.0' });
  const given = normOutputs[local];
  if (isPost && given !== undefined) found.add(`${block}.${given}`, { path, slot: 'out' });
  const behind = isLeaf ? normsBehind[local] : undefined;
  if (behind !== undefined) found.add(`${block}.${behind}`, { path, slot: 'out' });
};

/** What families call the matrices of an attention, and the norms behind them. */
const projections: Readonly<Record<string, string>> = {
  ...{ q_proj: 'q', k_proj: 'k', v_proj: 'v', query: 'q', key: 'k', value: 'v' },
  ...{ q_lin: 'q', k_lin: 'k', v_lin: 'v', q: 'q', k: 'k', v: 'v' },
  ...{ q_norm: 'q_normed', k_norm: 'k_normed', q_layernorm: 'q_normed', k_layernorm: 'k_normed' },
};

/** Families whose norms of queries and keys run with heads before positions. */
const headsFirst: ReadonlySet<string> = new Set(['gemma3_text']);

const addProjection = (found: Collected, block: string, { path, family }: { path: string; family: string }): void => {
  const name = projections[path.split('.').at(-1) ?? ''];
  if (name === undefined) return;
  const isCross = /encoder_attn|EncDecAttention|crossattention/.test(path);
  const swapped = name.endsWith('_normed') && headsFirst.has(family);
  const at = { path, slot: 'out' };
  found.add(`${block}.${isCross ? 'cross_attn' : 'attn'}.${name}`, at, swapped ? { swap: [1, 2] } : {});
};

/** Families that multiply the rows of the embedding outside of its module. */
const scaled: ReadonlySet<string> = new Set(['gemma', 'gemma2']);

/** Families whose attentions give the bias of positions second, and the pattern third where it is asked for. */
const biasSecond: ReadonlySet<string> = new Set(['t5', 'mt5']);

/** The module that computes an attention whose last matrix is at a path: BERT has that in a module beside it. */
const attentionOf = (found: Collected, path: string): string => {
  const parent = parentOf(path);
  const beside = `${parentOf(parent)}.self`;
  return found.paths.has(beside) ? beside : parent;
};

/** Families whose layers may give patterns first: what they give to the stream is that of their last norm. */
const patternsFirst: ReadonlySet<string> = new Set(['distilbert']);

/** Where heads look: given by an attention that computes it beside its output. */
const addPattern = (found: Collected, { path, site, isLeaf }: Aliased, family: string): void => {
  const [, block, local] = inBlock.exec(site) ?? [];
  const kind = local === undefined ? undefined : /^(cross_attn|attn)(?:_out|\.out_raw)$/.exec(local)?.[1];
  if (block === undefined || kind === undefined) return;
  const slot = biasSecond.has(family) ? 'out.2' : 'out.1';
  found.add(`${block}.${kind}.pattern`, { path: isLeaf ? attentionOf(found, path) : path, slot });
};

/** Sites before the first layer and behind the last that no module is named for. */
const addEnds = (found: Collected, aliased: readonly Aliased[]): void => {
  for (const { path, site, isLeaf } of aliased) {
    const [, stack] = /^(.*)blocks\.0\.resid_post$/.exec(site) ?? [];
    // T5's stacks share one embedding, called twice in a pass; nothing is added to what it gives
    const isBare = !found.types.has(`${stack}pos_embed`) && !found.types.has(`${stack}ln_embed`);
    if (stack !== undefined && stack !== '' && !isLeaf && isBare) found.add(`${stack}embed`, { path, slot: 'in.0' });
    if (site.endsWith('ln_embed.normalized')) found.add(site.slice(0, -'.normalized'.length), { path, slot: 'out' });
    if (site === 'head.ln.normalized' && isLeaf) found.add('head.post', { path, slot: 'in.0' });
    if (site !== 'logits' || !isLeaf || !found.types.has('pooled')) continue;
    for (const name of ['head.post', 'pooled']) found.add(name, { path, slot: 'in.0' });
  }
};

const aliasedModules = (program: Program, { modules }: AgentDescription): readonly Aliased[] => {
  const { aliases } = program.facts;
  const parents = new Set(modules.map(({ path }) => parentOf(path)));
  return modules.flatMap(({ path }) => {
    const site = aliases.get(path);
    return site === undefined ? [] : [{ path, site, isLeaf: !parents.has(path) }];
  });
};

/** Whether the module that a site is named for gives something else. */
const isElsewhere = (family: string, site: string): boolean =>
  (scaled.has(family) && site === 'embed') || (patternsFirst.has(family) && site.endsWith('.resid_post'));

const knownOf = (program: Program, description: AgentDescription): KnownSites => {
  const types = new Map(placedSites(runOrder(program, [])).map((p) => [p.name, p.type]));
  const found = new Collected(types, new Set(description.modules.map((m) => m.path)));
  const aliased = aliasedModules(program, description);
  const eager = description.attention === 'eager' || description.attention === null;
  found.add('logits', { path: '', slot: 'out.logits' });
  for (const { path, site } of aliased) if (!isElsewhere(program.family, site)) found.add(site, { path, slot: 'out' });
  for (const module of aliased) {
    addInputs(found, module);
    if (eager) addPattern(found, module, program.family);
  }
  addEnds(found, aliased);
  const first = aliased.find((a) => !a.isLeaf && a.site === 'blocks.0.resid_post');
  if (first && scaled.has(program.family)) found.add('embed', { path: first.path, slot: 'in.0' });
  for (const { path } of description.modules) {
    const block = aliased.find((a) => !a.isLeaf && a.site.endsWith('.resid_post') && path.startsWith(`${a.path}.`));
    if (!block) continue;
    const name = block.site.slice(0, -'.resid_post'.length);
    addFused(found, name, path);
    addProjection(found, name, { path, family: program.family });
  }
  const blocks = aliased.filter((a) => !a.isLeaf && /blocks\.\d+\.resid_post$/.test(a.site));
  const norm = aliased.find(({ site }) => site.endsWith('ln_final.normalized') && !site.startsWith('encoder'))?.path;
  const head = aliased.find(({ site }) => site === 'logits')?.path;
  const inOrder = [...types.keys()].flatMap((name) => {
    const site = found.sites.get(name);
    return site ? [[name, site] as const] : [];
  });
  return {
    sites: new Map(inOrder),
    missing: new Set([...types.keys()].filter((name) => !found.sites.has(name))),
    aliases: program.facts.aliases,
    program,
    blocks: new Map(blocks.map(({ site, path }) => [site.slice(0, -'.resid_post'.length), path])),
    ...(head === undefined ? {} : { ends: { norm, head } }),
  };
};

/** The config with the architecture that the process has, which a model that was never saved does not name. */
const configOf = ({ config, type }: AgentDescription): JsonObject => ({
  ...(config as JsonObject),
  architectures: [type],
});

/**
 * The sites of a live model, where its family is known: its modules by their aliases, and what can be told from those.
 * @returns and a note where it is not
 */
export const knownSites = (description: AgentDescription): { readonly known: KnownSites; readonly note?: string } => {
  if (description.config['model_type'] === undefined)
    return {
      known: nothing,
      note: 'values go by the paths of their modules: the model has no config that names a family',
    };
  const names = new Set(description.modules.flatMap((m) => m.weights.map((w) => w.name)));
  try {
    return {
      known: knownOf(
        makeProgram(configOf(description), (name) => names.has(name)),
        description,
      ),
    };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { known: nothing, note: `values go by the paths of their modules: ${error.message}` };
  }
};
