import { bug } from '../../base/index.js';
import { gradients, type ExpressionToken } from '../../engine/index.js';
import { take, toFloat32, type FloatTensor } from '../../tensor/index.js';
import { attentionSites, type CircuitRuns, type Read } from './circuit-runs.js';
import { readerName, senderName, type Edge, type Reader } from './edges.js';

/** The part of a value that is a reader's: its head's, of [1, position, head, headDim], or all. */
const partOf = (value: FloatTensor, reader: Reader): Float32Array => {
  const head = 'head' in reader ? reader.head : undefined;
  return toFloat32(head === undefined ? value : take(value, 2, [head]));
};

const dot = (a: Float32Array, b: Float32Array, c: Float32Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * ((b[i] ?? 0) - (c[i] ?? 0));
  return sum;
};

/** Scores the edges of one pair of runs. */
class EdgeScores {
  readonly scores = new Map<string, number>();
  /** Edges by the reader's name. */
  readonly #to = new Map<string, Edge[]>();

  constructor(
    readonly runs: CircuitRuns,
    /** The metric's slope at each reader's site. */
    readonly slopes: ReadonlyMap<string, FloatTensor>,
  ) {
    for (const edge of runs.wiring.edges) {
      const list = this.#to.get(readerName(edge.to)) ?? [];
      this.#to.set(readerName(edge.to), list);
      list.push(edge);
    }
  }

  /** Edges to the readers of a layer. */
  async layer(layer: number, what: 'attention' | 'mlp'): Promise<void> {
    const { wiring, clean } = this.runs;
    const instance = wiring.blocks[layer];
    if (!instance) return;
    const place = `${what} ${layer}`;
    const readers = wiring.readers.filter(
      (r) => r.kind !== 'logits' && r.layer === layer && (r.kind === 'mlp') === (what === 'mlp'),
    );
    const senders = [...new Set(readers.flatMap((r) => this.#edgesTo(r).map((e) => senderName(e.from))))];
    const streams = [clean.stream.get(place) ?? new Float32Array(), ...senders.map((s) => this.#without(place, s))];
    const [own, ...others] = await this.runs.read(instance, what, streams);
    if (!own) return;
    const reads = new Map(senders.flatMap((s, i) => (others[i] ? [[s, others[i]] as const] : [])));
    for (const reader of readers) this.#score(reader, instance.name, { own, reads });
  }

  /** Edges to the scores, which are measured. */
  async toScores(): Promise<void> {
    const base = await this.runs.score(this.runs.clean.stream.get('logits') ?? new Float32Array());
    for (const edge of this.#edgesTo({ kind: 'logits' }))
      this.scores.set(edge.name, (await this.runs.score(this.#without('logits', senderName(edge.from)))) - base);
  }

  #edgesTo(reader: Reader): readonly Edge[] {
    return this.#to.get(readerName(reader)) ?? [];
  }

  /** The stream before a reader, with a sender's part as the corrupted run has it. */
  #without(place: string, sender: string): Float32Array {
    const { clean, corrupt } = this.runs;
    const [stream, own, other] = [clean.stream.get(place), clean.out.get(sender), corrupt.out.get(sender)];
    if (!stream || !own || !other) throw bug(`nothing is known of ${sender} or of the stream before ${place}`);
    return stream.map((x, i) => x - (own[i] ?? 0) + (other[i] ?? 0));
  }

  #score(reader: Reader, block: string, { own, reads }: { own: Read; reads: ReadonlyMap<string, Read> }): void {
    if (reader.kind === 'logits') return;
    for (const site of reader.kind === 'mlp' ? this.runs.wiring.mlpSites : [attentionSites[reader.kind]]) {
      const slope = this.slopes.get(`${block}.${site}`);
      if (!slope) throw bug(`there is no slope at ${site} of ${block}`);
      const part = (read: Read): Float32Array =>
        partOf({ dtype: 'float32', shape: slope.shape, data: read.get(site) ?? new Float32Array() }, reader);
      const [along, before] = [partOf(slope, reader), part(own)];
      for (const edge of this.#edgesTo(reader)) {
        const read = reads.get(senderName(edge.from));
        if (read) this.scores.set(edge.name, (this.scores.get(edge.name) ?? 0) + dot(along, part(read), before));
      }
    }
  }
}

/**
 * A guess of what each edge is worth: how the metric would change if what the sender writes came to this reader from the
 * corrupted run. What the reader makes of it (through the norm and its matrix) is computed; the metric's slope there
 * takes it on. Edges to the scores are measured.
 * @returns by the edge's name, in the metric's unit
 * @source Syed, Rager & Conmy 2023, "Attribution patching outperforms automated circuit discovery"
 */
export const edgeScores = async (
  runs: CircuitRuns,
  encode: (text: string) => Promise<readonly ExpressionToken[]>,
  onProgress: (done: number, total: number) => void,
): Promise<ReadonlyMap<string, number>> => {
  const { wiring, model, pair } = runs;
  const read = [...Object.values(attentionSites), ...wiring.mlpSites];
  const sites = wiring.blocks.flatMap((b) => read.map((s) => `${b.name}.${s}`));
  const slopes = await gradients(model, {
    ...{ variant: model.variant, expression: pair.metric.expression, prompt: pair.prompt, sites, encode },
    ...(model.onSegment ? { onSegment: model.onSegment } : {}),
  });
  const edges = new EdgeScores(runs, slopes.sites);
  for (const layer of wiring.blocks.keys()) {
    onProgress(layer, wiring.blocks.length + 1);
    await edges.layer(layer, 'attention');
    await edges.layer(layer, 'mlp');
  }
  await edges.toScores();
  return edges.scores;
};

/** Edges by how much they are worth, by a guess, the most first. */
export const byWorth = (edges: readonly Edge[], scores: ReadonlyMap<string, number>): readonly Edge[] =>
  [...edges].sort((a, b) => Math.abs(scores.get(b.name) ?? 0) - Math.abs(scores.get(a.name) ?? 0));
