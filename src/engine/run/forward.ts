import { bug, EngineError } from '../../base/index.js';
import { carried, paramInput, typesOf, type Graph, type Program, type ValueEdit } from '../../graph/index.js';
import { concat, range, take, type Tensor } from '../../tensor/index.js';
import type { Tensors } from '../backend.js';
import type { KvCache } from './cache.js';
import type { Compilations, Compiled, Form } from './compiled.js';
import { makeInput, type Rows } from './inputs.js';
import { siteIn, type Instance } from './order.js';

/** An edit of a value, with the numbers it has in this pass. */
export interface LiveEdit {
  readonly edit: ValueEdit;
  /** The tensors of its inputs, for these rows. `type`: of the site. */
  readonly numbers: (rows: Rows) => Tensors;
}

/** How the model is changed in a pass: what each instance's edits are, which weights are given, in which order to run. */
export interface Variant {
  readonly order: readonly Instance[];
  /** By instance name. */
  readonly edits: ReadonlyMap<string, readonly LiveEdit[]>;
  /** Weights that replace the file's. */
  readonly weights: ReadonlyMap<string, Tensor>;
}

export interface ForwardRequest {
  readonly variant: Variant;
  /** [batch][position] ids of the new tokens; sequences of a batch may differ in length. */
  readonly ids: readonly (readonly number[])[];
  /** Keys and values of earlier tokens; the new ones are appended. Batches of one only. */
  readonly cache?: KvCache;
  /** Sites to capture, by their names in the run order; each must be in `taps` or `taps` be left out. */
  readonly capture: ReadonlySet<string>;
  /** Which step of the run this is: 0 is the prefill. */
  readonly step?: number;
  /** Which rows are scored: only each sequence's last (the default, [batch, 1, vocab]), all, or none. */
  readonly logits?: 'last' | 'all' | 'none';
  /** Sites that can be captured without compiling again: `all`, or (the default) those captured. */
  readonly taps?: 'all';
  /** Called before each segment; throws to stop. */
  readonly onSegment?: (name: string) => void | Promise<void>;
}

export interface ForwardResult {
  readonly logits: Tensor<'float32'> | undefined;
  /** By name in the run order, float32. Positions are those of the new tokens. */
  readonly sites: ReadonlyMap<string, Tensor>;
}

/** A product of one row would take another kernel, with other last bits: one row is run twice. */
const doubled = (positions: readonly number[]): boolean => positions.length === 1;

const rowsOf = (request: ForwardRequest): Rows => {
  const past = request.cache?.length ?? 0;
  const longest = Math.max(...request.ids.map((row) => row.length));
  const own = Array.from({ length: longest }, (_, i) => past + i);
  const padded = request.ids.map((row) => [...row, ...Array.from({ length: longest - row.length }, () => 0)]);
  const keys = Array.from({ length: past + longest }, (_, i) => i);
  const length = past + longest;
  const rows = { ids: padded, positions: own, keys, length, step: request.step ?? 0 };
  if (!doubled(own)) return rows;
  return { ...rows, ids: padded.map((row) => [...row, ...row]), positions: [...own, ...own], keys: [...keys, -1] };
};

/** Takes the second copy of a doubled row away again. */
const undoubled = (tensor: Tensor, axes: readonly string[], rows: Rows): Tensor =>
  axes.reduce((t, axis, i) => {
    if (axis === 'position' || axis === 'query') return t.shape[i] === 2 ? range(t, i, [0, 1]) : t;
    return axis === 'key' && t.shape[i] === rows.keys.length ? range(t, i, [0, rows.keys.length - 1]) : t;
  }, tensor);

const isDoubled = (rows: Rows): boolean => rows.keys.at(-1) === -1;

/** The value of a site after a run: an output, or, where the site is an input itself, what was fed. */
const valueOf = (name: string, { graph, fed, results }: { graph: Graph; fed: Tensors; results: Tensors }): Tensor => {
  const result = results.get(name);
  if (result) return result;
  const site = graph.sites.find((s) => s.name === name);
  const input = graph.inputs.find((i) => i.id === site?.value);
  const tensor = input ? fed.get(input.name) : undefined;
  if (!tensor) throw bug(`${name} was not computed`);
  return tensor;
};

