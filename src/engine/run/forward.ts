import { bug, EngineError } from '../../base/index.js';
import {
  carried,
  handedOn,
  paramInput,
  readName,
  typesOf,
  type Graph,
  type Program,
  type ValueEdit,
} from '../../graph/index.js';
import { concat, range, take, type Tensor } from '../../tensor/index.js';
import type { Tensors } from '../backend.js';
import { asFloat32 } from './as-float32.js';
import type { KvCache } from './cache.js';
import type { Compilations, Compiled, Form } from './compiled.js';
import { makeInput } from './inputs.js';
import { siteIn, type Instance } from './order.js';
import { isDoubled, makeRows, undoubled, type Rows } from './rows.js';

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
  /** [batch][position] ids of the encoder's text, for an encoder-decoder; not read again once the cache has it. */
  readonly source?: readonly (readonly number[])[];
  /** Keys and values of earlier tokens; the new ones are appended. Batches of one only. */
  readonly cache?: KvCache;
  /** Sites to capture, by their names in the run order; each must be in `taps` or `taps` be left out. */
  readonly capture: ReadonlySet<string>;
  /** Which step of the run this is: 0 is the prefill. */
  readonly step?: number;
  /**
   * Which rows are scored: only each sequence's last (the default, [batch, 1, vocab]), all, or none. Where the model
   * does not score the next token, all are.
   */
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

/** The rows of a pass: the encoder's, where the model has one, and those of what reads `ids`. */
const passRows = ({ program, request }: { program: Program; request: ForwardRequest }): Rows => {
  const { ids, cache, step = 0 } = request;
  const past = cache?.length ?? 0;
  if (!program.facts.encoder) return makeRows({ ids, past, step });
  const source = cache?.encoded?.rows ?? makeRows({ ids: request.source ?? [], past: 0, step: 0 });
  return makeRows({ ids, past, step, source });
};

/** One pass over the model, segment by segment. */
class Pass {
  readonly rows: Rows;
  readonly sites = new Map<string, Tensor>();
  /** Values that segments have handed on, by name. */
  readonly #handed: Map<string, Tensor>;
  readonly #shared = new Map<string, Tensor>();
  readonly #scored: 'last' | 'all' | 'none';
  logits: Tensor | undefined;

  constructor(
    readonly program: Program,
    readonly compilations: Compilations,
    readonly request: ForwardRequest,
  ) {
    this.rows = passRows({ program, request });
    this.#handed = new Map(request.cache?.encoded?.values);
    const scored = request.logits ?? 'last';
    this.#scored = scored === 'last' && program.facts.output !== 'next' ? 'all' : scored;
  }

  async run(): Promise<ForwardResult> {
    const { cache } = this.request;
    const known = cache?.encoded !== undefined;
    for (const instance of this.request.variant.order) {
      if (instance.segment.once && known) continue;
      if (instance.segment.kind === 'head' && !this.#needsHead(instance)) continue;
      await this.request.onSegment?.(instance.name);
      await this.#segment(instance);
    }
    if (cache && this.rows.source && !known) cache.encoded = { rows: this.rows.source, values: this.#lasting() };
    cache?.setLength(this.rows.length);
    const { logits } = this;
    if (logits && logits.dtype !== 'float32') return { logits: asFloat32(logits), sites: this.sites };
    return { logits, sites: this.sites };
  }

  /** What segments that run once handed on to others, for later steps. */
  #lasting(): ReadonlyMap<string, Tensor> {
    const crossed = this.program.segments.filter((s) => s.kind === 'cross').flatMap(handedOn);
    return new Map([...this.#handed].filter(([name]) => crossed.includes(name)));
  }

  #rowsOf(instance: Instance, captured: boolean): Rows {
    if (instance.segment.stack === 'encoder') return this.rows.source ?? this.rows;
    return instance.segment.kind === 'head' ? this.#headRows(captured) : this.rows;
  }

  #captured(instance: Instance): string[] {
    return capturedIn(instance, this.request.capture);
  }

  #needsHead(instance: Instance): boolean {
    return this.#scored !== 'none' || this.#captured(instance).length > 0;
  }

  async #segment(instance: Instance): Promise<void> {
    const captured = this.#captured(instance);
    const edits = this.request.variant.edits.get(instance.name) ?? [];
    const compiled = await this.compilations.get(instance.segment, formOf(instance, captured, this.request));
    const rows = this.#rowsOf(instance, captured.length > 0);
    const fed = this.#feeds(instance, { compiled, edits, rows });
    const inputs = new Set(compiled.graph.inputs.map((i) => i.id));
    const computed = captured.filter((name) => {
      const site = compiled.graph.sites.find((s) => s.name === name);
      return site && !inputs.has(site.value);
    });
    const cached = this.request.cache ? instance.segment.cache.map((c) => c.fresh) : [];
    const own = instance.segment.kind === 'head' ? ['logits'] : handedOn(instance.segment);
    const results = await compiled.executable.run(fed, [...new Set([...own, ...cached, ...computed])]);
    this.#keep(instance, { captured, results, fed, graph: compiled.graph, rows });
  }

  /** The rows that are scored, and where in the stream they are. */
  #headRows(captured: boolean): Rows {
    if (this.#scored === 'all' || captured || isDoubled(this.rows)) return this.rows;
    const past = this.rows.length - this.rows.positions.length;
    const last = this.request.ids.map((row) => row.length - 1);
    const [first = 0] = last;
    const resid = this.#handed.get(carried);
    if (!resid) throw bug('the head ran before the embedding');
    const parts = last.map((at, b) => take(range(resid, 0, [b, b + 1]), 1, [at, at]));
    this.#handed.set(carried, concat(parts, 0));
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
        this.#handed.get(readName(instance.segment, name)) ??
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
    const types = captured.length > 0 || results.has('logits') ? typesOf(graph) : undefined;
    const axesOf = (name: string): readonly string[] => {
      const site = graph.sites.find((s) => s.name === name);
      return (site && types?.get(site.value)?.axes) ?? [];
    };
    for (const name of captured) {
      const value = valueOf(name, { graph, fed, results });
      this.sites.set(siteIn(instance, name), undoubled(value, axesOf(name), rows));
    }
    for (const spec of this.request.cache ? instance.segment.cache : []) {
      const fresh = results.get(spec.fresh);
      if (!fresh) throw bug(`${instance.name} gave no ${spec.fresh}`);
      const kept = isDoubled(rows) ? range(fresh, 1, [0, 1]) : fresh;
      this.request.cache?.append(instance.name, spec, asFloat32(kept).data);
    }
    for (const name of handedOn(instance.segment)) {
      const value = results.get(name);
      if (value) this.#handed.set(name, value);
    }
    const logits = results.get('logits');
    if (logits) this.logits = this.#chosen(logits, { axes: axesOf('logits'), rows });
  }

  /** The scores that were asked for. */
  #chosen(logits: Tensor, { axes, rows }: { axes: readonly string[]; rows: Rows }): Tensor {
    if (this.#scored === 'all') return undoubled(logits, axes, rows);
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
