import { bug } from '../../base/index.js';
import type { Weights } from '../../formats/index.js';
import {
  ancestors,
  carried,
  chooseColumns,
  chooseRows,
  downstream,
  editSite,
  handedOn,
  onlyGradients,
  prune,
  sideBySide,
  splitGradients,
  tap,
  verify,
  weightsAsInputs,
  type GradientRequest,
  type Graph,
  type Segment,
  type ValueEdit,
  type ValueId,
} from '../../graph/index.js';
import type { Backend, Executable, Tensors } from '../backend.js';
import type { Rows } from './rows.js';

/** A graph that also computes whether something holds. */
export interface LoweredCondition {
  readonly graph: Graph;
  /** The output that holds it: one number, not zero where it holds. */
  readonly output: string;
  /** The tensors of the inputs that were added. */
  readonly numbers: (rows: Rows) => Tensors;
}

/** Something that is seen while a segment runs, as one more output of it. */
export interface Condition {
  /** Conditions of one segment with the same key have the same graph. */
  readonly key: string;
  /** @param tag the output's name, and the prefix of the inputs */
  readonly lower: (graph: Graph, tag: string) => LoweredCondition;
}

/** A segment made ready for gradients. */
export interface GradientForm {
  readonly request: GradientRequest;
  /**
   * `forward`: what the segment gives, with the values that the way back will need; `backward`: the way back, from
   * those; `alone`: the way back, which computes them again.
   */
  readonly part: 'forward' | 'backward' | 'alone';
}

/** What makes one form of a segment differ from another; numbers do not. */
export interface Form {
  readonly edits: readonly ValueEdit[];
  /** Weights given at each run. */
  readonly weights: ReadonlySet<string>;
  /** Sites that can be fetched. */
  readonly taps: readonly string[];
  /** Values inside that can be fetched, as `valueOutput` names them; `all`: every one, and every site. */
  readonly values?: 'all' | readonly ValueId[];
  /** Only what changes when these sites do; they and what else is read are inputs, as `fromInput` names them. */
  readonly behind?: readonly string[];
  /** Only what is fetched by `taps` and `values` is computed. */
  readonly only?: 'taps';
  /**
   * `chosen`: only chosen rows of the stream are given, and nothing else; `rowsInputs` say which. `sideBySide`: rows of
   * several sequences stand side by side, as `sideBySideInputs` say, and what is handed on is given.
   */
  readonly rows?: 'chosen' | 'sideBySide';
  /** Only chosen columns of the scores are computed, and nothing else is given: `columnsInput` says which. */
  readonly columns?: 'chosen';
  /** Computed in the same run, each an output. */
  readonly conditions?: readonly Condition[];
  readonly gradient?: GradientForm;
}

/** What the output is called that gives a value inside a graph. */
export const valueOutput = (id: ValueId): string => `value ${id}`;

