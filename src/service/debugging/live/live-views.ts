import { UsageError } from '../../../base/index.js';
import { chunkSize, most, shownNumber, type Looked } from '../../../debugger/index.js';
import { completeExpression } from '../../../language/index.js';
import type { Item, ViewAnswerOf, ViewAskOf } from '../../../protocol/index.js';
import { paged, type Answers } from '../answers.js';
import { bytesIn, childItems } from '../held-values.js';
import { namedToken } from '../moment.js';
import { pictureOf } from '../picture.js';
import { agentError } from './agent-connection.node.js';
import { tokenId } from './live-expressions.js';
import { gatheredWeight } from './live-gather.js';
import { liveChildren, liveEvaluated, liveItem, type Opened } from './live-items.js';
import { moduleName, slotName } from './live-model.js';
import { livePicture } from './live-picture.js';
import { LiveScopes, type LiveContext } from './live-scopes.js';
import { orderOf } from './live-state.js';
import { resolveRef } from './live-values.js';
import { trainingAnswer } from './training.js';

const refusedLook = (what: string): UsageError =>
  new UsageError(`a live process ${what}`, {
    code: 'COMMAND_INVALID',
    hint: 'docs/live.md lists what works on one.',
  });

/** Looks at where a live process stands. What is looked at is computed there; numbers come only where asked for. */
export class LiveViews {
  readonly #scopes: LiveScopes;

  constructor(readonly context: LiveContext) {
    this.#scopes = new LiveScopes(context);
  }

  get answers(): Answers {
    const { points, model, encode } = this.context;
    return {
      scopes: async ({ frame }) => ({ scopes: this.#scopes.scopes(frame) }),
      scope: async (a) => ({ items: paged(await this.#scopes.items(a.scope), a) }),
      children: async (a) => ({ items: await this.#children(a) }),
      evaluate: async ({ expression }) => this.#evaluate(expression.trim()),
      bytes: async (a) => this.#bytes(a),
      training: async ({ last }) => trainingAnswer((await this.#agent.request('training', { on: true, last })).steps),
      picture: async (a) => this.#picture(a),
      words: async ({ count }) => ({ words: await this.#scopes.words(count) }),
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
          ...completeExpression(a.text, a.column, {
            sites: model.names.map((name) => ({ name, axes: model.find(name)?.axes ?? [] })),
          }),
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

  async #evaluate(text: string): Promise<ViewAnswerOf<'evaluate'>> {
    const { model, trees } = this.context;
    const isValue = /^[\w.#]+$/.test(text) && model.find(text) !== undefined;
    if (isValue || /^(weight|grad|slot):/.test(text)) {
      const { opened, ref } = await resolveRef(text, model, trees);
      const [look] = await this.#scopes.looked([{ opened, ref }]);
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

  async #picture(ask: ViewAskOf<'picture'>): Promise<Looked<'picture'>> {
    const { model, trees, ranks } = this.context;
    if (ask.ref.startsWith('gathered:')) return pictureOf(await gatheredWeight(ask.ref.slice(9), model, ranks), ask);
    return livePicture(this.#agent, await resolveRef(ask.ref, model, trees), ask);
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
      ...[...here]
        .filter((name) => model.modulePath(name) === undefined)
        .map((name) => ({ name, axes: [], here: true })),
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
    if (!ends)
      throw refusedLook('of no known family has no lens: which modules are its last norm and head is not known');
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
