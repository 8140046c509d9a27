import { bug } from '../../base/index.js';
import {
  carried,
  handedOn,
  isKept,
  paramInput,
  readName,
  typesOf,
  type Graph,
  type Program,
  type ValueId,
} from '../../graph/index.js';
import { concat, range, take, type Tensor } from '../../tensor/index.js';
import type { Tensors } from '../backend.js';
import { asFloat32 } from './as-float32.js';
import { valueOutput, type Compilations, type Compiled, type Condition, type Form } from './compiled.js';
import { capturedIn, formOf, onRequest } from './instance-form.js';
import type { ForwardRequest, ForwardResult, LiveEdit, Passed, Variant } from './request.js';
import { makeInput } from './inputs.js';
import { lastRowFeed, lastRowLayer } from './last-row.js';
import { siteIn, type Instance } from './order.js';
import { isDoubled, makeRows, undoubled, type Rows } from './rows.js';

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

/** The rows of a pass: the encoder's, where the model has one, and those of what reads `ids`. */
const passRows = ({ program, request }: { program: Program; request: ForwardRequest }): Rows => {
  const { ids, cache, step = 0 } = request;
  const past = cache?.length ?? 0;
  if (!program.facts.encoder) return makeRows({ ids, past, step });
  const source = cache?.encoded?.rows ?? makeRows({ ids: request.source ?? [], past: 0, step: 0 });
  return makeRows({ ids, past, step, source });
};

const noPast = (batch: number, spec: { readonly heads: number; readonly headDim: number }): Tensor => ({
  dtype: 'float32',
  shape: [batch, 0, spec.heads, spec.headDim],
  data: new Float32Array(0),
});

/** Where a pass stands: which instance runs next, and what was handed on so far. Tensors are never changed. */
export interface PassState {
  readonly at: number;
  readonly handed: ReadonlyMap<string, Tensor>;
}

/** What a run of an instance gave, and from what. */
interface Computed {
  readonly results: Tensors;
  readonly fed: Tensors;
  readonly graph: Graph;
  readonly rows: Rows;
  readonly compiled: Compiled;
}

/** What one instance is run for. */
interface Asked {
  readonly captured: readonly string[];
  /** Values inside the graph, by id. */
  readonly values: readonly ValueId[];
  readonly conditions?: readonly Condition[];
}

/**
 * One pass over the model, an instance at a time. It can be set back to any earlier state, and the values inside the
 * next instance can be looked at before it is passed: what is looked at has the bits that the run has.
 */
export class Pass {
  readonly rows: Rows;
  /** The instances that this pass runs, in order. */
  readonly instances: readonly Instance[];
  readonly sites = new Map<string, Tensor>();
  #handed: ReadonlyMap<string, Tensor>;
  #at = 0;
  readonly #shared = new Map<string, Tensor>();
  readonly #scored: 'last' | 'all' | 'none';
  /** The layer that gives its last row alone. */
  readonly #sparing: Instance | undefined;
  #logits: Tensor | undefined;
  /** What a look at the next instance computed of what passing it gives. */
  #foreseen: (PassState & { readonly computed: Computed }) | undefined;

  constructor(
    readonly program: Program,
    readonly compilations: Compilations,
    readonly request: ForwardRequest,
  ) {
    this.rows = passRows({ program, request });
    this.#handed = new Map(request.cache?.encoded?.values);
    const scored = request.logits ?? 'last';
    this.#scored = scored === 'last' && program.facts.output !== 'next' ? 'all' : scored;
    const known = request.cache?.encoded !== undefined;
    const all = request.variant.order.filter(
      (i) => !(i.segment.once && known) && (i.segment.kind !== 'head' || this.#needsHead(i)),
    );
    const { passed = [] } = request;
    this.instances = [...passed.map((p) => p.instance), ...all.slice(passed.length)];
    this.#sparing = lastRowLayer({
      ...{ request, instances: this.instances, rows: this.rows, scored: this.#scored },
      isCaptured: (instance) => this.#captured(instance).length > 0,
    });
  }

