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

interface Set {
  readonly id: number;
  readonly kind: PointKind;
  /** The target's number of it. */
  readonly own: number;
}

/** The breakpoints of a client, which knows them by numbers of its own. */
export class BreakpointBook {
  readonly #sets = new Map<string, readonly Set[]>();
  #last = 0;

  constructor(readonly target: () => Target) {}

  /** Puts breakpoints in the place of all those that a source, or a kind, had. */
  async replace(key: string, points: readonly (Point | Wrong)[]): Promise<DebugProtocol.Breakpoint[]> {
    const remove = (this.#sets.get(key) ?? []).map((set) => set.own);
    const add = points.flatMap((point) => ('wrong' in point ? [] : [point.spec]));
    const { added } = await this.target().points({ add, remove });
    const sets: Set[] = [];
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