/** A segment in one form, ready to run. */
export interface Compiled {
  readonly graph: Graph;
  readonly executable: Executable;
  /** By key. */
  readonly conditions: ReadonlyMap<string, Omit<LoweredCondition, 'graph'>>;
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

const gradientPart = (graph: Graph, { request, part }: GradientForm): Graph => {
  if (part === 'alone') return onlyGradients(graph, request);
  const { before, after } = splitGradients(graph, request);
  return part === 'forward' ? before : after;
};

const withOutputs = (whole: Graph, { values, taps, only }: Form): Graph => {
  const graph = only ? { ...whole, outputs: [] } : whole;
  if (values === 'all') return tap(withValues(graph), taps);
  const tapped = tap(graph, taps);
  const inside = (values ?? []).map((id) => ({ name: valueOutput(id), value: id }));
  return inside.length === 0 ? tapped : verify({ ...tapped, outputs: [...tapped.outputs, ...inside] });
};

const rowsSideBySide = (segment: Segment, graph: Graph): Graph => {
  const made = sideBySide(graph, { wanted: handedOn(segment), cache: segment.cache });
  if (!made) throw bug(`rows cannot stand side by side in ${segment.id}`);
  return made;
};

/** Only what is read of what a segment hands on, or of its scores. */
const chosenOf = (graph: Graph, { rows, columns }: Form): Graph => {
  if (rows === 'chosen') return chooseRows(graph, carried);
  return columns ? chooseColumns(graph, 'logits') : graph;
};

/** A segment's graph in a form, and where its conditions are: edits, then outputs, then what nobody needs left out. */
const withConditions = (segment: Segment, form: Form): Pick<Compiled, 'graph' | 'conditions'> => {
  const edited = form.edits.reduce(editSite, segment.graph);
  const outputs = form.rows === 'sideBySide' ? rowsSideBySide(segment, edited) : withOutputs(edited, form);
  const tapped = form.behind ? downstream(outputs, form.behind).graph : outputs;
  const conditions = new Map<string, Omit<LoweredCondition, 'graph'>>();
  const lowered = (form.conditions ?? []).reduce((graph, { key, lower }, i) => {
    const made = lower(graph, `condition ${i}`);
    conditions.set(key, { output: made.output, numbers: made.numbers });
    return made.graph;
  }, tapped);
  const chosen = chosenOf(lowered, form);
  const graph = form.gradient ? gradientPart(chosen, form.gradient) : chosen;
  return { graph: prune(weightsAsInputs(graph, form.weights)), conditions };
};

/** Forms kept a segment, if nothing else is said: the unedited one and the latest tries. */
const usualForms = 4;

const keyOf = ({ edits, weights, taps, values, behind, only, rows, columns, conditions, gradient }: Form): string =>
  JSON.stringify([
    edits,
    [...weights].sort(),
    [...taps].sort(),
    values,
    behind,
    only,
    rows,
    columns,
    (conditions ?? []).map((c) => c.key),
    gradient,
  ]);
const unedited = keyOf({ edits: [], weights: new Set(), taps: [] });

/** Compiles segments when first needed and keeps them, so that undoing an edit is going back to what was. */
export class Compilations {
  readonly #made = new Map<string, Map<string, Promise<Compiled>>>();
  readonly #graphs = new WeakMap<Segment, Map<string, ReturnType<typeof withConditions>>>();
  #most: number;

  /** @param formsKept a segment: fewer where each has weights of its own */
  constructor(
    readonly backend: Backend,
    readonly weights: Weights,
    readonly formsKept = usualForms,
  ) {
    this.#most = formsKept;
  }

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

  /** A segment's graph in a form, which is not compiled for it. */
  graph(segment: Segment, form: Form): Graph {
    return this.#formed(segment, form).graph;
  }

  /** Keeps so many forms a segment from now on, the unedited one besides; never fewer than at first. */
  keepForms(most: number): void {
    this.#most = Math.max(this.formsKept, most + 1);
  }

  async dispose(): Promise<void> {
    const all = [...this.#made.values()].flatMap((forms) => [...forms.values()]);
    this.#made.clear();
    for (const compiled of all) await (await compiled).executable.dispose();
  }

  /** Made once for each form that is in use: a graph is asked for before it is compiled, to know what it will take. */
  #formed(segment: Segment, form: Form): ReturnType<typeof withConditions> {
    const key = keyOf(form);
    const known = this.#graphs.get(segment) ?? new Map<string, ReturnType<typeof withConditions>>();
    this.#graphs.set(segment, known);
    const made = known.get(key) ?? withConditions(segment, form);
    known.delete(key);
    known.set(key, made);
    const [oldest] = known.keys();
    if (known.size > 2 * this.#most && oldest !== undefined) known.delete(oldest);
    return made;
  }

  async #compile(segment: Segment, form: Form): Promise<Compiled> {
    const { graph, conditions } = this.#formed(segment, form);
    return { graph, conditions, executable: await this.backend.compile(graph, this.weights) };
  }

  /** The unedited form stays, and so does the one just asked for, the last. */
  async #dropOldest(forms: Map<string, Promise<Compiled>>): Promise<void> {
    while (forms.size > this.#most) {
      const oldest = [...forms.keys()].find((key) => key !== unedited);
      if (oldest === undefined) return;
      const old = forms.get(oldest);
      forms.delete(oldest);
      await (await old)?.executable.dispose();
    }
  }
}
