import { bug } from '../../base/index.js';
import {
  feedsOf,
  forward,
  makeRows,
  scoreAlone,
  scoresRead,
  SharedInputs,
  usualForm,
  type Compiled,
  type Instance,
  type Prompt,
  type SweepModel,
} from '../../engine/index.js';
import { fromInput } from '../../graph/index.js';
import { concat, float32, take, toFloat32, type Tensor } from '../../tensor/index.js';
import type { Metric } from '../sweep/index.js';
import { readerName, senderName, type Edge, type Reader, type Wiring } from './edges.js';

/** What a run has of each sender, [position · model], and of the stream before each reader, by their names. */
interface Parts {
  readonly out: ReadonlyMap<string, Float32Array>;
  readonly stream: ReadonlyMap<string, Float32Array>;
}

/** Queries, keys and values (or an MLP's input) that a stream leads to. */
export type Read = ReadonlyMap<'q' | 'k' | 'v' | 'mlp', Float32Array>;

const added = (sum: Float32Array, a: Float32Array, b: Float32Array): void => {
  for (let i = 0; i < sum.length; i++) sum[i] = (sum[i] ?? 0) + (a[i] ?? 0) - (b[i] ?? 0);
};

/**
 * Runs of a model of which some edges are those of a corrupted run: each reader gets the stream as it would be if only
 * the chosen edges led to it from this run, and all others from the corrupted one.
 */
export class CircuitRuns {
  #clean: Parts | undefined;
  #corrupt: Parts | undefined;

  private constructor(
    readonly model: SweepModel,
    readonly wiring: Wiring,
    readonly pair: { readonly prompt: Prompt; readonly corrupt: Prompt; readonly metric: Metric },
  ) {}

  static async open(
    model: SweepModel,
    wiring: Wiring,
    pair: { readonly prompt: Prompt; readonly corrupt: Prompt; readonly metric: Metric },
  ): Promise<CircuitRuns> {
    const runs = new CircuitRuns(model, wiring, pair);
    runs.#clean = await runs.#partsOf(pair.prompt);
    runs.#corrupt = await runs.#partsOf(pair.corrupt);
    return runs;
  }

  get clean(): Parts {
    return this.#clean ?? this.#missing();
  }

  get corrupt(): Parts {
    return this.#corrupt ?? this.#missing();
  }

