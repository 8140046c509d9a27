import type { Tensor } from '../../tensor/index.js';
import { siteIn, type Instance } from '../run/order.js';
import { Group, type WalkContext, type Walked } from './group.js';
import { mostRows } from './limits.js';
import type { SweptSite } from './places.js';
import { runRows } from './rowwise.js';
import { Scratch } from './scratch.js';
import { goesSideBySide, runSideBySide } from './side-by-side.js';
import type { SweepVariant } from './swept.js';
import { compileBehind, runBehind, runWhole } from './whole.js';

export interface WalkRequest extends WalkContext {
  /** Variants by the first row that they change. */
  readonly groups: readonly { readonly from: number; readonly variants: readonly SweepVariant[] }[];
}

/** Variants of a group that join behind a site. */
interface Behind {
  readonly group: Group;
  readonly members: readonly number[];
}

/**
 * Variants led through the model together, instance by instance. Those that begin to differ at the same row are a
 * group and go through as one batch; where an instance allows it the rows of all groups stand side by side in its
 * products, so that its weights are read once for many rows.
 */
export class Walk {
  readonly #groups: readonly Group[];
  readonly #scratch = new Scratch();

  constructor(readonly request: WalkRequest) {
    this.#groups = request.groups.map(({ from, variants }) => new Group(request, from, variants));
  }

  /** Are there so many rows that it is worth a form of each layer in which those of several groups stand side by side? */
  get #isManyRows(): boolean {
    const { sideBySide } = this.request.base.model;
    if (this.#groups.length < 2 || sideBySide === 'never') return false;
    const rows = this.#groups.reduce((sum, g) => sum + g.variants.length * g.positions.length, 0);
    return sideBySide === 'always' || rows > mostRows;
  }

  /** Through everything before the head. @returns [group] */
  async body(): Promise<readonly Walked[]> {
    const { base } = this.request;
    for (const [at, instance] of base.body.entries()) {
      await base.model.onSegment?.(instance.name);
      await this.#through(at, instance);
    }
    return this.#groups.map((g) => g.walked);
  }

  async #through(at: number, instance: Instance): Promise<void> {
    const behind = new Map<SweptSite, Behind[]>();
    for (const group of this.#groups)
      for (const [swept, members] of group.begin(at, instance))
        behind.set(swept, [...(behind.get(swept) ?? []), { group, members }]);
    await this.#whole(at, instance);
    for (const [swept, all] of behind)
      if (swept.way.kind === 'behind' && swept.way.rowwise && !this.#observes(instance))
        await this.#rowwise(at, swept, all);
      else for (const { group, members } of all) await runBehind(group, { at, swept, members });
  }

  #observes(instance: Instance): boolean {
    return instance.segment.graph.sites.some((s) => this.request.observe.has(siteIn(instance, s.name)));
  }

  /** Runs an instance on all groups that it can differ in. */
  async #whole(at: number, instance: Instance): Promise<void> {
    const { base } = this.request;
    const isTogether = this.#isManyRows && !this.#observes(instance) && goesSideBySide(instance, base.model);
    for (const group of this.#groups) {
      group.changeHanded(at, instance, 'input');
      group.settle(at, instance);
    }
    const touched = this.#groups.filter((g) => g.touches(instance));
    const together = isTogether ? touched.filter((g) => !g.changesInside(instance)) : [];
    for (const group of this.#groups) group.choose(instance, { twice: !together.includes(group) });
    const outputs =
      together.length === 0
        ? []
        : await runSideBySide({ base, at, instance, groups: together, scratch: this.#scratch });
    for (const group of this.#groups)
      if (!touched.includes(group)) group.leave(instance);
      else {
        const i = together.indexOf(group);
        group.leave(instance, i < 0 ? await runWhole(group, at, instance) : outputs[i]);
        group.changeHanded(at + 1, instance, 'output');
      }
  }

  /** Where no row looks at another: the changed rows of all variants side by side, and nothing else. */
  async #rowwise(at: number, swept: SweptSite, all: readonly Behind[]): Promise<void> {
    const { base } = this.request;
    const { instance } = swept.place;
    const [{ group: any } = {}] = all;
    if (!any) return;
    const compiled = await compileBehind(any, swept);
    const changes = all.flatMap(({ group, members }) => members.map((v) => group.changesIn(v, instance)));
    const results = await runRows({ base, at, swept, changes, compiled, shared: any.inputs(instance, 1) });
    let [variant, next] = [0, 0];
    for (const { group, members } of all) {
      const rows = results.rows.slice(variant, variant + members.length);
      const first = next;
      const handed = [...results.values].map(([name, value]) => {
        const before = group.baseRows(at + 1, name);
        next = first;
        const parts = rows.map((list) => {
          const part = replacedRows(before, value, { rows: list.map((p) => p - group.from), from: next });
          next += list.length;
          return part;
        });
        return [name, parts.map((part) => group.ofChosen(part))] as const;
      });
      variant += members.length;
      group.merge(at + 1, { members, handed: new Map(handed) });
    }
  }
}

/** A copy of a value [1, row, ...] with some of its rows taken from others that stand side by side. */
const replacedRows = <T extends Tensor>(
  value: T,
  others: Tensor,
  { rows, from }: { rows: readonly number[]; from: number },
): T => {
  const data = value.data.slice();
  const width = data.length / (value.shape[1] ?? 1);
  rows.forEach((row, i) =>
    data.set(others.data.subarray((from + i) * width, (from + i + 1) * width) as never, row * width),
  );
  return { ...value, data };
};
