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

/** What a stream leads to, by the name of the site in a layer: queries, keys and values, or what an MLP makes first. */
export type Read = ReadonlyMap<string, Float32Array>;

/** The site that a reading of attention ends in. */
export const attentionSites = { q: 'attn.q', k: 'attn.k', v: 'attn.v' } as const;

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
    const { blocks, mlpReads } = this.wiring;
    const names = [...new Set(['resid_pre', mlpReads, 'resid_post', 'mlp_out', this.#written])];
    const { sites } = await forward(this.model, {
      ...{ variant: this.model.variant, ids: [ids], logits: 'none' },
      capture: new Set(blocks.flatMap((b) => names.map((n) => `${b.name}.${n}`))),
      ...(this.model.onSegment ? { onSegment: this.model.onSegment } : {}),
    });
    const of = (name: string): Tensor => sites.get(name) ?? this.#missing();
    const [out, stream] = [new Map<string, Float32Array>(), new Map<string, Float32Array>()];
    blocks.forEach(({ name }, layer) => {
      if (layer === 0) out.set('embed', toFloat32(of(`${name}.resid_pre`)));
      this.#setAttention(out, layer, of(`${name}.${this.#written}`));
      out.set(`mlp ${layer}`, toFloat32(of(`${name}.mlp_out`)));
      stream.set(`attention ${layer}`, toFloat32(of(`${name}.resid_pre`)));
      stream.set(`mlp ${layer}`, toFloat32(of(`${name}.${mlpReads}`)));
    });
    stream.set('logits', toFloat32(of(`${blocks.at(-1)?.name ?? ''}.resid_post`)));
    return { out, stream };
  }

  /** The site of what the senders of attention write. */
  get #written(): 'attn.result' | 'attn_out' {
    return this.wiring.attention === 'whole' ? 'attn_out' : 'attn.result';
  }

  #setAttention(out: Map<string, Float32Array>, layer: number, value: Tensor): void {
    const { heads, attention } = this.wiring;
    if (attention === 'whole') out.set(`attention ${layer}`, toFloat32(value));
    else for (let head = 0; head < heads; head++) out.set(`head ${layer}.${head}`, toFloat32(take(value, 2, [head])));
  }

  /** The stream that a reader gets: the corrupted run's, with what the edges bring of another in its place. */
  #streamFor(place: string, edges: readonly Edge[], out: ReadonlyMap<string, Float32Array>): Float32Array {
    const { corrupt } = this;
    const stream = corrupt.stream.get(place) ?? this.#missing();
    if (edges.length === 0) return stream;
    const sum = stream.slice();
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
    // readers of a place to which edges from the same senders lead share an array
    const made = new Map<string, Float32Array>();
    const streamOf = (reader: Reader): Float32Array => {
      const own = to.get(readerName(reader)) ?? [];
      const place = placeOf(reader);
      const key = [place, ...own.map((e) => senderName(e.from)).sort()].join('|');
      const stream = made.get(key) ?? this.#streamFor(place, own, out);
      made.set(key, stream);
      return stream;
    };
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
    const streams = readers.map(streamOf);
    const known = this.#knownFrom(`attention ${layer}`, streams);
    if (known) {
      const writers = this.wiring.senders.filter((s) => 'layer' in s && s.kind !== 'mlp' && s.layer === layer);
      for (const name of writers.map(senderName)) out.set(name, known.out.get(name) ?? this.#missing());
      return;
    }
    const read = await this.read(instance, 'attention', streams);
    const pick = (kind: 'q' | 'k' | 'v', count: number): Tensor => {
      const parts = Array.from({ length: count }, (_, head) => {
        const at = readers.findIndex((r) => r.kind === kind && 'layer' in r && (r.head ?? head) === head);
        const data = read[at]?.get(attentionSites[kind]) ?? this.#missing();
        return take(float32([1, this.#positions, count, data.length / this.#positions / count], data), 2, [head]);
      });
      return concat(parts, 2);
    };
    const values = new Map<string, Tensor>([
      ['attn.q', pick('q', heads)],
      ['attn.k', pick('k', kvHeads)],
      ['attn.v', pick('v', kvHeads)],
    ]);
    const [written] = await this.#behind(instance, values, [this.#written]);
    this.#setAttention(out, layer, written ?? this.#missing());
  }

  /** The run whose stream all readers of a place get: what they make of it is known. */
  #knownFrom(place: string, streams: readonly Float32Array[]): Parts | undefined {
    const distinct = [...new Set(streams)];
    return [this.corrupt, this.clean].find((run) => {
      const own = run.stream.get(place);
      return distinct.every((stream) => stream === own || own?.every((x, i) => x === stream[i]));
    });
  }

  async #mlp(instance: Instance, layer: number, stream: Float32Array): Promise<Float32Array> {
    const there = this.#knownFrom(`mlp ${layer}`, [stream])?.out.get(`mlp ${layer}`);
    if (there) return there;
    const [made] = await this.#mlpSites(instance, float32([1, this.#positions, this.#width], stream), ['mlp_out']);
    return toFloat32(made ?? this.#missing());
  }

  /** Sites of an MLP, of a batch of streams that it reads. */
  #mlpSites(instance: Instance, stream: Tensor, sites: readonly string[]): Promise<readonly Tensor[]> {
    return this.wiring.mlpReads === 'resid_pre'
      ? this.#front(instance, stream, sites)
      : this.#behind(instance, new Map([['resid_mid', stream]]), sites);
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
    const names = what === 'attention' ? Object.values(attentionSites) : this.wiring.mlpSites;
    const distinct = [...new Set(streams)];
    const places = new Map(distinct.map((s, i) => [s, i]));
    const stream = concat(
      distinct.map((s) => float32([1, this.#positions, this.#width], s)),
      0,
    );
    const results = await (what === 'attention'
      ? this.#front(instance, stream, names)
      : this.#mlpSites(instance, stream, names));
    return streams.map((s) => {
      const at = places.get(s) ?? 0;
      return new Map(
        names.map((name, i) => {
          const all = toFloat32(results[i] ?? this.#missing());
          const each = all.length / distinct.length;
          return [name, all.subarray(at * each, (at + 1) * each)] as const;
        }),
      );
    });
  }

  /** Sites of a layer, of a batch of streams before it. */
  async #front(instance: Instance, stream: Tensor, sites: readonly string[]): Promise<readonly Tensor[]> {
    const { segment } = instance;
    const names = sites.map((s) => `${segment.id}.${s}`);
    const form = { ...usualForm(instance, this.model.variant), taps: names, only: 'taps' } as const;
    const compiled = await this.model.compilations.get(segment, form);
    const results = await this.#run(instance, compiled, {
      batch: stream.shape[0] ?? 1,
      given: (name) => (name === 'resid' ? stream : undefined),
      fetch: names,
    });
    return names.map((name) => results.get(name) ?? this.#missing());
  }

  /** Sites of what follows from others, which are given. */
  async #behind(
    instance: Instance,
    given: ReadonlyMap<string, Tensor>,
    sites: readonly string[],
  ): Promise<readonly Tensor[]> {
    const { segment } = instance;
    const names = sites.map((site) => `${segment.id}.${site}`);
    const behind = [...given.keys()].map((s) => `${segment.id}.${s}`);
    const form = { ...usualForm(instance, this.model.variant), taps: names, only: 'taps', behind } as const;
    const compiled = await this.model.compilations.get(segment, form);
    const inputs = new Map(
      [...given].map(([s, tensor]) => {
        const value = segment.graph.sites.find((x) => x.name === `${segment.id}.${s}`)?.value;
        return [value === undefined ? '' : fromInput(value), tensor] as const;
      }),
    );
    const batch = [...given.values()][0]?.shape[0] ?? 1;
    const results = await this.#run(instance, compiled, { batch, given: (input) => inputs.get(input), fetch: names });
    return names.map((name) => results.get(name) ?? this.#missing());
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

/** Where in the model a reader reads the stream. */
const placeOf = (reader: Reader): string =>
  reader.kind === 'logits' || reader.kind === 'mlp' ? readerName(reader) : `attention ${reader.layer}`;

/** A cheap fingerprint of numbers: FNV-1a over their bits. */
export const keyOf = (data: Float32Array): string => {
  const bits = new Uint32Array(data.buffer, data.byteOffset, data.length);
  let [a, b] = [0x811c9dc5, 0x9e3779b9];
  for (const x of bits) {
    a = Math.imul(a ^ x, 0x01000193);
    b = Math.imul(b ^ (x >>> 7) ^ a, 0x85ebca6b);
  }
  return `${a}:${b}`;
};