type FormRequest = Pick<ForwardRequest, 'variant' | 'taps'>;

/** The form in which a segment runs. `captured`: its sites that are asked for, by their names in the segment. */
const formOf = (instance: Instance, captured: readonly string[], { variant, taps }: FormRequest): Form => {
  const { params, sites } = instance.segment.graph;
  const all = sites.filter((s) => !s.onRequest).map((s) => s.name);
  return {
    edits: (variant.edits.get(instance.name) ?? []).map((e) => e.edit),
    weights: new Set(params.map((p) => p.name).filter((name) => variant.weights.has(name))),
    taps: taps === 'all' ? [...new Set([...all, ...captured])] : captured,
  };
};

const capturedIn = (instance: Instance, capture: ReadonlySet<string>): string[] =>
  instance.segment.graph.sites.map((s) => s.name).filter((name) => capture.has(siteIn(instance, name)));

/** One pass over the model, segment by segment. */
class Pass {
  readonly rows: Rows;
  readonly sites = new Map<string, Tensor>();
  readonly #shared = new Map<string, Tensor>();
  resid: Tensor | undefined;
  logits: Tensor | undefined;

  constructor(
    readonly program: Program,
    readonly compilations: Compilations,
    readonly request: ForwardRequest,
  ) {
    this.rows = rowsOf(request);
  }

  async run(): Promise<ForwardResult> {
    for (const instance of this.request.variant.order) {
      if (instance.segment.kind === 'head' && !this.#needsHead(instance)) continue;
      await this.request.onSegment?.(instance.name);
      await this.#segment(instance);
    }
    const { cache } = this.request;
    cache?.setLength(this.rows.length);
    const { logits } = this;
    if (logits && logits.dtype !== 'float32') return { logits: asFloat32(logits), sites: this.sites };
    return { logits, sites: this.sites };
  }

  #captured(instance: Instance): string[] {
    return capturedIn(instance, this.request.capture);
  }

