import { fromInput, handedOn, readName } from '../../graph/index.js';
import { concat, range, take, type FloatTensor, type Tensor } from '../../tensor/index.js';
import type { Compiled } from '../run/compiled.js';
import type { BaseRun } from './base-run.js';
import { changedValue, frameOf, type Change } from './change.js';
import { feedsOf, type SharedInputs } from './feeds.js';
import { floatOf } from './handed.js';
import { mostRows } from './limits.js';
import type { SweptSite } from './places.js';

export interface RowsRequest {
  readonly base: BaseRun;
  /** Which instance of the run's body it is. */
  readonly at: number;
  readonly swept: SweptSite;
  /** [variant] of its changes of the site. */
  readonly changes: readonly (readonly Change[])[];
  /** What follows the site. */
  readonly compiled: Compiled;
  readonly shared: SharedInputs;
}

/** What the changed rows of all variants lead to, side by side. */
export interface RowsResult {
  /** [variant] of the positions that it changes. */
  readonly rows: readonly (readonly number[])[];
  /** By the names under which values are handed on: [1, row, ...]. */
  readonly values: ReadonlyMap<string, Tensor>;
}

/** The rows that changes of one site reach. */
const changedRows = (changes: readonly Change[], axes: readonly string[], length: number): readonly number[] => {
  const a = axes.indexOf('position');
  const all = Array.from({ length }, (_, i) => i);
  return [...new Set(changes.flatMap((c) => c.indices[a] ?? all))].sort((x, y) => x - y);
};

/** Variants whose rows go through in one call. */
const turnsOf = (rows: readonly (readonly number[])[]): readonly (readonly [number, number])[] => {
  const turns: [number, number][] = [];
  let count = 0;
  rows.forEach((list, v) => {
    const last = turns.at(-1);
    if (last && count + list.length <= mostRows) last[1] = v + 1;
    else turns.push([v, v + 1]);
    count = last && count + list.length <= mostRows ? count + list.length : list.length;
  });
  return turns;
};

/** Runs what follows a site for the changed rows alone, where no row looks at another. */
export const runRows = async (request: RowsRequest): Promise<RowsResult> => {
  const rows = request.changes.map((list) =>
    changedRows(list, request.swept.type.axes, request.base.prompt.ids.length),
  );
  const parts: ReadonlyMap<string, Tensor>[] = [];
  for (const [start, end] of turnsOf(rows))
    parts.push(await runTurn({ ...request, changes: request.changes.slice(start, end) }, rows.slice(start, end)));
  const names = [...(parts[0]?.keys() ?? [])];
  return {
    rows,
    values: new Map(
      names.map((name) => [
        name,
        concat(
          parts.flatMap((p) => p.get(name) ?? []),
          1,
        ),
      ]),
    ),
  };
};

const runTurn = async (
  { base, at, swept, changes, compiled, shared }: RowsRequest,
  rows: readonly (readonly number[])[],
): Promise<ReadonlyMap<string, Tensor>> => {
  const { place, type, way } = swept;
  const { instance } = place;
  const { graph, executable } = compiled;
  const all = rows.flat();
  const padded = all.length === 1 ? [...all, ...all] : all; // a product of one row would take another kernel
  const changed = (value: FloatTensor): Tensor => {
    const whole = frameOf(type, base.rows);
    const parts = rows.map((list, m) => {
      const frame = whole.map((axis, a) => (a === 1 ? list : axis));
      return changedValue(take(value, 1, list), changes[m] ?? [], frame);
    });
    return concat(all.length === 1 ? [...parts, ...parts] : parts, 1);
  };
  const given = (name: string): Tensor | undefined => {
    const id = way.kind === 'behind' ? way.reads.find((r) => fromInput(r) === name) : undefined;
    if (id === undefined || way.kind !== 'behind') {
      const handed = base.states[at]?.get(readName(instance.segment, name));
      return handed && take(handed, 1, padded);
    }
    const value = base.value(instance, id);
    if (id === way.value) return changed(floatOf(value, name));
    return value.shape[1] === 1 && base.rows.positions.length > 1 ? value : take(value, 1, padded);
  };
  const feeds = feedsOf({ instance, graph, variant: base.model.variant, edits: [], shared, given });
  const own = handedOn(instance.segment).filter((name) => graph.outputs.some((o) => o.name === name));
  const values = await executable.run(feeds, own);
  if (all.length !== 1) return values;
  return new Map([...values].map(([name, value]) => [name, range(value, 1, [0, 1])] as const));
};
