import { fromInput, handedOn, readName, rowsInputs, type Graph } from '../../graph/index.js';
import { concat, int64From, type Tensor } from '../../tensor/index.js';
import type { Compiled, Form } from '../run/compiled.js';
import { siteIn, type Instance } from '../run/order.js';
import type { LiveEdit } from '../run/request.js';
import { keptOf } from './base-run.js';
import { batchedEdits, changedValue, frameOf } from './change.js';
import { feedsOf, tiled } from './feeds.js';
import type { Group } from './group.js';
import { byMember, floatOf, oneAfterAnother, type Handed } from './handed.js';
import { mostRows } from './limits.js';
import { usualForm, wholeForm } from './model.js';
import type { SweptSite } from './places.js';

/** Where only some rows of the last stream are read: nothing else is given. */
const chosenForm = { rows: 'chosen', taps: [], values: [] } as const;
const isRowsInput = (name: string): boolean => rowsInputs.some((input) => input === name);

/** So many members at a time that not more than `mostRows` rows go through an instance. */
const inTurns = (count: number, rows: number): readonly (readonly [number, number])[] => {
  const most = Math.max(1, Math.floor(mostRows / rows));
  return Array.from(
    { length: Math.ceil(count / most) },
    (_, i) => [i * most, Math.min((i + 1) * most, count)] as const,
  );
};

/** Changes inside an instance, as edits of its graph. */
const innerEdits = (group: Group, instance: Instance, members: readonly number[]): readonly LiveEdit[] => {
  const inner = members.map((v) => group.innerChanges(v, instance));
  const sites = [...new Set(inner.flatMap((changes) => changes.map((c) => c.site)))].sort();
  return sites.flatMap((site, i) => {
    const { place, type } = group.swept({ site });
    const own = inner.map((changes) => changes.filter((c) => c.site === site));
    return batchedEdits({ site: place.site.name, type, tag: `change${i}` }, own);
  });
};

/** Runs one form of an instance for some members. @returns what it hands on */
const execute = async (
  group: Group,
  {
    instance,
    compiled: { graph, executable },
    members,
    edits,
    given,
  }: {
    readonly instance: Instance;
    readonly compiled: Compiled;
    readonly members: readonly number[];
    readonly edits: readonly LiveEdit[];
    readonly given: (input: string) => Tensor | undefined;
  },
): Promise<ReadonlyMap<string, Tensor>> => {
  const { base, observe } = group.context;
  const shared = group.inputs(instance, members.length);
  const feeds = feedsOf({ instance, graph, variant: base.model.variant, edits, shared, given });
  const outputs = new Set(graph.outputs.map((o) => o.name));
  const own = handedOn(instance.segment).filter((name) => outputs.has(name));
  const seen = instance.segment.graph.sites.map((s) => s.name).filter((name) => observe.has(siteIn(instance, name)));
  const fetched = seen.filter((name) => outputs.has(name));
  const results = await executable.run(feeds, [...new Set([...own, ...fetched])]);
  for (const name of seen) {
    const input = graph.inputs.find((i) => i.id === graph.sites.find((s) => s.name === name)?.value);
    const value = results.get(name) ?? feeds.get(input?.name ?? '');
    if (value) group.see(siteIn(instance, name), members, value);
  }
  return new Map(own.flatMap((name) => (results.has(name) ? [[name, results.get(name) as Tensor] as const] : [])));
};

/** The batch through an instance, some of its runs at a time; the rest of them have no edits of their own inside. */
export const runWhole = async (group: Group, at: number, instance: Instance): Promise<Handed> => {
  const { base } = group.context;
  const { compilations, variant } = base.model;
  const rows = group.rowsIn(instance).positions.length;
  const parts: Handed[] = [];
  for (const [start, end] of inTurns(group.batch.members.length, rows)) {
    const members = group.batch.members.slice(start, end);
    const inner = innerEdits(group, instance, members);
    const plain = wholeForm(instance, variant, keptOf(base.kept, instance));
    const edited = {
      ...usualForm(instance, variant),
      taps: plain.taps,
      edits: [...plain.edits, ...inner.map((e) => e.edit)],
    };
    const { chosen } = group;
    const form: Form = { ...(inner.length === 0 ? plain : edited), ...(chosen ? chosenForm : {}) };
    const compiled = await compilations.get(instance.segment, form);
    const given = (name: string): Tensor | undefined =>
      chosen && isRowsInput(name)
        ? int64From([chosen.length], chosen)
        : (group.past(instance, name, members.length) ??
          group.handedTo(at, readName(instance.segment, name), [start, end]));
    const edits = [...(variant.edits.get(instance.name) ?? []), ...inner];
    parts.push(byMember(await execute(group, { instance, compiled, members, edits, given })));
  }
  return oneAfterAnother(parts);
};

/** What follows a site inside an instance, made ready to run alone. */
export const compileBehind = async (
  { context: { base } }: Group,
  { place: { instance, site } }: SweptSite,
): Promise<Compiled> => {
  const { compilations, variant } = base.model;
  const form: Form = {
    ...usualForm(instance, variant),
    taps: keptOf(base.kept, instance).sites,
    behind: [site.name],
  };
  return compilations.get(instance.segment, form);
};

/** What is fed behind a site: of the base run, and the site's own value changed for each member. */
const givenBehind = (
  group: Group,
  { at, swept, members, graph }: BehindRequest & { readonly graph: Graph },
): ((input: string) => Tensor | undefined) => {
  const {
    place: { instance },
    way,
    type,
  } = swept;
  const { base } = group.context;
  const reads = way.kind === 'behind' ? way.reads : [];
  const site = way.kind === 'behind' ? way.value : undefined;
  const types = new Map(graph.inputs.map((i) => [i.name, i.type]));
  const frame = frameOf(type, group.rowsIn(instance));
  return (name) => {
    const past = group.past(instance, name, members.length);
    if (past) return past;
    const id = reads.find((r) => fromInput(r) === name);
    const read = types.get(name);
    if (id !== undefined && read) {
      const value = group.cutRows(base.value(instance, id), read);
      if (id !== site) return read.shape[0] === 'batch' ? tiled(value, members.length) : value;
      const one = floatOf(value, name);
      const changed = (v: number): Tensor => changedValue(one, group.changesIn(v, instance), frame);
      return concat(members.map(changed), 0);
    }
    return group.baseHandedTo(at, readName(instance.segment, name), members.length);
  };
};

export interface BehindRequest {
  /** Which instance of the run's body it is. */
  readonly at: number;
  readonly swept: SweptSite;
  readonly members: readonly number[];
}

/** Variants whose first change is at one site inside an instance: only what follows it is computed. They join behind it. */
export const runBehind = async (group: Group, { at, swept, members }: BehindRequest): Promise<void> => {
  const { instance } = swept.place;
  const { variant } = group.context.base.model;
  const compiled = await compileBehind(group, swept);
  const rows = group.rowsIn(instance).positions.length;
  const parts: Handed[] = [];
  for (const [start, end] of inTurns(members.length, rows)) {
    const some = members.slice(start, end);
    const given = givenBehind(group, { at, swept, members: some, graph: compiled.graph });
    const edits = variant.edits.get(instance.name) ?? [];
    parts.push(byMember(await execute(group, { instance, compiled, members: some, edits, given })));
  }
  const chosen = (values: readonly Tensor[]): readonly Tensor[] => values.map((value) => group.ofChosen(value));
  const handed = [...oneAfterAnother(parts)].map(([name, values]) => [name, chosen(values)] as const);
  group.merge(at + 1, { members, handed: new Map(handed) });
};
