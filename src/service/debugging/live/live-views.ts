import { UsageError } from '../../../base/index.js';
import { chunkSize, most, shownNumber } from '../../../debugger/index.js';
import { completeExpression } from '../../../language/index.js';
import type { AgentLooked, Item, ScopeName, TargetFrame, ViewAnswerOf, ViewAskOf } from '../../../protocol/index.js';
import { paged, tokenText, wordText, type Answers } from '../answers.js';
import { bytesIn, childItems } from '../held-values.js';
import { namedToken } from '../moment.js';
import { agentError } from './agent-connection.node.js';
import { tokenId, type AgentTrees, type Encode } from './live-expressions.js';
import { gatheredWeight } from './live-gather.js';
import { liveChildren, liveEvaluated, liveItem, type Opened } from './live-items.js';
import { moduleName, slotName, type LiveModel } from './live-model.js';
import type { LivePoints } from './live-points.js';
import type { LiveRanks } from './live-ranks.js';
import { orderOf } from './live-state.js';
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

const refusedLook = (what: string): UsageError =>
  new UsageError(`a live process ${what}`, {
    code: 'COMMAND_INVALID',
    hint: 'docs/live.md lists what works on one.',
  });

/** Looks at where a live process stands. What is looked at is computed there; numbers come only where asked for. */
export class LiveViews {
  constructor(readonly context: LiveContext) {}

