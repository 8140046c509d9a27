import type { Instance } from '../engine/index.js';
import type { Position } from './position.js';
import type { OpLine, Source } from './source.js';

/** What a condition may look at: the place, and values inside the instance that comes next. */
export interface Stopping {
  readonly position: Position;
  readonly instance: Instance;
  readonly op: OpLine;
}

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
  /** Stops at the n-th time that all else holds, and from then on. */
  readonly hits?: number;
  /** Gone once it was hit. */
  readonly temporary?: boolean;
}

const siteName = (instance: Instance, site: string): string => {
  const { segment, name } = instance;
  return segment.kind === 'block' ? `${name}.${site}` : site;
};

/** A breakpoint of a whole layer holds at its first operation only. */
const namesOps = ({ lines, site }: Breakpoint): boolean => lines !== undefined || site !== undefined;

/** Does the place fit, whatever the values? */
const fits = (point: Breakpoint, { position, instance, op }: Stopping): boolean => {
  if (point.lines && !point.lines.includes(op.line)) return false;
  if (point.site && !(op.site !== undefined && point.site(siteName(instance, op.site)))) return false;
  if (point.layers && !point.layers.includes(instance.segment.layer ?? -1)) return false;
  if (point.steps && !point.steps.includes(position.step)) return false;
  if (namesOps(point)) return true;
  return position.op === 0 && (point.layers !== undefined || position.at === 0);
};

/** The breakpoints of a session, and how often each was met. */
export class Breakpoints {
  readonly #points = new Map<number, Breakpoint>();
  readonly #met = new Map<number, number>();
  #last = 0;

  /** @returns the breakpoint with its number */
  add(point: Omit<Breakpoint, 'id'>): Breakpoint {
    const made = { ...point, id: ++this.#last };
    this.#points.set(made.id, made);
    return made;
  }

  /** @returns whether there was one */
  remove(id: number): boolean {
    this.#met.delete(id);
    return this.#points.delete(id);
  }

  get all(): readonly Breakpoint[] {
    return [...this.#points.values()];
  }

  /** Is there anything in this instance that could stop? Saves looking at its operations one by one. */
  concern(source: Source, instance: Instance): boolean {
    const ops = source.opsOf(instance.segment.id);
    return this.all.some((point) => {
      if (point.layers && !point.layers.includes(instance.segment.layer ?? -1)) return false;
      return !point.lines || ops.some((op) => point.lines?.includes(op.line));
    });
  }

  /** The breakpoint that stops here, if one does. Going backward counts no hits. */
  async hit(stopping: Stopping, { counting }: { readonly counting: boolean }): Promise<Breakpoint | undefined> {
    for (const point of this.#points.values()) {
      if (!fits(point, stopping)) continue;
      if (point.condition && !(await point.condition(stopping))) continue;
      if (!this.#counts(point, counting)) continue;
      if (point.temporary) this.#points.delete(point.id);
      return point;
    }
    return undefined;
  }

  #counts({ id, hits }: Breakpoint, counting: boolean): boolean {
    if (!counting || hits === undefined) return true;
    const met = (this.#met.get(id) ?? 0) + 1;
    this.#met.set(id, met);
    return met >= hits;
  }
}
