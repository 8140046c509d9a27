import { UsageError } from '../base/index.js';
import type { Condition, Instance } from '../engine/index.js';
import type { Position } from './position.js';

/** A place where a run could stop. */
export interface Stopping {
  readonly position: Position;
  /** Of the listing, from 1. */
  readonly line: number;
  readonly layer?: number | undefined;
  /** The site that gets its value here, by its name in the run order. */
  readonly site?: string | undefined;
  /** What runs next, where it is our engine that runs it. */
  readonly instance?: Instance;
}

/** What a data breakpoint watches, as it is compared and shown. */
export type Watched = string | number | boolean;

/** Where to stop. What is left out holds anywhere. */
export interface Breakpoint {
  readonly id: number;
  /** What it is called when breakpoints are listed. */
  readonly label?: string;
  /** Lines of the listing; a line in a loop body stands for all its layers. */
  readonly lines?: readonly number[];
  /** Sites by a test on their names in the run order: before the operation that gives the value. */
  readonly site?: (name: string) => boolean;
  /** Layers, as in the loaded model. */
  readonly layers?: readonly number[];
  /** Steps: 0 is the prefill. */
  readonly steps?: readonly number[];
  /** Asked last. */
  readonly condition?: (stopping: Stopping) => boolean | Promise<boolean>;
  /**
   * The condition as part of an instance's graph, so that it costs no second run where it does not hold; `never`: it
   * cannot hold there; undefined: it has no such form. Where it holds, `condition` is asked.
   */
  readonly lowered?: (instance: Instance) => Condition | 'never' | undefined;
  /** Given how often all else held, does this time count? */
  readonly hits?: (met: number) => boolean;
  /** So often it is passed where it would stop. */
  readonly ignore?: number;
  /** Gone once it was hit. */
  readonly temporary?: boolean;
  /** Told when all holds; the run goes on. */
  readonly log?: (stopping: Stopping) => void | Promise<void>;
  /**
   * Makes it a data breakpoint, which stops where this is another value than it was at the instance before. Undefined
   * where it is not known; then the last known one counts.
   */
  readonly value?: () => Promise<Watched | undefined>;
}

/** A data breakpoint that stops, and what it saw. */
export interface Change {
  readonly breakpoint: Breakpoint;
  readonly before: Watched;
  readonly after: Watched;
}

/** A breakpoint of a whole layer holds at its first operation only. */
const namesOps = ({ lines, site }: Breakpoint): boolean => lines !== undefined || site !== undefined;

/** Does the place fit, whatever the values? */
const fits = (point: Breakpoint, { position, line, layer, site }: Stopping): boolean => {
  if (point.value) return false;
  if (point.lines && !point.lines.includes(line)) return false;
  if (point.site && !(site !== undefined && point.site(site))) return false;
  if (point.layers && !point.layers.includes(layer ?? -1)) return false;
  if (point.steps && !point.steps.includes(position.step)) return false;
  if (namesOps(point)) return true;
  return position.op === 0 && (point.layers !== undefined || position.at === 0);
};

/**
 * When a hit counts: `5` or `>= 5` from the fifth on, `== 5` the fifth, `% 5` each fifth.
 * @throws UsageError OPTION_INVALID
 */
export const parseHits = (text: string): ((met: number) => boolean) => {
  const [, sign = '', digits = ''] = /^\s*(>=|==?|>|%|)\s*(\d{1,9})\s*$/.exec(text) ?? [];
  const n = Number(digits);
  if (digits === '' || (sign === '%' && n === 0))
    throw new UsageError(`${JSON.stringify(text)} is no count of hits`, {
      code: 'OPTION_INVALID',
      hint: 'Write 5 or >= 5 (from the fifth on), == 5, > 5, or % 5 (each fifth).',
    });
  if (sign === '%') return (met) => met % n === 0;
  if (sign === '>') return (met) => met > n;
  return sign.startsWith('=') ? (met) => met === n : (met) => met >= n;
};

/** Conditions that one instance's graph may hold: each makes it larger, and compiling it slower. */
const loweredAtMost = 64;

/** The breakpoints of a session, and how often each was met. */
export class Breakpoints {
  readonly #points = new Map<number, Breakpoint>();
  readonly #met = new Map<number, number>();
  readonly #ignored = new Map<number, number>();
  /** What data breakpoints saw last. */
  readonly #seen = new Map<number, Watched>();
  #last = 0;

