import type { DebugProtocol } from '@vscode/debugprotocol';
import type { Target } from '../debugger/index.js';
import type { PointSpec } from '../protocol/index.js';

/** Why a breakpoint stops, as a client shows it. */
export type PointKind = 'breakpoint' | 'function breakpoint' | 'data breakpoint' | 'instruction breakpoint';

/** A breakpoint as a client wants it. `line`: where it is shown. */
export interface Point {
  readonly kind: PointKind;
  readonly spec: PointSpec;
  readonly line?: number;
  readonly instruction?: string;
}

/** What cannot be set, and why. */
export interface Wrong {
  readonly wrong: string;
  readonly line?: number;
}

/** A breakpoint as a client is told of it, but for the form of its source. */
export type Adopted = Omit<DebugProtocol.Breakpoint, 'source'> & { readonly source?: 'listing' | 'transcript' };

interface Placed {
  readonly id: number;
  readonly kind: PointKind;
  /** The target's number of it. */
  readonly own: number;
}

/** Which of a client's lists a breakpoint stands in; `source`: of what it has a line. */
const listOf = ({
  watch,
  sites,
  lines,
  layers,
  steps,
  fed,
}: PointSpec): { readonly key: string; readonly kind: PointKind; readonly source?: 'listing' | 'transcript' } => {
  if (watch !== undefined) return { key: 'data', kind: 'data breakpoint' };
  if (sites !== undefined || fed !== undefined || (layers && !lines))
    return { key: 'functions', kind: 'function breakpoint' };
  if (lines) return { key: 'listing', kind: 'breakpoint', source: 'listing' };
  return steps
    ? { key: 'transcript', kind: 'breakpoint', source: 'transcript' }
    : { key: 'others', kind: 'breakpoint' };
};

/** The breakpoints of a client, which knows them by numbers of its own. */
export class BreakpointBook {
  readonly #sets = new Map<string, readonly Placed[]>();
  #last = 0;

  constructor(readonly target: () => Target) {}

  /** Puts breakpoints in the place of all those that a source, or a kind, had. */
  async replace(key: string, points: readonly (Point | Wrong)[]): Promise<DebugProtocol.Breakpoint[]> {
    const remove = (this.#sets.get(key) ?? []).map((set) => set.own);
    const add = points.flatMap((point) => ('wrong' in point ? [] : [point.spec]));
    const { added } = await this.target().points({ add, remove });
    const sets: Placed[] = [];
    this.#sets.set(key, sets);
    let next = 0;
    return points.map((point) => {
      const id = ++this.#last;
      const line = point.line === undefined ? {} : { line: point.line };
      if ('wrong' in point) return { id, verified: false, message: point.wrong, ...line };
      const answer = added[next++];
      const place = {
        ...line,
        ...(point.instruction === undefined ? {} : { instructionReference: point.instruction }),
      };
      if (answer && 'id' in answer) {
        sets.push({ id, kind: point.kind, own: answer.id });
        return { id, verified: true, ...place };
      }
      const { message = '', hint = '' } = answer?.error ?? {};
      return { id, verified: false, message: `${message}. ${hint}`, ...place };
    });
  }

  /**
   * Sets breakpoints that the client does not know of: those of lists that it has put nothing in.
   * @returns them, as it is to be told of them
   */
  async adopt(specs: readonly PointSpec[]): Promise<Adopted[]> {
    const made: Adopted[] = [];
    const { prompt } = this.target().about;
    const isEmpty = (key: string): boolean => (this.#sets.get(key) ?? []).length === 0;
    for (const key of new Set(specs.map((spec) => listOf(spec).key).filter(isEmpty))) {
      const own = specs.filter((spec) => listOf(spec).key === key);
      const points = own.map(({ id: _, ...spec }): Point => {
        const line = spec.lines?.[0] ?? (spec.steps && prompt.length + (spec.steps[0] ?? 0));
        return { kind: listOf(spec).kind, spec, ...(line === undefined ? {} : { line }) };
      });
      const set = await this.replace(key, points);
      const { source } = own[0] ? listOf(own[0]) : {};
      made.push(...set.map(({ source: _, ...point }) => ({ ...point, ...(source ? { source } : {}) })));
    }
    return made;
  }

  /** No breakpoints at all: the client only wants to run. */
  async clear(): Promise<void> {
    for (const key of this.#sets.keys()) await this.replace(key, []);
    await this.target().points({ caught: [] });
  }

  /** The client's number of a breakpoint of the run. */
  find(own: number): { readonly id: number; readonly kind: PointKind } | undefined {
    return [...this.#sets.values()].flat().find((set) => set.own === own);
  }
}
