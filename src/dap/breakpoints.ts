import type { DebugProtocol } from '@vscode/debugprotocol';
import { UsageError } from '../base/index.js';
import type { Breakpoint, Stopping } from '../debugger/index.js';
import type { Debuggee } from '../service/index.js';
import { valueText } from './evaluate.js';

/** Why a breakpoint stops, as a client shows it. */
export type PointKind = 'breakpoint' | 'function breakpoint' | 'data breakpoint';

/** A breakpoint as a client wants it, apart from any run. */
export interface Point {
  readonly kind: PointKind;
  /** What has to hold, without values: lines, sites, steps, or a test of its own. */
  readonly place: (debuggee: Debuggee) => Omit<Breakpoint, 'id' | 'hits'>;
  readonly condition?: string | undefined;
  readonly hitCondition?: string | undefined;
  readonly logMessage?: string | undefined;
  readonly line?: number;
}

/** When a hit counts: `5` or `>= 5` from the fifth on, `== 5` the fifth, `% 5` each fifth. @throws UsageError OPTION_INVALID */
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

/** What breakpoints need of the session that they are in. */
export interface Surroundings {
  readonly console: (text: string, line?: number) => void;
  /** Going backward, hits are not counted and nothing is logged. */
  readonly isForward: () => boolean;
}

interface Set {
  readonly id: number;
  readonly point: Point;
  own: number | undefined;
}

/** The breakpoints of a client: kept when a run begins anew, known to it by numbers of their own. */
export class BreakpointBook {
  readonly #sets = new Map<string, Set[]>();
  #last = 0;

  constructor(readonly surroundings: Surroundings) {}

  /** Puts breakpoints in the place of all those that a source, or a kind, had. */
  replace(
    key: string,
    points: readonly (Point | { readonly wrong: string; readonly line?: number })[],
    debuggee: Debuggee,
  ): DebugProtocol.Breakpoint[] {
    for (const { own } of this.#sets.get(key) ?? []) if (own !== undefined) debuggee.session.breakpoints.remove(own);
    const sets: Set[] = [];
    this.#sets.set(key, sets);
    return points.map((point) => {
      const id = ++this.#last;
      const line = point.line === undefined ? {} : { line: point.line };
      if ('wrong' in point) return { id, verified: false, message: point.wrong, ...line };
      try {
        sets.push({ id, point, own: this.#add(point, debuggee) });
        return { id, verified: true, ...line };
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        return { id, verified: false, message: `${error.message}. ${error.info.hint}`, ...line };
      }
    });
  }

  /** No breakpoints at all: the client only wants to run. */
  clear(debuggee: Debuggee): void {
    for (const key of this.#sets.keys()) this.replace(key, [], debuggee);
  }

  /** The same breakpoints in a run that begins anew. */
  moveTo(debuggee: Debuggee): void {
    for (const set of [...this.#sets.values()].flat()) set.own = this.#add(set.point, debuggee);
  }

  /** The client's number of a breakpoint of the run. */
  find(own: number): { readonly id: number; readonly kind: PointKind } | undefined {
    const found = [...this.#sets.values()].flat().find((set) => set.own === own);
    return found && { id: found.id, kind: found.point.kind };
  }

  #add(point: Point, debuggee: Debuggee): number {
    const { condition: before, ...place } = point.place(debuggee);
    const test = this.#test(point, debuggee);
    const condition = async (stopping: Stopping): Promise<boolean> =>
      (!before || (await before(stopping))) && (!test || (await test()));
    const lowered = given(point.condition) ? { lowered: debuggee.lowered(point.condition) } : {};
    return debuggee.session.breakpoints.add({ ...place, ...(before || test ? { condition, ...lowered } : {}) }).id;
  }

  /** Condition, then hits, then, of a log point, its message. @throws UsageError for what cannot be read */
  #test(
    { condition, hitCondition, logMessage, line }: Point,
    debuggee: Debuggee,
  ): (() => Promise<boolean>) | undefined {
    const holds = given(condition) ? this.#safe(debuggee.condition(condition), line) : undefined;
    const counts = given(hitCondition) ? parseHits(hitCondition) : undefined;
    const log = given(logMessage) ? debuggee.logText(logMessage, valueText) : undefined;
    if (!holds && !counts && !log) return undefined;
    let met = 0;
    return async () => {
      if (holds && !(await holds())) return false;
      const forward = this.surroundings.isForward();
      if (counts && forward && !counts(++met)) return false;
      if (!log) return true;
      if (forward)
        this.surroundings.console(
          `${await this.#logged(log)}
`,
          line,
        );
      return false;
    };
  }

  /** What cannot be evaluated is told in its place. */
  #logged(log: () => Promise<string>): Promise<string> {
    return log().catch((error: unknown) => {
      if (error instanceof UsageError) return `<${error.message}>`;
      throw error;
    });
  }

  /** A condition that cannot be evaluated says so and stops, rather than never holding in silence. */
  #safe(condition: () => Promise<boolean>, line?: number): () => Promise<boolean> {
    return async () => {
      try {
        return await condition();
      } catch (error) {
        if (!(error instanceof UsageError)) throw error;
        this.surroundings.console(`the condition cannot be evaluated: ${error.message}. ${error.info.hint}\n`, line);
        return true;
      }
    };
  }
}

const given = (text: string | undefined): text is string => text !== undefined && text.trim() !== '';