  #needsHead(instance: Instance): boolean {
    return this.request.logits !== 'none' || this.#captured(instance).length > 0;
  }

  async #segment(instance: Instance): Promise<void> {
    const captured = this.#captured(instance);
    const edits = this.request.variant.edits.get(instance.name) ?? [];
    const compiled = await this.compilations.get(instance.segment, formOf(instance, captured, this.request));
    const rows = instance.segment.kind === 'head' ? this.#headRows(captured.length > 0) : this.rows;
    const fed = this.#feeds(instance, { compiled, edits, rows });
    const inputs = new Set(compiled.graph.inputs.map((i) => i.id));
    const computed = captured.filter((name) => {
      const site = compiled.graph.sites.find((s) => s.name === name);
      return site && !inputs.has(site.value);
    });
    const cached = this.request.cache ? instance.segment.cache.map((c) => c.fresh) : [];
    const own = instance.segment.kind === 'head' ? ['logits'] : [carried];
    const results = await compiled.executable.run(fed, [...new Set([...own, ...cached, ...computed])]);
    this.#keep(instance, { captured, results, fed, graph: compiled.graph, rows });
  }

  /** The rows that are scored, and where in the stream they are. */
  #headRows(captured: boolean): Rows {
    const { logits } = this.request;
    if (logits === 'all' || captured || isDoubled(this.rows)) return this.rows;
    const past = this.rows.length - this.rows.positions.length;
    const last = this.request.ids.map((row) => row.length - 1);
    const [first = 0] = last;
    const resid = this.resid;
    if (!resid) throw bug('the head ran before the embedding');
    const parts = last.map((at, b) => take(range(resid, 0, [b, b + 1]), 1, [at, at]));
    this.resid = concat(parts, 0);
    return { ...this.rows, positions: [past + first, past + first] };
  }

  #feeds(
    instance: Instance,
    { compiled, edits, rows }: { compiled: Compiled; edits: readonly LiveEdit[]; rows: Rows },
  ): Tensors {
    const { variant, cache } = this.request;
    const numbers = new Map(edits.flatMap((e) => [...e.numbers(rows)]));
    const fed = new Map<string, Tensor>();
    for (const { name, type } of compiled.graph.inputs) {
      const spec = instance.segment.cache.find((c) => c.past === name);
      const weight = [...variant.weights].find(([param]) => paramInput(param) === name)?.[1];
      const tensor =
        numbers.get(name) ??
        weight ??
        (name === carried ? this.resid : undefined) ??
        (spec ? (cache?.past(instance.name, spec) ?? noPast(rows.ids.length, spec)) : this.#input(name, rows));
      if (!tensor) throw bug(`nothing to feed ${name} with, of type ${type.dtype}`);
      fed.set(name, tensor);
    }
    return fed;
  }

  #input(name: string, rows: Rows): Tensor | undefined {
    const known = rows === this.rows ? this.#shared.get(name) : undefined;
    const rule = this.program.inputs[name];
    const made = known ?? (rule ? makeInput(rule, rows) : undefined);
    if (made && rows === this.rows) this.#shared.set(name, made);
    return made;
  }

  #keep(
    instance: Instance,
    {
      captured,
      results,
      fed,
      graph,
      rows,
    }: { captured: string[]; results: Tensors; fed: Tensors; graph: Graph; rows: Rows },
  ): void {
    const types = isDoubled(rows) && captured.length > 0 ? typesOf(graph) : undefined;
    const axesOf = (name: string): readonly string[] => {
      const site = graph.sites.find((s) => s.name === name);
      return (site && types?.get(site.value)?.axes) ?? [];
    };
    const trim = (tensor: Tensor, axes: readonly string[]): Tensor =>
      isDoubled(rows) ? undoubled(tensor, axes, rows) : tensor;
    for (const name of captured)
      this.sites.set(siteIn(instance, name), trim(valueOf(name, { graph, fed, results }), axesOf(name)));
    for (const spec of this.request.cache ? instance.segment.cache : []) {
      const fresh = results.get(spec.fresh);
      if (!fresh) throw bug(`${instance.name} gave no ${spec.fresh}`);
      const kept = isDoubled(rows) ? range(fresh, 1, [0, 1]) : fresh;
      this.request.cache?.append(instance.name, spec, asFloat32(kept).data);
    }
    this.resid = results.get(carried) ?? this.resid;
    const logits = results.get('logits');
    if (logits) this.logits = this.#scored(logits, rows);
  }

  #scored(logits: Tensor, rows: Rows): Tensor {
    if (this.request.logits === 'all') return isDoubled(rows) ? range(logits, 1, [0, 1]) : logits;
    if (rows !== this.rows || isDoubled(rows)) return range(logits, 1, [0, 1]);
    const parts = this.request.ids.map((row, b) =>
      range(range(logits, 0, [b, b + 1]), 1, [row.length - 1, row.length]),
    );
    return concat(parts, 0);
  }
}

const noPast = (batch: number, spec: { readonly heads: number; readonly headDim: number }): Tensor => ({
  dtype: 'float32',
  shape: [batch, 0, spec.heads, spec.headDim],
  data: new Float32Array(0),
});

const asFloat32 = (tensor: Tensor): Tensor<'float32'> => {
  if (tensor.dtype === 'float32') return tensor;
  return { dtype: 'float32', shape: tensor.shape, data: Float32Array.from(tensor.data as Float64Array) };
};

/**
 * Runs the model once over new tokens.
 * @throws EngineError ENGINE_FAILED
 */
export const forward = (
  model: { readonly program: Program; readonly compilations: Compilations },
  request: ForwardRequest,
): Promise<ForwardResult> => {
  if (request.cache && request.ids.length !== 1)
    throw new EngineError('a cache holds one sequence', {
      code: 'ENGINE_FAILED',
      hint: 'Run the sequences one by one.',
    });
  return new Pass(model.program, model.compilations, request).run();
};

/** Compiles what a pass will need, so that the first one is as fast as the next. */
export const prepareForward = async (
  model: { readonly compilations: Compilations },
  request: FormRequest & Pick<ForwardRequest, 'onSegment'> & { readonly capture?: ReadonlySet<string> },
): Promise<void> => {
  for (const instance of request.variant.order) {
    await request.onSegment?.(instance.name);
    const captured = capturedIn(instance, request.capture ?? new Set());
    await model.compilations.get(instance.segment, formOf(instance, captured, request));
  }
};