  /** @param id its number, where it had one before. @returns the breakpoint with its number */
  add(point: Omit<Breakpoint, 'id'>, id = this.#last + 1): Breakpoint {
    const made = { ...point, id };
    this.#last = Math.max(this.#last, id);
    this.#points.set(id, made);
    this.#ignored.set(id, point.ignore ?? 0);
    return made;
  }

  /** The largest number that one has had. */
  get last(): number {
    return this.#last;
  }

  /** @returns whether there was one */
  remove(id: number): boolean {
    this.#met.delete(id);
    this.#ignored.delete(id);
    this.#seen.delete(id);
    return this.#points.delete(id);
  }

  /** Puts another in its place, under the same number. @returns whether there was one */
  replace(id: number, change: (point: Breakpoint) => Omit<Breakpoint, 'id'>): boolean {
    const point = this.#points.get(id);
    if (point) this.#points.set(id, { ...change(point), id });
    return point !== undefined;
  }

  /** How often all of it held, going forward. */
  met(id: number): number {
    return this.#met.get(id) ?? 0;
  }

  /** How often it is still passed. */
  ignored(id: number): number {
    return this.#ignored.get(id) ?? 0;
  }

  get all(): readonly Breakpoint[] {
    return [...this.#points.values()];
  }

  /** Is there anything in a layer with these lines that could stop? Saves looking at its operations one by one. */
  concern(layer: number | undefined, lines: ReadonlySet<number>): boolean {
    return this.all.some((point) => {
      if (point.value) return false;
      if (point.layers && !point.layers.includes(layer ?? -1)) return false;
      return !point.lines || point.lines.some((line) => lines.has(line));
    });
  }

  /**
   * What has to be seen while the instance runs to know whether anything stops at these places of it; undefined where
   * that cannot be seen so.
   */
  lowered(places: readonly Stopping[]): readonly Condition[] | undefined {
    const conditions = new Map<string, Condition>();
    for (const stopping of places) {
      for (const point of this.#points.values()) {
        if (!fits(point, stopping)) continue;
        const condition = point.condition && stopping.instance && point.lowered?.(stopping.instance);
        if (condition === undefined) return undefined;
        if (condition !== 'never') conditions.set(condition.key, condition);
        if (conditions.size > loweredAtMost) return undefined;
      }
    }
    return [...conditions.values()];
  }

  /** The breakpoint that stops here, if one does. Going backward counts no hits and logs nothing. */
  async hit(stopping: Stopping, { counting }: { readonly counting: boolean }): Promise<Breakpoint | undefined> {
    let stops: Breakpoint | undefined;
    for (const point of this.#points.values()) {
      if (!fits(point, stopping)) continue;
      if (stops && !(point.log && counting)) continue;
      if (point.condition && !(await point.condition(stopping))) continue;
      if (!this.#counts(point, counting)) continue;
      if (point.log && counting) await point.log(stopping);
      if (point.log) continue;
      if (point.temporary) this.#points.delete(point.id);
      stops = point;
    }
    return stops;
  }

  /** What is watched is, from here on, as it is here. */
  async remember(): Promise<void> {
    for (const { id, value } of this.all) {
      const now = await value?.();
      if (now !== undefined) this.#seen.set(id, now);
    }
  }

  /** The first of the values watched that is another than it was. */
  async changed({ counting }: { readonly counting: boolean }): Promise<Change | undefined> {
    let first: Change | undefined;
    for (const breakpoint of this.all) {
      const after = await breakpoint.value?.();
      if (after === undefined) continue;
      const before = this.#seen.get(breakpoint.id);
      this.#seen.set(breakpoint.id, after);
      if (before === undefined || Object.is(before, after) || !this.#counts(breakpoint, counting)) continue;
      first ??= { breakpoint, before, after };
    }
    if (first?.breakpoint.temporary) this.remove(first.breakpoint.id);
    return first;
  }

  #counts({ id, hits }: Breakpoint, counting: boolean): boolean {
    if (!counting) return true;
    const met = this.met(id) + 1;
    this.#met.set(id, met);
    if (hits && !hits(met)) return false;
    const left = this.ignored(id);
    this.#ignored.set(id, Math.max(0, left - 1));
    return left === 0;
  }
}
