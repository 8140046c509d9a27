import { bug } from '../../base/index.js';
import { handedOn, readName, type ValueId } from '../../graph/index.js';
import { bytesPer, sizeOf, type FloatTensor, type Tensor } from '../../tensor/index.js';
import { valueOutput } from '../run/compiled.js';
import type { Instance } from '../run/order.js';
import { siteIn } from '../run/order.js';
import { makeRows, type Rows } from '../run/rows.js';
import { feedsOf, SharedInputs } from './feeds.js';
import type { SweepPrompt } from './swept.js';
import { wholeForm, type Kept, type SweepModel } from './model.js';

/** What each instance is asked to keep, by its name. */
export type KeptBy = ReadonlyMap<string, Kept>;

const nothing: Kept = { sites: [], values: [] };
export const keptOf = (kept: KeptBy, { name }: Instance): Kept => kept.get(name) ?? nothing;

/** Rows of a batch of equal sequences from one position on; of an encoder's stack all. */
export const rowsFrom = ({ ids, source }: SweepPrompt, from: number, batch: number): Rows => {
  const same = (one: readonly number[]): (readonly number[])[] => new Array<readonly number[]>(batch).fill(one);
  const sourceRows = source ? makeRows({ ids: same(source.ids), past: 0, step: 0 }) : undefined;
  return makeRows({ ids: same(ids.slice(from)), past: from, step: 0, source: sourceRows });
};

/** The rows that an instance works on: the encoder's in the encoder. */
export const rowsOfStack = ({ segment }: Instance, rows: Rows): Rows =>
  segment.stack === 'encoder' ? (rows.source ?? rows) : rows;

const noPast = (batch: number, { heads, headDim }: { readonly heads: number; readonly headDim: number }): Tensor => ({
  dtype: 'float32',
  shape: [batch, 0, heads, headDim],
  data: new Float32Array(0),
});

/**
 * A run of one sequence, with the state before each instance, the keys and values of each block, and what was to be
 * kept. Values are as the graphs give them: where the only row is doubled, with both copies.
 */
export class BaseRun {
  readonly rows: Rows;
  /** What was handed on before each instance, and behind the last. */
  readonly states: ReadonlyMap<string, Tensor>[] = [];
  readonly #fresh = new Map<string, Tensor>();
  readonly #sites = new Map<string, FloatTensor>();
  readonly #values = new Map<string, Tensor>();

  constructor(
    readonly model: SweepModel,
    readonly prompt: SweepPrompt,
    readonly kept: KeptBy,
  ) {
    this.rows = rowsFrom(prompt, 0, 1);
  }

  /** The instances of the run before its head. */
  get body(): readonly Instance[] {
    return this.model.variant.order.filter((i) => i.segment.kind !== 'head');
  }

  async run(): Promise<this> {
    const shared = [new SharedInputs(this.model.program, this.rows)];
    if (this.rows.source) shared.push(new SharedInputs(this.model.program, this.rows.source));
    let handed: ReadonlyMap<string, Tensor> = new Map();
    for (const instance of this.body) {
      await this.model.onSegment?.(instance.name);
      this.states.push(handed);
      const inputs = instance.segment.stack === 'encoder' ? shared[1] : shared[0];
      handed = new Map([
        ...handed,
        ...(await this.#through(instance, handed, inputs ?? new SharedInputs(this.model.program, this.rows))),
      ]);
    }
    this.states.push(handed);
    return this;
  }

  /** A site's value, by its name in the run order. */
  site(name: string): FloatTensor {
    const value = this.#sites.get(name);
    if (!value) throw bug(`${name} was not kept`);
    return value;
  }

  has(name: string): boolean {
    return this.#sites.has(name);
  }

  value({ name }: Instance, id: ValueId): Tensor {
    const value = this.#values.get(`${name} ${id}`);
    if (!value) throw bug(`${id} of ${name} was not kept`);
    return value;
  }

  /** The rows that a block computed of what it keeps for later ones. [1, position, head, headDim] */
  fresh({ name }: Instance, past: string): Tensor | undefined {
    return this.#fresh.get(`${name} ${past}`);
  }

  /** Bytes that it holds. */
  get bytes(): number {
    const states = new Set(this.states.flatMap((state) => [...state.values()]));
    const all = [...states, ...this.#fresh.values(), ...this.#sites.values(), ...this.#values.values()];
    return all.reduce((sum, t) => sum + sizeOf(t.shape) * bytesPer[t.dtype], 0);
  }

  async #through(instance: Instance, handed: ReadonlyMap<string, Tensor>, shared: SharedInputs) {
    const { compilations, variant } = this.model;
    const kept = keptOf(this.kept, instance);
    const { segment } = instance;
    const { graph, executable } = await compilations.get(segment, wholeForm(instance, variant, kept));
    const given = (name: string): Tensor | undefined => {
      const spec = segment.cache.find((c) => c.past === name);
      return spec ? noPast(1, spec) : handed.get(readName(segment, name));
    };
    const edits = variant.edits.get(instance.name) ?? [];
    const feeds = feedsOf({ instance, graph, variant, edits, shared, given });
    const outputs = new Set(graph.outputs.map((o) => o.name));
    const own = handedOn(segment);
    const inside = kept.values.map(valueOutput);
    const wanted = [...own, ...segment.cache.map((c) => c.fresh), ...kept.sites, ...inside].filter((n) =>
      outputs.has(n),
    );
    const results = await executable.run(feeds, [...new Set(wanted)]);
    for (const spec of segment.cache) {
      const rows = results.get(spec.fresh);
      if (rows) this.#fresh.set(`${instance.name} ${spec.past}`, rows);
    }
    for (const id of kept.values) {
      const value = results.get(valueOutput(id));
      if (value) this.#values.set(`${instance.name} ${id}`, value);
    }
    for (const name of kept.sites) this.#keepSite(instance, name, { results, feeds, graph });
    return own.flatMap((name) => {
      const value = results.get(name);
      return value ? [[name, value] as const] : [];
    });
  }

  #keepSite(
    instance: Instance,
    name: string,
    {
      results,
      feeds,
      graph,
    }: {
      results: ReadonlyMap<string, Tensor>;
      feeds: ReadonlyMap<string, Tensor>;
      graph: {
        readonly sites: readonly { readonly name: string; readonly value: ValueId }[];
        readonly inputs: readonly { readonly id: ValueId; readonly name: string }[];
      };
    },
  ): void {
    const site = graph.sites.find((s) => s.name === name);
    const input = graph.inputs.find((i) => i.id === site?.value);
    const value = results.get(name) ?? feeds.get(input?.name ?? '');
    if (value?.dtype === 'float32' || value?.dtype === 'float64') this.#sites.set(siteIn(instance, name), value);
  }
}
