import type { Target } from '../debugger/index.js';
import type { DebugSettings, PointSpec, RunView, SessionPoint } from '../protocol/index.js';

type Refused = RunView['refused'];

const placeOf = ({ line, layer, token, sites, moment }: SessionPoint): string =>
  [
    ...(moment === undefined ? [] : [moment]),
    ...(line === undefined ? [] : [`line ${line}`]),
    ...(layer === undefined ? [] : [`layer ${layer}`]),
    ...(token === undefined ? [] : [`token ${token}`]),
    ...(sites === undefined ? [] : [sites]),
  ].join(', ');

/** A point of the session as the target has it. @param promptLength tokens that step 0 is fed */
const specOf = (point: SessionPoint, promptLength: number): PointSpec => {
  const { id, line, layer, token, sites, moment, watch, condition, hits, log } = point;
  const label = watch === undefined ? placeOf(point) : `watch ${watch}`;
  return {
    ...{ id, label: condition === undefined ? label : `${label} if ${condition}` },
    ...(line === undefined ? {} : { lines: [line] }),
    ...(layer === undefined ? {} : { layers: [layer] }),
    ...(token === undefined ? {} : { steps: [Math.max(0, token - promptLength + 1)] }),
    ...(sites === undefined ? {} : { sites }),
    ...(moment === undefined ? {} : { moment }),
    ...(watch === undefined ? {} : { watch }),
    ...(condition === undefined ? {} : { condition }),
    ...(hits === undefined ? {} : { hits }),
    ...(log === undefined ? {} : { log }),
  };
};

/** The breakpoints of a session in its run: those of the run follow those of the session. */
export class RunPoints {
  /** By number, what the run was told. */
  #told = new Map<number, string>();
  #caught = '[]';
  #refused: Refused = [];

  constructor(readonly promptLength: number) {}

  get refused(): Refused {
    return this.#refused;
  }

  /** Also while the run goes on. @throws what the host answers */
  async follow(target: Target, { points, caught }: DebugSettings): Promise<void> {
    const specs = points.filter((point) => point.on).map((point) => specOf(point, this.promptLength));
    const wanted = new Map(specs.map((spec) => [spec.id ?? 0, JSON.stringify(spec)]));
    const add = specs.filter((spec) => this.#told.get(spec.id ?? 0) !== wanted.get(spec.id ?? 0));
    const remove = [...this.#told.keys()].filter((id) => wanted.get(id) !== this.#told.get(id));
    const isCaught = JSON.stringify(caught) === this.#caught;
    if (add.length === 0 && remove.length === 0 && isCaught) return;
    this.#told = wanted;
    this.#caught = JSON.stringify(caught);
    // Removed before they are made again: how often the older one was met does not count.
    if (remove.length > 0) await target.points({ remove });
    const result = await target.points({ add, ...(isCaught ? {} : { caught }) });
    const before = this.#refused.filter(({ what }) => this.#isAsOf(what, { remove, isCaught }));
    const breakpoints = result.added.flatMap((answer, i) =>
      'error' in answer ? [{ what: add[i]?.id ?? 0, error: answer.error }] : [],
    );
    const exceptions = result.caught.flatMap((answer, i) =>
      'error' in answer ? [{ what: caught[i] ?? '', error: answer.error }] : [],
    );
    this.#refused = [...before, ...breakpoints, ...exceptions];
  }

  /** Was this refused earlier, and not asked again? */
  #isAsOf(
    what: number | string,
    { remove, isCaught }: { readonly remove: readonly number[]; readonly isCaught: boolean },
  ): boolean {
    return typeof what === 'string' ? isCaught : this.#told.has(what) && !remove.includes(what);
  }
}
