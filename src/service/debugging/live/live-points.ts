import { UsageError } from '../../../base/index.js';
import { parseHits } from '../../../debugger/index.js';
import type { AgentWhen, PointSpec, PointsInput, PointsResult } from '../../../protocol/index.js';
import { refused, withCondition } from '../points.js';
import type { AgentTree, AgentTrees } from './live-expressions.js';
import type { LiveModel } from './live-model.js';
import type { LiveSite } from './live-sites.js';

/** A point as the agent has it: at which moment of which modules. */
export interface AgentPoint {
  readonly id: number;
  readonly when: AgentWhen;
  readonly paths: readonly string[];
  readonly only?: readonly number[];
  readonly ranks?: readonly number[];
  /** On ranks that are not named: stops with those that are. */
  readonly follows?: boolean;
  readonly condition?: AgentTree;
  readonly hits?: { readonly op: string; readonly n: number };
  readonly log?: readonly (string | AgentTree)[];
  readonly watch?: { readonly param: string } | { readonly tree: AgentTree };
  readonly temporary?: boolean;
}

type Agents = (method: 'points', params: object) => Promise<{ readonly met: Readonly<Record<string, number>> }>;

/** Where the words of a place stand: `after GLOB`, `backward GLOB`, `rank 1 before GLOB`, `grad(GLOB)`. */
const placeWords = /^(?:rank\s+([\d,\s]+?)\s+)?(?:(before|after|backward)\s+)?(.*)$/s;

interface Place {
  readonly when: AgentWhen;
  readonly paths: readonly string[];
  readonly ranks?: readonly number[];
}

const momentOf = ({ at }: LiveSite): AgentWhen => (at.slot.startsWith('out') ? 'after' : 'before');

const invalid = (message: string, hint: string): UsageError =>
  new UsageError(message, { code: 'COMMAND_INVALID', hint });

/**
 * Which moments some words mean: a site where its value is there, a module's path before it.
 * @throws UsageError SITE_UNKNOWN, SITE_NOT_CAPTURED, SELECTOR_SYNTAX
 */
export const placesIn = (text: string, model: LiveModel): readonly Place[] => {
  const [, ranks, word, rest = ''] = placeWords.exec(text.trim()) ?? [];
  const numbers = ranks?.split(/[,\s]+/).map(Number);
  const more = numbers ? { ranks: numbers } : {};
  if (rest.trim() === 'optimiser' || rest.trim() === 'optimizer') return [{ when: 'optimiser', paths: [''], ...more }];
  const gradient = /^grad\((.+)\)$/.exec(rest.trim())?.[1];
  const sites = model.matching(gradient ?? rest);
  const given = gradient === undefined ? (word as AgentWhen | undefined) : 'backward';
  const groups = new Map<AgentWhen, Set<string>>();
  for (const site of sites) {
    const isModule = site.axes.length === 0 && model.modulePath(site.name) !== undefined;
    const when = given ?? (isModule ? 'before' : momentOf(site));
    groups.set(when, (groups.get(when) ?? new Set()).add(site.at.path));
  }
  return [...groups].map(([when, paths]) => ({ when, paths: [...paths], ...more }));
};

const hitsOf = (text: string): NonNullable<AgentPoint['hits']> => {
  parseHits(text); // throws for what is no count
  const [, op = '', n = '1'] = /^\s*(>=|==?|>|%|)\s*(\d+)\s*$/.exec(text) ?? [];
  return { op: op === '=' ? '==' : op === '' ? '>=' : op, n: Number(n) };
};

