import type { AgentStanding } from '../../../protocol/index.js';
import type { Came, LiveRank } from './live-rank.js';

/** How long the others may take to come to the place where one stands, and a process to stand at all. */
const followMs = 5000;
const pauseMs = 1000;

const timeout = (ms: number): AbortSignal => AbortSignal.timeout(ms);

/** The place that all ranks of a program come to: the same call of the same module in the same pass. */
const placeOf = ({ pass, path, when, nth }: AgentStanding): object => ({ pass, path, when, nth });

const isSame = (a: AgentStanding, b: AgentStanding): boolean =>
  !a.running && !b.running && JSON.stringify(placeOf(a)) === JSON.stringify(placeOf(b));

const isFollowing = ({ standing }: LiveRank): boolean => standing.why?.reason === 'follow';

/**
 * The processes of one program. Where one stops, the others are let go on to the same call of the same module: nothing
 * is asked of them that they would have to answer together, so no collective can wait for a rank that stands.
 */
export class LiveRanks {
  /** Whose values are looked at. */
  focus = 0;

  constructor(
    readonly all: readonly LiveRank[],
    readonly note: (text: string) => void,
  ) {}

  get one(): LiveRank {
    const rank = this.all[this.focus] ?? this.all[0];
    if (!rank) throw new Error('there is no process');
    return rank;
  }

  get standing(): AgentStanding {
    return this.one.standing;
  }

  /** Lets all go on in the same way, and waits until one stands and the others are where it is, or none will. */
  async move(params: object, signal: AbortSignal | undefined): Promise<Came | 'paused'> {
    await Promise.all(this.all.filter((r) => !r.hasEnded).map((rank) => this.#go(rank, params)));
    return this.settle(signal);
  }

  /** Waits for what is under way. */
  async settle(signal: AbortSignal | undefined): Promise<Came | 'paused'> {
    const first = await this.#first(signal);
    if (!first) return this.#pause();
    if (first.came.came === 'ended') return first.came;
    this.focus = this.all.indexOf(first.rank);
    await this.#gather(first.rank);
    return first.came;
  }

  /** A process that nobody had let go on yet waits for that; one that runs goes on. */
  async #go(rank: LiveRank, params: object): Promise<void> {
    await rank.resume(params);
  }

  async #first(signal: AbortSignal | undefined): Promise<{ rank: LiveRank; came: Came } | undefined> {
    const over = new AbortController();
    const stop = (): void => over.abort();
    signal?.addEventListener('abort', stop);
    if (signal?.aborted) stop();
    const living = this.all.filter((rank) => !rank.hasEnded);
    const waits = (living.length > 0 ? living : [this.one]).map(async (rank) => ({
      rank,
      came: await rank.next(over.signal),
    }));
    try {
      const won = await Promise.race(waits);
      return won.came && { rank: won.rank, came: won.came };
    } finally {
      signal?.removeEventListener('abort', stop);
      over.abort();
      await Promise.allSettled(waits);
    }
  }

  /** Stops whatever runs; a process that is not in its model cannot be stopped, and goes on. */
  async #pause(): Promise<Came | 'paused'> {
    const running = this.all.filter((rank) => !rank.stands && !rank.hasEnded);
    await Promise.all(running.map((rank) => rank.connection.request('pause', { on: true })));
    const came = await this.#first(timeout(pauseMs));
    if (!came) {
      await Promise.all(running.map((rank) => rank.connection.request('pause', { on: false })));
      const late = this.all.find((rank) => rank.stands);
      if (!late) return 'paused';
      this.focus = this.all.indexOf(late);
      return { came: 'stopped' };
    }
    if (came.came.came === 'ended') return came.came;
    this.focus = this.all.indexOf(came.rank);
    await this.#gather(came.rank);
    return came.came;
  }

  /** Brings the others to where one stands. */
  async #gather(leader: LiveRank): Promise<void> {
    const others = this.all.filter((rank) => rank !== leader && !rank.hasEnded);
    const place = placeOf(leader.standing);
    await Promise.all(others.map((rank) => this.#bring(rank, leader, place)));
  }

  async #bring(rank: LiveRank, leader: LiveRank, place: object): Promise<void> {
    if (!rank.stands) await rank.connection.request('until', { place });
    for (let tries = 0; tries < 3; tries++) {
      const came = await rank.next(timeout(followMs));
      if (came?.came === 'ended') return;
      if (!came) {
        this.note(
          `rank ${rank.number} did not come to this place in ${followMs / 1000} s: it runs, or waits for others`,
        );
        return;
      }
      if (isSame(rank.standing, leader.standing)) return;
      if (isFollowing(rank)) {
        this.note(
          `rank ${rank.number} had gone farther: it stands in pass ${rank.standing.pass}, at ${rank.standing.path ?? ''}`,
        );
        return;
      }
      await rank.resume({ by: 'go', until: place });
    }
  }
}
