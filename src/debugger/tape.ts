import type { Breakpoint, Change, Stopping } from './breakpoints.js';
import { Breakpoints } from './breakpoints.js';
import type { Granularity, Position } from './position.js';

/** A place of a run that is over: a value that was kept, in the layer and module that gave it, or the end of a step. */
export interface Station extends Stopping {
  /** The layer, or other part, that it is in: `blocks.3`. */
  readonly place: string;
  /** The module in it: `attn`; empty at the top. */
  readonly module: string;
}

/** Why a walk along a tape stands. */
export type TapeStop =
  | { readonly reason: 'step' | 'goto' | 'pause' | 'end' | 'beginning' }
  | { readonly reason: 'breakpoint'; readonly breakpoint: Breakpoint }
  | ({ readonly reason: 'data' } & Change)
  | { readonly reason: 'exception'; readonly filter: string; readonly description: string };

/** Asked at each station that is passed going forward; a text stops there. */
export type Alarm = (
  station: Station,
) => Promise<{ readonly filter: string; readonly description: string } | undefined>;

const isSame = (a: Station, b: Station | undefined, by: Exclude<Granularity, 'op'>): boolean => {
  if (!b || a.position.step !== b.position.step) return false;
  if (by === 'token') return true;
  return a.position.at === b.position.at && (by === 'layer' || a.module === b.module);
};

/**
 * A run that is over, walked along from value to value, in both directions. Nothing runs: a breakpoint is a place at
 * which the walk stops.
 */
export class Tape {
  alarm: Alarm | undefined;
  #at = 0;
  #isPaused: () => boolean = () => false;

  /**
   * @param stations of all steps, in the order of the run; one at least
   * @param breakpoints those of another walk, to go on with
   */
  constructor(
    readonly stations: readonly Station[],
    readonly breakpoints = new Breakpoints(),
  ) {}

  /** Where it stands; at the end the last one. */
  get here(): Station | undefined {
    return this.stations[this.#at] ?? this.stations.at(-1);
  }

  get isAtEnd(): boolean {
    return this.#at >= this.stations.length;
  }

  get position(): Position {
    const { step = 0, at = 0, op = 0 } = this.here?.position ?? {};
    return { step, at, op: this.isAtEnd ? op + 1 : op };
  }

  /** @param isPaused asked between stations */
  pausedBy(isPaused: () => boolean): void {
    this.#isPaused = isPaused;
  }

  forward(by: Granularity): TapeStop {
    const from = this.here;
    if (this.isAtEnd || !from) return { reason: 'end' };
    let to = this.#at + 1;
    if (by !== 'op') while (isSame(from, this.stations[to], by)) to++;
    return this.#stand(to);
  }

  /** To the beginning of the present unit, or, where it stands there, of the one before. */
  back(by: Granularity): TapeStop {
    if (this.#at === 0) return { reason: 'beginning' };
    if (by === 'op') return this.#stand(this.#at - 1);
    const start = this.#startOf(this.isAtEnd ? this.#at - 1 : this.#at, by);
    return this.#stand(start < this.#at ? start : this.#startOf(this.#at - 1, by));
  }

  /** To the first station that is not before a place. */
  goTo({ step, at, op }: Position): TapeStop {
    const found = this.stations.findIndex(({ position: p }) => {
      if (p.step !== step) return p.step > step;
      return p.at === at ? p.op >= op : p.at > at;
    });
    if (this.stations[found]?.position.step !== step) return { reason: 'end' };
    return this.goToStation(found);
  }

  /** To a station by its number. */
  goToStation(at: number): TapeStop {
    if (!this.stations[at]) return { reason: 'end' };
    this.#at = at;
    return { reason: 'goto' };
  }

  /** What stops at the place where it stands, for a walk that begins there. */
  async stopHere(): Promise<TapeStop | undefined> {
    await this.breakpoints.remember();
    return this.#stopAt({ counting: true });
  }

  /** The number of the station where it stands. */
  get at(): number {
    return this.#at;
  }

  /** To the next breakpoint, or to the end. `here`: one at the present place stops, too. */
  async continue(here = false): Promise<TapeStop> {
    await this.breakpoints.remember();
    if (!here) this.#at++;
    for (; this.#at < this.stations.length; this.#at++) {
      const stop = await this.#stopAt({ counting: true });
      if (stop) return stop;
      if (this.#isPaused()) return { reason: 'pause' };
    }
    return { reason: 'end' };
  }

  async reverseContinue(): Promise<TapeStop> {
    await this.breakpoints.remember();
    while (this.#at > 0) {
      this.#at--;
      const stop = await this.#stopAt({ counting: false });
      if (stop) return stop;
      if (this.#isPaused()) return { reason: 'pause' };
    }
    return { reason: 'beginning' };
  }

  async #stopAt({ counting }: { readonly counting: boolean }): Promise<TapeStop | undefined> {
    const { here } = this;
    if (!here) return undefined;
    const alarm = counting ? await this.alarm?.(here) : undefined;
    if (alarm) return { reason: 'exception', ...alarm };
    const breakpoint = await this.breakpoints.hit(here, { counting });
    if (breakpoint) return { reason: 'breakpoint', breakpoint };
    const change = await this.breakpoints.changed({ counting });
    return change && { reason: 'data', ...change };
  }

  #startOf(from: number, by: Exclude<Granularity, 'op'>): number {
    const here = this.stations[from];
    let start = from;
    while (here && start > 0 && isSame(here, this.stations[start - 1], by)) start--;
    return start;
  }

  #stand(at: number): TapeStop {
    this.#at = Math.min(at, this.stations.length);
    return { reason: this.isAtEnd ? 'end' : 'step' };
  }
}
