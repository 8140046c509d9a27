import { UsageError } from '../../../base/index.js';
import { shownNumber } from '../../../debugger/index.js';
import type {
  AgentLooked,
  AgentSlot,
  AgentStanding,
  Item,
  ScopeName,
  TargetFrame,
  ViewAnswerOf,
} from '../../../protocol/index.js';
import { tokenText, wordText } from '../answers.js';
import type { AgentTrees, Encode } from './live-expressions.js';
import { liveItem } from './live-items.js';
import { moduleName, type LiveModel } from './live-model.js';
import type { LivePoints } from './live-points.js';
import type { LiveRanks } from './live-ranks.js';
import { resolveRef, slotValue, type Resolved } from './live-values.js';
import { trainingItems } from './training.js';

/** What looks at a live process need. */
export interface LiveContext {
  readonly model: LiveModel;
  readonly ranks: LiveRanks;
  readonly trees: AgentTrees;
  readonly points: LivePoints;
  readonly encode: Encode;
  readonly edits: () => readonly string[];
}

type Scopes = ViewAnswerOf<'scopes'>['scopes'];

const scope = (name: ScopeName, shown: string, expensive = false): Scopes[number] => ({
  ...{ scope: name, name: shown, expensive },
});

const isCache = ({ name }: AgentSlot): boolean => name.startsWith('kw.past');

/** Groups of values where a live process stands. */
export class LiveScopes {
  constructor(readonly context: LiveContext) {}