  #missing(): never {
    throw bug('the runs were not opened');
  }

  get #positions(): number {
    return this.pair.prompt.ids.length;
  }

  get #width(): number {
    return this.model.program.facts.modelDim;
  }

  async #partsOf({ ids }: Prompt): Promise<Parts> {
    const { blocks, heads } = this.wiring;
    const names = ['resid_pre', 'resid_mid', 'resid_post', 'mlp_out', 'attn.result'];
    const { sites } = await forward(this.model, {
      ...{ variant: this.model.variant, ids: [ids], logits: 'none' },
      capture: new Set(blocks.flatMap((b) => names.map((n) => `${b.name}.${n}`))),
      ...(this.model.onSegment ? { onSegment: this.model.onSegment } : {}),
    });
    const of = (name: string): Tensor => sites.get(name) ?? this.#missing();
    const [out, stream] = [new Map<string, Float32Array>(), new Map<string, Float32Array>()];
    blocks.forEach(({ name }, layer) => {
      if (layer === 0) out.set('embed', toFloat32(of(`${name}.resid_pre`)));
      const result = of(`${name}.attn.result`);
      for (let head = 0; head < heads; head++) out.set(`head ${layer}.${head}`, toFloat32(take(result, 2, [head])));
      out.set(`mlp ${layer}`, toFloat32(of(`${name}.mlp_out`)));
      stream.set(`attention ${layer}`, toFloat32(of(`${name}.resid_pre`)));
      stream.set(`mlp ${layer}`, toFloat32(of(`${name}.resid_mid`)));
    });
    stream.set('logits', toFloat32(of(`${blocks.at(-1)?.name ?? ''}.resid_post`)));
    return { out, stream };
  }

  /** The stream that a reader gets: the corrupted run's, with what the edges bring of another in its place. */
  #streamFor(reader: Reader, edges: readonly Edge[], out: ReadonlyMap<string, Float32Array>): Float32Array {
    const { corrupt } = this;
    const place = reader.kind === 'logits' || reader.kind === 'mlp' ? readerName(reader) : `attention ${reader.layer}`;
    const sum = (corrupt.stream.get(place) ?? this.#missing()).slice();
    for (const { from } of edges) {
      const name = senderName(from);
      added(sum, out.get(name) ?? this.#missing(), corrupt.out.get(name) ?? this.#missing());
    }
    return sum;
  }

  /** The metric of the run in which only these edges are the clean run's. */
  async metric(edges: readonly Edge[]): Promise<number> {
    const to = new Map<string, Edge[]>();
    for (const edge of edges) {
      const name = readerName(edge.to);
      const list = to.get(name) ?? [];
      to.set(name, list);
      list.push(edge);
    }
    const out = new Map<string, Float32Array>([['embed', this.clean.out.get('embed') ?? this.#missing()]]);
    const streamOf = (reader: Reader): Float32Array => this.#streamFor(reader, to.get(readerName(reader)) ?? [], out);
    for (const [layer, instance] of this.wiring.blocks.entries()) {
      await this.model.onSegment?.(instance.name);
      await this.#attention({ instance, layer, out, streamOf });
      const mlp = streamOf({ kind: 'mlp', layer });
      out.set(`mlp ${layer}`, await this.#mlp(instance, layer, mlp));
    }
    return this.score(streamOf({ kind: 'logits' }));
  }

  /** The metric that a last stream leads to. [position · model] */
  async score(stream: Float32Array): Promise<number> {
    const { metric } = this.pair;
    const rows = take(float32([1, this.#positions, this.#width], stream), 1, metric.positions);
    const scores = await scoreAlone(this.model, rows, metric.tokens);
    const byPosition = new Map(metric.positions.flatMap((p, i) => (scores[i] ? [[p, scores[i]] as const] : [])));
    return metric.of({
      ...scoresRead(byPosition, metric.tokens),
      site: () => {
        throw bug('a circuit has no sites to read');
      },
    });
  }

  /** Heads of a layer: where they all read the same, the clean or the corrupted run's are there already. */
  async #attention({
    instance,
    layer,
    out,
    streamOf,
  }: {
    instance: Instance;
    layer: number;
    out: Map<string, Float32Array>;
    streamOf: (reader: Reader) => Float32Array;
  }): Promise<void> {
    const { heads, kvHeads } = this.wiring;
    const readers = this.wiring.readers.filter((r) => r.kind !== 'logits' && r.kind !== 'mlp' && r.layer === layer);
    const read = await this.read(instance, 'attention', readers.map(streamOf));
    const pick = (kind: 'q' | 'k' | 'v', count: number): Tensor => {
      const parts = Array.from({ length: count }, (_, head) => {
        const at = readers.findIndex((r) => r.kind === kind && 'head' in r && r.head === head);
        const data = read[at]?.get(kind) ?? this.#missing();
        return take(float32([1, this.#positions, count, data.length / this.#positions / count], data), 2, [head]);
      });
      return concat(parts, 2);
    };
    const values = new Map<string, Tensor>([
      ['attn.q', pick('q', heads)],
      ['attn.k', pick('k', kvHeads)],
      ['attn.v', pick('v', kvHeads)],
    ]);
    const result = await this.#behind(instance, values, 'attn.result');
    for (let head = 0; head < heads; head++) out.set(`head ${layer}.${head}`, toFloat32(take(result, 2, [head])));
  }

  async #mlp(instance: Instance, layer: number, stream: Float32Array): Promise<Float32Array> {
    const known = [this.clean, this.corrupt].find((run) => {
      const own = run.stream.get(`mlp ${layer}`);
      return own?.every((x, i) => x === stream[i]);
    });
    const there = known?.out.get(`mlp ${layer}`);
    if (there) return there;
    const mid = float32([1, this.#positions, this.#width], stream);
    return toFloat32(await this.#behind(instance, new Map([['resid_mid', mid]]), 'mlp_out'));
  }

  /**
   * What attention or the MLP of a block reads of streams.
   * @param streams [batch] of [position · model]
   */
  async read(
    instance: Instance,
    what: 'attention' | 'mlp',
    streams: readonly Float32Array[],
  ): Promise<readonly Read[]> {
    const sites = what === 'attention' ? (['q', 'k', 'v'] as const) : (['mlp'] as const);
    const nameOf = { q: 'attn.q', k: 'attn.k', v: 'attn.v', mlp: 'ln2.normalized' } as const;
    const distinct = [...new Map(streams.map((s) => [keyOf(s), s])).values()];
    const places = new Map(distinct.map((s, i) => [keyOf(s), i]));
    const stream = concat(
      distinct.map((s) => float32([1, this.#positions, this.#width], s)),
      0,
    );
    const names = sites.map((s) => nameOf[s]);
    const results =
      what === 'attention'
        ? await this.#front(instance, stream, names)
        : new Map([
            ['ln2.normalized', await this.#behind(instance, new Map([['resid_mid', stream]]), 'ln2.normalized')],
          ]);
    return streams.map((s) => {
      const at = places.get(keyOf(s)) ?? 0;
      return new Map(
        sites.map((site) => {
          const all = toFloat32(results.get(nameOf[site]) ?? this.#missing());
          const each = all.length / distinct.length;
          return [site, all.slice(at * each, (at + 1) * each)] as const;
        }),
      );
    });
  }

  /** Sites before attention's scores, of a batch of streams. */
  async #front(instance: Instance, stream: Tensor, sites: readonly string[]): Promise<ReadonlyMap<string, Tensor>> {
    const { segment } = instance;
    const names = sites.map((s) => `${segment.id}.${s}`);
    const form = { ...usualForm(instance, this.model.variant), taps: names, only: 'taps' } as const;
    const compiled = await this.model.compilations.get(segment, form);
    const results = await this.#run(instance, compiled, {
      batch: stream.shape[0] ?? 1,
      given: (name) => (name === 'resid' ? stream : undefined),
      fetch: names,
    });
    return new Map(sites.map((s, i) => [s, results.get(names[i] ?? '') ?? this.#missing()]));
  }

  /** One site of what follows from others, which are given. */
  async #behind(instance: Instance, given: ReadonlyMap<string, Tensor>, site: string): Promise<Tensor> {
    const { segment } = instance;
    const name = `${segment.id}.${site}`;
    const behind = [...given.keys()].map((s) => `${segment.id}.${s}`);
    const form = { ...usualForm(instance, this.model.variant), taps: [name], only: 'taps', behind } as const;
    const compiled = await this.model.compilations.get(segment, form);
    const inputs = new Map(
      [...given].map(([s, tensor]) => {
        const value = segment.graph.sites.find((x) => x.name === `${segment.id}.${s}`)?.value;
        return [value === undefined ? '' : fromInput(value), tensor] as const;
      }),
    );
    const batch = [...given.values()][0]?.shape[0] ?? 1;
    const results = await this.#run(instance, compiled, { batch, given: (input) => inputs.get(input), fetch: [name] });
    return results.get(name) ?? this.#missing();
  }

  #run(
    instance: Instance,
    { graph, executable }: Compiled,
    { batch, given, fetch }: { batch: number; given: (input: string) => Tensor | undefined; fetch: readonly string[] },
  ): Promise<Map<string, Tensor>> {
    const { program, variant } = this.model;
    const ids = new Array<readonly number[]>(batch).fill(this.pair.prompt.ids);
    const shared = new SharedInputs(program, makeRows({ ids, past: 0, step: 0 }));
    const noRows = (input: string): Tensor | undefined => {
      const spec = instance.segment.cache.find((c) => c.past === input);
      return spec && float32([batch, 0, spec.heads, spec.headDim], new Float32Array(0));
    };
    const feeds = feedsOf({
      instance,
      graph,
      variant,
      edits: [],
      shared,
      given: (input) => given(input) ?? noRows(input),
    });
    return executable.run(feeds, fetch);
  }
}

/** A cheap fingerprint of numbers: FNV-1a over their bits. Streams that are the same are computed once by it. */
export const keyOf = (data: Float32Array): string => {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  let [a, b] = [0x811c9dc5, 0x9e3779b9];
  for (const x of bits) {
    a = Math.imul(a ^ x, 0x01000193);
    b = Math.imul(b ^ (x >>> 7) ^ a, 0x85ebca6b);
  }
  return `${a}:${b}`;
};
