import type { Weights } from '../../formats/index.js';
import {
  ancestors,
  editSite,
  prune,
  tap,
  verify,
  weightsAsInputs,
  type Graph,
  type Segment,
  type ValueEdit,
  type ValueId,
} from '../../graph/index.js';
import type { Backend, Executable } from '../backend.js';

/** What makes one form of a segment differ from another; numbers do not. */
export interface Form {
  readonly edits: readonly ValueEdit[];
  /** Weights given at each run. */
  readonly weights: ReadonlySet<string>;
  /** Sites that can be fetched. */
  readonly taps: readonly string[];
  /** `all`: every value inside can be fetched, as `valueOutput` names it, and every site. */
  readonly values?: 'all';
}

/** What the output is called that gives a value inside a graph. */
export const valueOutput = (id: ValueId): string => `value ${id}`;

/** A segment in one form, ready to run. */
export interface Compiled {
  readonly graph: Graph;
  readonly executable: Executable;
}

/** Every site and every value as an output. Values on request stay what they are: dear, and asked for by name. */
const withValues = (graph: Graph): Graph => {
  const all = tap(
    graph,
    graph.sites.filter((s) => !s.onRequest).map((s) => s.name),
  );
  const needed = ancestors(
    graph,
    all.outputs.map((o) => o.value),
  );
  const values = graph.nodes.filter((n) => n.op !== 'Constant' && needed.has(n.id));
  return verify({
    ...all,
    outputs: [...all.outputs, ...values.map(({ id }) => ({ name: valueOutput(id), value: id }))],
  });
};

/** The segment's graph in this form: edits, then outputs, then what nobody needs left out. */
export const formed = (segment: Segment, form: Form): Graph => {
  const edited = form.edits.reduce(editSite, segment.graph);
  const tapped = form.values === 'all' ? withValues(edited) : tap(edited, form.taps);
  return prune(weightsAsInputs(tapped, form.weights));
};

/** Forms kept a segment: the unedited one and the latest tries. */
const formsKept = 4;

const keyOf = ({ edits, weights, taps, values }: Form): string =>
  JSON.stringify([edits, [...weights].sort(), [...taps].sort(), values]);
const unedited = keyOf({ edits: [], weights: new Set(), taps: [] });

/** Compiles segments when first needed and keeps them, so that undoing an edit is going back to what was. */
export class Compilations {
  readonly #made = new Map<string, Map<string, Promise<Compiled>>>();
  constructor(
    readonly backend: Backend,
    readonly weights: Weights,
  ) {}

  async get(segment: Segment, form: Form): Promise<Compiled> {
    const key = keyOf(form);
    const forms = this.#made.get(segment.id) ?? new Map<string, Promise<Compiled>>();
    this.#made.set(segment.id, forms);
    const known = forms.get(key);
    forms.delete(key);
    const compiled = known ?? this.#compile(segment, form);
    forms.set(key, compiled); // last in the map: most recently used
    await this.#dropOldest(forms);
    return compiled;
  }

  async dispose(): Promise<void> {
    const all = [...this.#made.values()].flatMap((forms) => [...forms.values()]);
    this.#made.clear();
    for (const compiled of all) await (await compiled).executable.dispose();
  }

  async #compile(segment: Segment, form: Form): Promise<Compiled> {
    const graph = formed(segment, form);
    return { graph, executable: await this.backend.compile(graph, this.weights) };
  }

  /** The unedited form stays, and so does the one just asked for, the last. */
  async #dropOldest(forms: Map<string, Promise<Compiled>>): Promise<void> {
    if (forms.size <= formsKept) return;
    const oldest = [...forms.keys()].find((key) => key !== unedited);
    if (oldest === undefined) return;
    const old = forms.get(oldest);
    forms.delete(oldest);
    await (await old)?.executable.dispose();
  }
}
