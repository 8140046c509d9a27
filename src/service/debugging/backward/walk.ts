import { UsageError } from '../../../base/index.js';
import { Tape, type Breakpoints, type Source, type Station, type TapeStop } from '../../../debugger/index.js';
import { placedSites, type Variant } from '../../../engine/index.js';
import type { Motion, TargetPosition } from '../../../protocol/index.js';
import { statistics } from '../../../tensor/index.js';
import { gradientFault, hasGradient, caughtSites, type GradientCatch } from '../../gradient-faults.js';
import { repeated } from '../answers.js';
import { isOnWay, type KeptGradients } from './gradients-kept.js';

/** The sites of a run order in the order in which gradients come back to them. */
export const wayStations = ({ order }: Variant, source: Source, step: number): readonly Station[] =>
  placedSites(order)
    .filter(isOnWay)
    .toReversed()
    .map(({ name, site, instance }): Station => {
      const { id, layer } = instance.segment;
      const ops = source.opsOf(id);
      const found = ops.findIndex((op) => op.node === site.value || op.site === site.name);
      const op = Math.max(0, found);
      return {
        position: { step, at: order.indexOf(instance), op },
        line: ops[op]?.line ?? 1,
        layer,
        ...{ site: name, place: instance.name, module: ops[found]?.module ?? '' },
      };
    });

/** Does it stay on the way once it has arisen? */
const isPersistent = ({ kind }: GradientCatch): boolean => kind === 'nan' || kind === 'inf';

export interface WalkRequest {
  readonly gradients: KeptGradients;
  readonly source: Source;
  /** The step that the run stands in. */
  readonly step: number;
  readonly breakpoints: Breakpoints;
  readonly catches: () => readonly GradientCatch[];
}

/**
 * The way back of a scalar, from where it is read to the embedding, walked along as a recording is: gradients are kept,
 * so it goes in both directions, and nothing runs.
 */
export class BackwardWalk {
  readonly tape: Tape;
  readonly gradients: KeptGradients;
  /** Where gradients are looked at: the stream, and what is added to it; each by its station. */
  readonly #looked: readonly number[];
  readonly #told = new Set<GradientCatch['kind']>();

  private constructor(
    readonly request: WalkRequest,
    stations: readonly Station[],
  ) {
    this.gradients = request.gradients;
    this.tape = new Tape(stations, request.breakpoints);
    const caught = new Set(caughtSites(request.gradients.request.variant));
    const looked = stations.flatMap(({ site }, i) => (site !== undefined && caught.has(site) ? [i] : []));
    const first = looked.findIndex((i) => this.#has(stations[i]?.site));
    this.#looked = first < 0 ? [] : looked.slice(first);
    this.tape.alarm = (station) => this.#fault(station);
  }

  /** It begins in the part whose gradient is the first. @throws UsageError GRADIENT_UNDEFINED where there is none */
  static of(request: WalkRequest): BackwardWalk {
    const { gradients, source, step } = request;
    const stations = wayStations(gradients.request.variant, source, step);
    const begins = stations.find(({ site = '' }) => {
      const gradient = gradients.kept.get(site);
      return gradient !== undefined && hasGradient(gradient);
    });
    if (!begins)
      throw new UsageError('no gradient comes back: the number changes with no value of this run', {
        code: 'GRADIENT_UNDEFINED',
        hint: 'Take one of what the model computes, such as logit(...), loss, or norm(SITE).',
      });
    return new BackwardWalk(request, stations.slice(stations.findIndex(({ place }) => place === begins.place)));
  }

  /** The site whose gradient has come last. */
  get site(): string {
    return this.tape.here?.site ?? '';
  }

  /** Sites whose gradients can be looked at: as far as the way has come, to the end of the part that it is in. */
  get reached(): readonly string[] {
    const { stations, here, at } = this.tape;
    return stations.flatMap(({ site, place }, i) =>
      site !== undefined && (i <= at || place === here?.place) ? [site] : [],
    );
  }

  /** What stops a walk that begins here, if anything does. */
  async begin(): Promise<TapeStop> {
    return (await this.tape.stopHere()) ?? { reason: 'step' };
  }

  async move(motion: Exclude<Motion, { kind: 'backward' }>): Promise<TapeStop> {
    const { tape } = this;
    switch (motion.kind) {
      case 'step': {
        const { by, back = false, times } = motion;
        if (back) this.#told.clear();
        const once = (): TapeStop => (back ? tape.back(by) : tape.forward(by));
        return repeated(once, times);
      }
      case 'out':
        return tape.forward((tape.here?.module ?? '') === '' ? 'layer' : 'module');
      case 'goto':
        return this.goTo(motion.position);
      case 'continue':
        if (!motion.back) return tape.continue(motion.here);
        this.#told.clear();
        return tape.reverseContinue();
    }
  }

  /** To a place, or to the next one on the way that has a gradient. */
  goTo({ at, op }: TargetPosition): TapeStop {
    this.#told.clear();
    const { tape } = this;
    const found = tape.stations.findIndex(({ position: p }) => (p.at === at ? p.op <= op : p.at < at));
    return tape.goToStation(found);
  }

  /** To the station of a site; stays where there is none. */
  goToSite(site: string): void {
    this.tape.goToStation(this.tape.stations.findIndex((station) => station.site === site));
  }

  #has(site = ''): boolean {
    const gradient = this.gradients.kept.get(site);
    return gradient !== undefined && hasGradient(gradient);
  }

  /**
   * What goes wrong here. Where the stream's gradient went NaN or infinite, the sites that the way passed before are
   * looked at too, as a run looks at all values of the layer in which one went bad.
   */
  async #fault({ site = '' }: Station): Promise<{ filter: string; description: string } | undefined> {
    const at = this.tape.stations.findIndex((s) => s.site === site);
    const wanted = this.request.catches().filter(({ kind }) => !this.#told.has(kind));
    const catches = this.#looked.includes(at) ? wanted : this.#arising(at, wanted);
    if (catches.length === 0) return undefined;
    const gradient = await this.gradients.by(site);
    const fault = gradient && gradientFault(catches, site, gradient);
    if (!fault) return undefined;
    this.#told.add(fault.filter);
    return { filter: fault.filter, description: `${fault.site}: ${fault.description}` };
  }

  /** What may arise here: infinity and NaN, where the next gradient of the stream has either, since one becomes the other. */
  #arising(at: number, wanted: readonly GradientCatch[]): readonly GradientCatch[] {
    const persistent = wanted.filter(isPersistent);
    const next = this.#looked.find((i) => i > at);
    const gradient = this.gradients.kept.get(this.tape.stations[next ?? -1]?.site ?? '');
    if (!gradient || persistent.length === 0) return [];
    const { nan, inf } = statistics(gradient);
    return nan + inf > 0 ? persistent : [];
  }
}