  get #agent() {
    return this.context.ranks.one.connection;
  }

  get #standing() {
    return this.context.ranks.standing;
  }

  /** The groups of values of a frame; what takes longer is `expensive`. */
  scopes(frame: TargetFrame['kind']): Scopes {
    const { model, ranks } = this.context;
    const { running, training } = this.#standing;
    const inside = !running && frame !== 'step' && frame !== 'generation';
    const patterns = [...model.known.sites.keys()].some((name) => name.endsWith('pattern'));
    return [
      ...(inside ? [scope('outputs', 'Outputs'), scope('inputs', 'Inputs'), scope('sites', 'Sites')] : []),
      ...(inside && patterns ? [scope('attention', 'Attention')] : []),
      ...(running ? [] : [scope('gradients', 'Gradients')]),
      ...(training ? [scope('training', 'Training')] : [scope('words', 'Next words')]),
      scope('tokens', 'Tokens'),
      scope('edits', 'Edits'),
      ...(inside ? [scope('statistics', 'Statistics', true), scope('cache', 'KV cache', true)] : []),
      scope('weights', 'Weights', true),
      ...(ranks.all.length > 1 ? [scope('processes', 'Processes')] : []),
    ];
  }

  /** What a group shows. */
  async items(name: ScopeName): Promise<Item[]> {
    const standing = this.#standing;
    switch (name) {
      case 'inputs':
        return this.#inputs(standing);
      case 'outputs':
        return this.#outputs(standing);
      case 'cache':
        return this.#cache(standing);
      case 'sites':
        return this.#shown(await this.#resolved(this.#nearSites()));
      case 'statistics':
        return this.#statistics();
      case 'attention':
        return this.#attention();
      case 'gradients':
        return this.#gradients();
      case 'weights':
        return this.#weights();
      case 'training':
        return trainingItems(await this.#agent.request('training', { on: true }));
      case 'words':
        return (await this.words(10)).map((word, i) => ({ name: String(i + 1), value: wordText(word) }));
      case 'tokens':
        return standing.tokens.map((token, i) => ({ name: String(i), value: tokenText(token) }));
      case 'edits':
        return this.context.edits().map((value, i) => ({ name: String(i + 1), value }));
      case 'processes':
        return this.#processes();
      case 'residual':
        return [];
    }
  }

  #inputs(standing: AgentStanding): Promise<Item[]> {
    const slots = standing.when === 'before' ? standing.slots : standing.given;
    const at = { ...standing, when: standing.when === 'op' ? ('op' as const) : ('before' as const) };
    return this.#shown(slots.filter((s) => !isCache(s)).map((s) => slotValue(at, s)));
  }

  async #outputs(standing: AgentStanding): Promise<Item[]> {
    if (standing.when === 'before') return [];
    return this.#shown(standing.slots.filter((s) => !s.name.startsWith('in.')).map((s) => slotValue(standing, s)));
  }

  #cache({ given, slots }: AgentStanding): Promise<Item[]> {
    const kept = [...given, ...slots].filter(isCache);
    return this.#shown(
      kept.map(({ name }) => ({ ref: { slot: name }, opened: { name, ref: `slot:${name}`, axes: [] } })),
    );
  }

  #processes(): Item[] {
    const { ranks } = this.context;
    return ranks.all.map((rank, i) => {
      const { running, when = '', path = '', pass, step } = rank.standing;
      const place = rank.hasEnded
        ? 'has ended'
        : running
          ? 'runs'
          : `${when} ${moduleName(path)}, pass ${pass}, step ${step}`;
      return { name: `rank ${rank.number}`, value: `${place}${i === ranks.focus ? '  (looked at)' : ''}` };
    });
  }

  /** Sites of the layer where it stands; outside of layers those that are in none. */
  #nearSites(): string[] {
    const { model } = this.context;
    const layer = model.layerOf(this.#standing.path ?? '');
    return [...model.known.sites.values()]
      .filter(({ at }) => model.layerOf(at.path) === layer)
      .map((site) => site.name);
  }

  async #resolved(names: readonly string[]): Promise<Resolved[]> {
    const { model, trees } = this.context;
    const found: Resolved[] = [];
    for (const name of names) found.push(await resolveRef(name, model, trees));
    return found;
  }

  /** What values are like, in words. */
  async looked(values: readonly Resolved[]): Promise<readonly AgentLooked[]> {
    if (values.length === 0) return [];
    return (await this.#agent.request('stats', { refs: values.map((v) => v.ref) })).values;
  }

  /** Values in words; those that are not there yet are left out. */
  async #shown(values: readonly Resolved[]): Promise<Item[]> {
    const looked = await this.looked(values);
    return values.flatMap(({ opened }, i) => {
      const look = looked[i];
      return look && 'stats' in look ? [liveItem(opened, look.meta, look.stats)] : [];
    });
  }

  async #statistics(): Promise<Item[]> {
    const standing = this.#standing;
    const slots = [...standing.slots, ...standing.given].filter((s) => !isCache(s)).map((s) => slotValue(standing, s)); // prettier-ignore
    const values = [...slots, ...(await this.#resolved(this.#nearSites()))];
    const looked = await this.looked(values);
    const percent = (part: number, count: number): string => `${((100 * part) / Math.max(1, count)).toFixed(2)} %`;
    return values.flatMap(({ opened }, i) => {
      const look = looked[i];
      if (!look || !('stats' in look)) return [];
      const { norm = NaN, absmax = NaN, zero, positive = 0, count, nan, inf } = look.stats;
      const value = `norm ${shownNumber(norm)}  absmax ${shownNumber(absmax)}  zero ${percent(zero, count)}  positive ${percent(positive, count)}  nan ${nan}  inf ${inf}`;
      return [{ name: opened.name, value }];
    });
  }

  /** What the newest query of each head looks at, for the patterns of the layer. */
  async #attention(): Promise<Item[]> {
    const { model } = this.context;
    const names = this.#nearSites().filter((name) => name.endsWith('pattern'));
    const items: Item[] = [];
    for (const name of names) {
      const site = model.site(name);
      const { values } = await this.#agent.request('stats', { refs: [site.at] });
      const [look] = values;
      if (!look || !('stats' in look)) continue;
      const [, heads = 0, queries = 0, keys = 0] = look.stats.shape;
      for (let head = 0; head < heads; head++) {
        const start = (head * queries + queries - 1) * keys;
        const { payload } = await this.#agent.ask('read', { ref: site.at, start, count: keys });
        const row = new Float32Array(payload.buffer);
        const top = [...row.keys()].sort((a, b) => (row[b] ?? 0) - (row[a] ?? 0)).slice(0, 3);
        const value = top.map((key) => `${(row[key] ?? 0).toFixed(2)} ${key} ${JSON.stringify(this.#standing.tokens[key]?.text ?? '')}`).join('  '); // prettier-ignore
        items.push({ name: `${name}, head ${head}`, value, expression: `${name}[head=${head}, query=-1]` });
      }
    }
    return items;
  }

  /** Gradients of what modules gave, as far as backward has come, and those of weights that have one. */
  async #gradients(): Promise<Item[]> {
    const { model, trees } = this.context;
    const here = this.#standing.path ?? '';
    const near = [...model.modules.values()].filter(
      ({ path }) => here === '' || path === here || path.startsWith(`${here}.`) || model.layers.has(path),
    );
    const given = near.slice(0, 200).map(({ path }) => `grad:${moduleName(path)}`);
    const weights = near.flatMap((m) => m.weights.filter((w) => w.kind === 'parameter').map((w) => `grad:${w.name}`));
    const found: Resolved[] = [];
    for (const ref of [...given, ...weights.slice(0, 200)]) found.push(await resolveRef(ref, model, trees));
    return this.#shown(found);
  }

  /** Weights of the module where it stands and of those in it; outside of modules of all. */
  async #weights(): Promise<Item[]> {
    const { model, ranks } = this.context;
    const path = this.#standing.path ?? '';
    const own = [...model.modules.values()].filter(
      (m) => path === '' || m.path === path || m.path.startsWith(`${path}.`),
    );
    const weights = own.flatMap((m) => m.weights);
    return weights.flatMap(({ name, dtype, shape, shard, kind }) => {
      const { axes, place = '' } = model.weight(name);
      const type = `${dtype}[${shape.map((n, i) => `${axes[i] ?? ''} ${n}`).join(', ')}]`;
      const item = (ref: string, shown: string): Item => ({
        ...{ name: shown, value: kind === 'buffer' ? `${type}  buffer` : type, ref, part: { at: [] } },
        ...{ length: shape[0] ?? 0, place },
      });
      const gathered = shard && ranks.all.length > 1 ? [item(`gathered:${name}`, `${name}, of all ranks`)] : [];
      return shape.length === 0 ? [] : [item(`weight:${name}`, name), ...gathered];
    });
  }

  /** The likeliest next tokens, where the scores are there. */
  async words(count: number): Promise<ViewAnswerOf<'words'>['words']> {
    try {
      return (await this.#agent.request('words', { count })).words;
    } catch (error) {
      if (error instanceof UsageError && error.info.code === 'SITE_NOT_CAPTURED') return [];
      throw error;
    }
  }
}