  get answers(): Answers {
    const { points, model, encode } = this.context;
    return {
      scopes: async ({ frame }) => ({ scopes: this.#scopes(frame) }),
      scope: async (a) => ({ items: paged(await this.#items(a.scope), a) }),
      children: async (a) => ({ items: await this.#children(a) }),
      evaluate: async ({ expression }) => this.#evaluate(expression.trim()),
      bytes: async (a) => this.#bytes(a),
      words: async ({ count }) => ({ words: await this.#words(count) }),
      token: async ({ name }) => {
        const given = namedToken(name);
        if (typeof given === 'string') return tokenId(given, encode);
        if (given === undefined) throw refusedLook(`knows no token ${name}`);
        const { texts } = await this.#agent.request('decode', { ids: [given] });
        return { token: given, text: texts[0] ?? '' };
      },
      sites: async () => ({ sites: this.#sites() }),
      points: async () => ({ points: await points.list(), caught: [...points.caught] }),
      complete: async (a) => ({
        completions: [
          ...completeExpression(a.text, a.column, { sites: model.names.map((name) => ({ name, axes: model.find(name)?.axes ?? [] })) }),
        ],
      }),
      places: async (a) => ({ places: this.#places(a) }),
      ahead: async () => ({ places: this.#ahead() }),
      lens: async ({ tokens }) => this.#lens(tokens),
      compare: async () => {
        throw refusedLook('has no unedited run beside it');
      },
    };
  }

  get #agent() {
    return this.context.ranks.one.connection;
  }

  get #standing() {
    return this.context.ranks.standing;
  }

  #scopes(frame: TargetFrame['kind']): Scopes {
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

  async #items(name: ScopeName): Promise<Item[]> {
    const standing = this.#standing;
    switch (name) {
      case 'inputs':
        return this.#shown(
          (standing.when === 'before' ? standing.slots : standing.given)
            .filter((s) => !s.name.startsWith('kw.past'))
            .map((s) => slotValue({ ...standing, when: standing.when === 'op' ? 'op' : 'before' }, s)),
        );
      case 'outputs':
        return this.#shown(standing.when === 'before' ? [] : standing.slots.filter((s) => !s.name.startsWith('in.')).map((s) => slotValue(standing, s)));
      case 'cache':
        return this.#shown(
          [...standing.given, ...standing.slots]
            .filter((s) => s.name.startsWith('kw.past'))
            .map((s) => ({ ref: { slot: s.name }, opened: { name: s.name, ref: `slot:${s.name}`, axes: [] } })),
        );
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
        return (await this.#words(10)).map((word, i) => ({ name: String(i + 1), value: wordText(word) }));
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

  #processes(): Item[] {
    const { ranks } = this.context;
    return ranks.all.map((rank, i) => {
      const { running, when = '', path = '', pass, step } = rank.standing;
      const place = rank.hasEnded ? 'has ended' : running ? 'runs' : `${when} ${moduleName(path)}, pass ${pass}, step ${step}`;
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

  async #looked(values: readonly Resolved[]): Promise<readonly AgentLooked[]> {
    if (values.length === 0) return [];
    return (await this.#agent.request('stats', { refs: values.map((v) => v.ref) })).values;
  }

  /** Values in words; those that are not there yet are left out. */
  async #shown(values: readonly Resolved[]): Promise<Item[]> {
    const looked = await this.#looked(values);
    return values.flatMap(({ opened }, i) => {
      const look = looked[i];
      return look && 'stats' in look ? [liveItem(opened, look.meta, look.stats)] : [];
    });
  }

  async #statistics(): Promise<Item[]> {
    const standing = this.#standing;
    const slots = [...standing.slots, ...standing.given].filter((s) => !s.name.startsWith('kw.past')).map((s) => slotValue(standing, s)); // prettier-ignore
    const values = [...slots, ...(await this.#resolved(this.#nearSites()))];
    const looked = await this.#looked(values);
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
    const own = [...model.modules.values()].filter((m) => path === '' || m.path === path || m.path.startsWith(`${path}.`));
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

  async #words(count: number): Promise<ViewAnswerOf<'words'>['words']> {
    try {
      return (await this.#agent.request('words', { count })).words;
    } catch (error) {
      if (error instanceof UsageError && error.info.code === 'SITE_NOT_CAPTURED') return [];
      throw error;
    }
  }

  async #evaluate(text: string): Promise<ViewAnswerOf<'evaluate'>> {
    const { model, trees } = this.context;
    const isValue = /^[\w.#]+$/.test(text) && model.find(text) !== undefined;
    if (isValue || /^(weight|grad|slot):/.test(text)) {
      const { opened, ref } = await resolveRef(text, model, trees);
      const [look] = await this.#looked([{ opened, ref }]);
      if (look && 'problem' in look) throw agentError(look.problem);
      if (look) {
        const { payload } = await this.#agent.ask('read', { ref, count: 12 });
        const item = liveItem(opened, look.meta, look.stats);
        const { shape } = look.stats;
        const axes = opened.axes.length === shape.length ? opened.axes : (look.meta.axes ?? []);
        return { ...item, axes: [...axes], shape, first: Array.from(new Float32Array(payload.buffer), shownNumber) };
      }
    }
    const { tree } = await trees.parse(text);
    return liveEvaluated(text, `=${text}`, await this.#agent.request('evaluate', { tree }));
  }

  async #children({ ref, part, start = 0, count = 0 }: ViewAskOf<'children'>): Promise<Item[]> {
    const { model, trees, ranks } = this.context;
    if (ref.startsWith('gathered:')) {
      const held = await gatheredWeight(ref.slice(9), model, ranks);
      return childItems(ref, held, { part, ...(count > 0 ? { start, count } : {}) });
    }
    const { opened, ref: agentRef } = await resolveRef(ref, model, trees);
    const from = part.from ?? 0;
    const to = part.to ?? (await this.#extent(agentRef, part.at.length));
    if (count === 0 && to - from > most) return this.#chunks({ opened, at: part.at, from, to });
    const first = from + (count > 0 ? start : 0);
    const stop = Math.min(to, count > 0 ? first + Math.min(count, 1000) : to);
    const answer = await this.#agent.request('children', { ref: agentRef, at: part.at, start: first, stop });
    return liveChildren(opened, answer, { at: part.at, from: first, offset: this.#standing.past });
  }

  async #extent(ref: object, axis: number): Promise<number> {
    const { values } = await this.#agent.request('stats', { refs: [ref] });
    const [look] = values;
    if (look && 'problem' in look) throw agentError(look.problem);
    return look?.stats.shape[axis] ?? 0;
  }

  #chunks({ opened, at, from, to }: { opened: Opened; at: readonly number[]; from: number; to: number }): Item[] {
    const size = chunkSize(to - from);
    return Array.from({ length: Math.ceil((to - from) / size) }, (_, i) => {
      const [first, end] = [from + i * size, Math.min(to, from + (i + 1) * size)];
      const part = { at: [...at], from: first, to: end };
      return { name: `[${first}..${end - 1}]`, value: '', ref: opened.ref, part, length: end - first };
    });
  }

  async #bytes({ ref, offset, count }: ViewAskOf<'bytes'>) {
    const { model, trees, ranks } = this.context;
    if (ref.startsWith('gathered:')) {
      const held = await gatheredWeight(ref.slice(9), model, ranks);
      return { ...bytesIn(held, offset, count), axes: [...held.axes], shape: [...held.tensor.shape] };
    }
    const { opened, ref: agentRef } = await resolveRef(ref, model, trees);
    const [first, end] = [Math.floor(offset / 4), Math.ceil((offset + count) / 4)];
    const { result, payload } = await this.#agent.ask('read', { ref: agentRef, start: first, count: end - first });
    const { shape, axes = [] } = result.meta;
    const own = opened.axes.length === shape.length ? opened.axes : axes;
    const total = 4 * shape.reduce((n, extent) => n * extent, 1);
    return { total, axes: [...own], shape, bytes: payload.slice(offset - 4 * first, offset - 4 * first + count) };
  }

  #sites(): ViewAnswerOf<'sites'>['sites'] {
    const { model } = this.context;
    const standing = this.#standing;
    const { path = '', running } = standing;
    const here = new Set(running ? [] : standing.slots.map((s) => slotName({ path, slot: s.name })));
    const isHere = (site: { path: string; slot: string }): boolean =>
      !running && site.path === path && standing.slots.some((s) => s.name === site.slot || s.name === `${site.slot}.0`);
    return [
      ...[...model.known.sites.values()].map(({ name, axes, at }) => ({ name, axes: [...axes], here: isHere(at) })),
      ...[...model.modules.keys()].map((p) => ({ name: moduleName(p), axes: [], here: here.has(moduleName(p)) })),
      ...[...here].filter((name) => model.modulePath(name) === undefined).map((name) => ({ name, axes: [], here: true })),
    ];
  }

  #places({ source, line }: ViewAskOf<'places'>): ViewAnswerOf<'places'>['places'] {
    if (source !== 'listing') return [];
    const { model } = this.context;
    const order = orderOf(model, this.#standing);
    const { step } = this.#standing;
    return (model.listing.pathsAt[line - 1] ?? []).map((path) => ({
      ...{ label: moduleName(path), position: { step, at: order.indexOf(path), op: 0 } },
    }));
  }

  /** Modules in the one where it stands. */
  #ahead(): ViewAnswerOf<'ahead'>['places'] {
    const { model } = this.context;
    const { path = '', when, step, running } = this.#standing;
    if (running || when !== 'before') return [];
    const order = orderOf(model, this.#standing);
    const inside = path === '' ? '' : `${path}.`;
    return order
      .filter((p) => p !== path && p.startsWith(inside) && !p.slice(inside.length).includes('.'))
      .map((p) => ({ label: moduleName(p), position: { step, at: order.indexOf(p), op: 0 } }));
  }

  async #lens(tokens: readonly string[]): Promise<ViewAnswerOf<'lens'>> {
    const { model, encode } = this.context;
    const { ends, sites } = model.known;
    if (!ends) throw refusedLook('of no known family has no lens: which modules are its last norm and head is not known');
    const ids: number[] = [];
    for (const name of tokens) {
      const given = namedToken(name);
      if (typeof given === 'number') ids.push(given);
      else ids.push((await tokenId(given ?? name, encode)).token);
    }
    const streams = [...sites.values()].filter(({ name }) => /^(decoder\.)?blocks\.\d+\.resid_(pre|post)$/.test(name));
    const last = streams.filter(({ name }) => name.endsWith('resid_post')).at(-1);
    const wanted = [...streams.filter(({ name }) => name.endsWith('resid_pre')), ...(last ? [last] : [])];
    const { values } = await this.#agent.request('stats', { refs: wanted.map((s) => s.at) });
    const refs = wanted.filter((_, i) => 'stats' in (values[i] ?? {})).map((s) => [s.name, s.at]);
    return this.#agent.request('lens', { ...ends, refs, tokens: ids });
  }
}