  /** The first so many instances, each with the variant under which it runs. */
  passed(count: number): readonly Passed[] {
    return this.instances.slice(0, count).map((instance, at) => ({ instance, variant: this.#variantAt(at) }));
  }

  #variantAt(at: number): Variant {
    return this.request.passed?.[at]?.variant ?? this.request.variant;
  }

  get state(): PassState {
    return { at: this.#at, handed: this.#handed };
  }

  /** Goes back (or forth) to a state of this pass. */
  restore({ at, handed }: PassState): void {
    this.#at = at;
    this.#handed = handed;
  }

  /** The instance that runs next; undefined at the end. */
  get next(): Instance | undefined {
    return this.instances[this.#at];
  }

  /** To the end, or, where nothing is scored or kept, as far as something is captured. */
  async run(): Promise<ForwardResult> {
    const until = this.#needed();
    while (this.next && this.#at < until) await this.advance();
    return this.finish();
  }

  /** How many instances have to run for what is asked for. */
  #needed(): number {
    const { cache, keeping } = this.request;
    if (cache || keeping || this.#scored !== 'none') return this.instances.length;
    return this.instances.findLastIndex((instance) => this.#captured(instance).length > 0) + 1;
  }

  /**
   * Runs the next instance, whose captured sites are then in `sites`.
   * @returns the keys of the conditions that held, as far as float32 can tell
   */
  async advance(conditions: readonly Condition[] = []): Promise<ReadonlySet<string>> {
    const instance = this.next;
    if (!instance) return new Set();
    await this.request.onSegment?.(instance.name);
    const captured = this.#captured(instance);
    const asked = { captured, values: [], conditions };
    const seen = conditions.length === 0 && this.#canForesee(instance) ? this.#foreseen : undefined;
    const isSeen = seen?.at === this.#at && seen.handed === this.#handed;
    const { results, fed, graph, rows, compiled } = isSeen
      ? seen.computed
      : await this.#compute(instance, asked, 'outputs');
    this.#foreseen = undefined;
    this.request.keeping?.keep(instance, { results, fed, rows });
    this.#keep(instance, { captured, results, fed, graph, rows });
    this.#at++;
    const held = [...compiled.conditions].filter(([, { output }]) => results.get(output)?.data[0] !== 0);
    return new Set(held.map(([key]) => key));
  }

  /** Forgets what it captured and scored; to be run again from its first state. */
  forget(): void {
    this.sites.clear();
    this.#shared.clear();
    this.#logits = undefined;
    this.#foreseen = undefined;
  }

  /**
   * Values inside the next instance, which is not passed: sites by their names in the segment, and values by their ids.
   * @throws BugError INTERNAL for a name that the segment does not have
   */
  async look(names: readonly string[], values: readonly ValueId[] = []): Promise<ReadonlyMap<string, Tensor>> {
    const instance = this.next;
    if (!instance) return new Map();
    const { results, fed, graph, rows } = await this.#lookedAt(instance, { captured: names, values });
    const types = typesOf(graph);
    const found = new Map<string, Tensor>();
    for (const name of names) {
      const axes = types.get(graph.sites.find((s) => s.name === name)?.value ?? ('' as ValueId))?.axes ?? [];
      found.set(name, undoubled(valueOf(name, { graph, fed, results }), axes, rows));
    }
    for (const id of values) {
      const value = results.get(valueOutput(id)) ?? fed.get(graph.inputs.find((i) => i.id === id)?.name ?? '');
      if (value) found.set(id, undoubled(value, types.get(id)?.axes ?? [], rows));
    }
    return found;
  }

  /** Ends the pass: the cache counts its tokens, and the scores are there. */
  finish(): ForwardResult {
    const { cache } = this.request;
    if (cache && this.rows.source && !cache.encoded)
      cache.encoded = { rows: this.rows.source, values: this.#lasting() };
    cache?.setLength(this.rows.length);
    return { logits: this.#logits && asFloat32(this.#logits), sites: this.sites };
  }

  /** What segments that run once handed on to others, for later steps. */
  #lasting(): ReadonlyMap<string, Tensor> {
    const crossed = this.program.segments.filter((s) => s.kind === 'cross').flatMap(handedOn);
    return new Map([...this.#handed].filter(([name]) => crossed.includes(name)));
  }

  /** A look computes an instance; what it hands on is then known, too, and has the same bits. */
  async #lookedAt(instance: Instance, asked: Asked): Promise<Computed> {
    const { at, handed } = this.state;
    const isKnown = this.#foreseen?.at === at && this.#foreseen.handed === handed;
    if (isKnown || !this.#canForesee(instance)) return this.#compute(instance, asked, 'values');
    const computed = await this.#compute(instance, asked, 'both');
    const passing = new Set([...handedOn(instance.segment), ...instance.segment.cache.map((c) => c.fresh)]);
    const results = new Map([...computed.results].filter(([name]) => passing.has(name)));
    this.#foreseen = { at, handed, computed: { ...computed, results } };
    return computed;
  }

  /** The head scores fewer rows than are looked at; what is kept besides is of the usual form. */
  #canForesee(instance: Instance): boolean {
    const isUsual = !this.request.keeping && this.#captured(instance).length === 0;
    return isUsual && instance.segment.kind !== 'head';
  }

  #captured(instance: Instance): string[] {
    return capturedIn(instance, this.request.capture);
  }

  #needsHead(instance: Instance): boolean {
    return this.#scored !== 'none' || this.#captured(instance).length > 0;
  }

  async #compute(instance: Instance, asked: Asked, want: 'outputs' | 'values' | 'both'): Promise<Computed> {
    const { request } = this;
    const variant = this.#variantAt(this.#at);
    const edits = variant.edits.get(instance.name) ?? [];
    const plain = this.#spared(instance, formOf(instance, asked.captured, { ...request, variant }));
    const { conditions = [] } = asked;
    const usual = conditions.length > 0 ? { ...plain, conditions } : plain;
    const form: Form =
      want === 'outputs' ? usual : { ...plain, taps: onRequest(instance, asked.captured), values: 'all' };
    const compiled = await this.compilations.get(instance.segment, form);
    const { graph } = compiled;
    const { rows, handed } = this.#placed(instance, asked.captured.length > 0 || want !== 'outputs');
    const fed = this.#feeds(instance, { compiled, edits, rows, handed });
    const computed = new Set(graph.outputs.map((o) => o.name));
    const cached = request.cache ? instance.segment.cache.map((c) => c.fresh) : [];
    const own = instance.segment.kind === 'head' ? ['logits'] : handedOn(instance.segment);
    const sites = asked.captured.filter((name) => computed.has(name));
    const values = asked.values.map(valueOutput).filter((name) => computed.has(name));
    const held = [...compiled.conditions.values()].map((c) => c.output);
    const kept = [...computed].filter(isKept);
    const passing = want === 'values' ? [] : [...own, ...cached];
    const fetch = [...passing, ...sites, ...values, ...(want === 'outputs' ? [...held, ...kept] : [])];
    const results =
      fetch.length === 0 ? new Map<string, Tensor>() : await compiled.executable.run(fed, [...new Set(fetch)]);
    return { results, fed, graph, rows, compiled };
  }

  /** The rows of the stream that the head receives: all, or the one that is scored. */
  get rowsHanded(): Rows {
    return this.#sparing ? this.#lastRows : this.rows;
  }

  /** The last position's row, twice, since a product of one row would take another kernel. */
  get #lastRows(): Rows {
    const last = this.rows.positions.at(-1) ?? 0;
    return { ...this.rows, positions: [last, last] };
  }

  /** The form in which an instance runs, gradients left out. */
  form(instance: Instance): Form {
    const { variant, taps } = this.request;
    return this.#spared(instance, formOf(instance, this.#captured(instance), { variant, ...(taps ? { taps } : {}) }));
  }

  #spared(instance: Instance, form: Form): Form {
    return instance === this.#sparing ? { ...form, rows: 'chosen' } : form;
  }

  /** The rows that an instance computes, and what it reads: the head alone only the rows that are scored. */
  #placed(instance: Instance, whole: boolean): { rows: Rows; handed: ReadonlyMap<string, Tensor> } {
    const { stack, kind } = instance.segment;
    const handed = this.#handed;
    if (stack === 'encoder') return { rows: this.rows.source ?? this.rows, handed };
    if (kind !== 'head' || whole || this.#scored === 'all' || isDoubled(this.rows)) return { rows: this.rows, handed };
    const past = this.rows.length - this.rows.positions.length;
    const last = this.request.ids.map((row) => row.length - 1);
    const [first = 0] = last;
    const resid = handed.get(carried);
    if (!resid) throw bug('the head ran before the embedding');
    const rows = { ...this.rows, positions: [past + first, past + first] };
    if (this.#sparing) return { rows, handed };
    const parts = last.map((at, b) => take(range(resid, 0, [b, b + 1]), 1, [at, at]));
    return { rows, handed: new Map([...handed, [carried, concat(parts, 0)]]) };
  }

  #feeds(
    instance: Instance,
    {
      compiled,
      edits,
      rows,
      handed,
    }: { compiled: Compiled; edits: readonly LiveEdit[]; rows: Rows; handed: ReadonlyMap<string, Tensor> },
  ): Tensors {
    const { cache } = this.request;
    const variant = this.#variantAt(this.#at);
    const numbers = new Map([...edits, ...compiled.conditions.values()].flatMap((e) => [...e.numbers(rows)]));
    const fed = new Map<string, Tensor>();
    for (const { name, type } of compiled.graph.inputs) {
      const spec = instance.segment.cache.find((c) => c.past === name);
      const weight = [...variant.weights].find(([param]) => paramInput(param) === name)?.[1];
      const tensor =
        numbers.get(name) ??
        weight ??
        handed.get(readName(instance.segment, name)) ??
        (spec ? (cache?.past(instance.name, spec) ?? noPast(rows.ids.length, spec)) : this.#input(name, rows)) ??
        lastRowFeed(name, rows);
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
    }: { captured: readonly string[]; results: Tensors; fed: Tensors; graph: Graph; rows: Rows },
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
    const given = handedOn(instance.segment).flatMap((name) => {
      const value = results.get(name);
      return value ? [[name, value] as const] : [];
    });
    if (given.length > 0) this.#handed = new Map([...this.#handed, ...given]);
    const logits = results.get('logits');
    if (logits) this.#logits = this.#chosen(logits, { axes: axesOf('logits'), rows });
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