const braced = /\{((?:[^{}"']|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')*)\}/g;

const given = (text: string | undefined): text is string => text !== undefined && text.trim() !== '';

/** Bounds of what counts as a gradient that explodes or vanishes, where none is named. */
const usual: Readonly<Record<string, number>> = { exploding: 1e3, vanishing: 1e-8 };

/** What a live process can be stopped at, besides points. */
export const liveCatches = ['nan', 'inf', 'overflow16', 'exploding', 'vanishing', 'error'] as const;

/** `nan`, `exploding 100` as the agent has them. @throws UsageError COMMAND_INVALID */
export const caughtRule = (text: string): { readonly kind: string; readonly bound?: number } => {
  const [kind = '', bound, ...rest] = text.trim().split(/\s+/);
  if (!liveCatches.some((known) => known === kind) || rest.length > 0)
    throw invalid(
      kind === '' ? 'catch what?' : `a live process does not catch ${text.trim()}`,
      'catch nan, inf, overflow16, exploding [NORM], vanishing [NORM], or error',
    );
  const standard = usual[kind];
  if (standard === undefined) {
    if (bound === undefined) return { kind };
    throw invalid(`${kind} takes nothing after it`, `catch ${kind}`);
  }
  const number = bound === undefined ? standard : Number(bound);
  if (!(number > 0)) throw invalid(`${kind} is compared with a norm`, `catch ${kind} ${standard}`);
  return { kind, bound: number };
};

/** The points of a live process: as they were asked for here, as they are met there. */
export class LivePoints {
  readonly #specs = new Map<number, PointSpec>();
  #caught: readonly string[] = [];
  #last = 0;

  constructor(
    readonly model: LiveModel,
    readonly trees: AgentTrees,
    readonly send: Agents,
  ) {}

  get caught(): readonly string[] {
    return this.#caught;
  }

  label(id: number): string | undefined {
    return this.#specs.get(id)?.label;
  }

  lineOf(id: number): number | undefined {
    return this.#specs.get(id)?.lines?.[0];
  }

  async change({ add = [], remove = [], change = [], caught }: PointsInput): Promise<PointsResult> {
    const removed = remove.filter((id) => this.#specs.delete(id));
    if (removed.length > 0) await this.send('points', { remove: removed.flatMap((id) => this.#parts(id)) });
    const added: PointsResult['added'] = [];
    for (const spec of add) added.push(await this.#tried(async () => ({ id: await this.#add(spec, spec.id) })));
    const changed: PointsResult['changed'] = [];
    for (const wish of change) changed.push(await this.#tried(() => this.#change(wish)));
    return { added, removed, changed, caught: caught === undefined ? [] : await this.#catch(caught) };
  }

  /** Those that are there, with how often they were met. */
  async list(): Promise<{ id: number; label: string; met: number; temporary: boolean }[]> {
    const { met } = await this.send('points', {});
    return [...this.#specs].map(([id, { label, temporary = false }]) => ({
      ...{ id, label, temporary },
      met: this.#parts(id).reduce((n, part) => n + (met[part] ?? 0), 0),
    }));
  }

  /** The number here of one that the agent has met. A temporary one is gone with it. */
  hit(part: number): number {
    const id = Math.floor(part / moments);
    if (this.#specs.get(id)?.temporary) this.#specs.delete(id);
    return id;
  }

  async #tried<T>(work: () => Promise<T>): Promise<T | ReturnType<typeof refused>> {
    try {
      return await work();
    } catch (error) {
      return refused(error);
    }
  }

  async #catch(texts: readonly string[]): Promise<PointsResult['caught']> {
    const rules: ReturnType<typeof caughtRule>[] = [];
    const answers = texts.map((text) => {
      try {
        const rule = caughtRule(text);
        rules.push(rule);
        return { kind: rule.kind };
      } catch (error) {
        return refused(error);
      }
    });
    await this.send('points', { caught: rules });
    this.#caught = texts.filter((_, i) => !('error' in (answers[i] ?? {})));
    return answers;
  }

  /** The agent's numbers of a point: one for each moment that it has. */
  #parts(id: number): number[] {
    return Array.from({ length: moments }, (_, i) => id * moments + i);
  }

  async #add(spec: PointSpec, number?: number): Promise<number> {
    const id = number ?? this.#last + 1;
    const points = await this.#compile(spec, id);
    await this.send('points', { remove: this.#parts(id), set: points });
    this.#last = Math.max(this.#last, id);
    this.#specs.set(id, spec);
    return id;
  }

  async #change({
    id,
    condition,
    ignore,
  }: NonNullable<PointsInput['change']>[number]): Promise<{ id: number; label: string }> {
    const spec = this.#specs.get(id);
    if (!spec) throw invalid(`there is no breakpoint ${id}`, '`info breakpoints` lists them.');
    if (spec.watch !== undefined && condition !== undefined)
      throw invalid(`breakpoint ${id} watches a value`, 'Watch a comparison instead.');
    const changed = condition === undefined ? spec : withCondition(spec, condition ?? undefined);
    await this.#add({ ...changed, ...(ignore === undefined ? {} : { hits: `>= ${ignore + 1}` }) }, id);
    return { id, label: changed.label };
  }

  #places({ lines, sites, layers, moment }: PointSpec): readonly Place[] {
    if (sites !== undefined) return placesIn(moment === undefined ? sites : `${moment} ${sites}`, this.model);
    const when = moment ?? 'before';
    if (lines) return [{ when, paths: lines.flatMap((line) => this.model.listing.pathsAt[line - 1] ?? []) }];
    if (!layers) return [{ when, paths: [''] }];
    const paths = [...this.model.layers].filter(([, layer]) => layers.includes(layer)).map(([path]) => path);
    if (paths.length > 0) return [{ when, paths }];
    throw invalid(
      `there is no layer ${layers.join(', ')}`,
      `Layers go from 0 to ${Math.max(...this.model.layers.values())}.`,
    );
  }

  async #compile(spec: PointSpec, id: number): Promise<AgentPoint[]> {
    if (spec.fed !== undefined)
      throw invalid('a live process does not tell of its tokens', 'Name a step by its number: `break token 3`.');
    const watch = spec.watch === undefined ? undefined : await this.#watch(spec.watch);
    const places = watch ? watch.places : this.#places(spec);
    const { layers, lines, sites, steps, condition, hits, log, temporary } = spec;
    const narrowed = layers && (lines || sites !== undefined) ? (path: string) => layers.includes(this.model.layerOf(path) ?? -1) : () => true; // prettier-ignore
    const common = {
      ...(steps ? { only: steps } : {}),
      ...(given(condition) ? { condition: (await this.trees.parse(condition)).tree } : {}),
      ...(given(hits) ? { hits: hitsOf(hits) } : {}),
      ...(given(log) ? { log: await this.#log(log) } : {}),
      ...(temporary ? { temporary } : {}),
      ...(watch ? { watch: watch.of } : {}),
    };
    return places.map(({ when, paths, ranks }, i) => ({
      ...{ id: id * moments + i, when, paths: paths.filter(narrowed), ...common },
      ...(ranks ? { ranks, ...(given(condition) ? {} : { follows: true }) } : {}),
    }));
  }

  async #log(template: string): Promise<(string | AgentTree)[]> {
    const parts: (string | AgentTree)[] = [];
    for (const [i, part] of template.split(braced).entries())
      if (i % 2 === 1) parts.push((await this.trees.parse(part)).tree);
      else if (part !== '') parts.push(part);
    return parts;
  }

  /** What a data breakpoint watches, and after which modules it is asked: those that give its values. */
  async #watch(text: string): Promise<{ of: NonNullable<AgentPoint['watch']>; places: readonly Place[] }> {
    const weight = /^weight\s+(\S+)$/.exec(text.trim())?.[1];
    if (weight !== undefined) {
      this.model.weight(weight);
      return { of: { param: weight }, places: [{ when: 'before', paths: [''] }] };
    }
    const { tree, sites } = await this.trees.parse(text);
    const paths = [...new Set(sites.map((s) => s.at.path))];
    return { of: { tree }, places: [{ when: 'after', paths: paths.length > 0 ? paths : [''] }] };
  }
}

/** Moments that one point may have: before, after, backward, at the optimiser. */
const moments = 8;
