import { bug } from '../../base/index.js';
import { gradients, type ExpressionToken } from '../../engine/index.js';
import { take, toFloat32, type FloatTensor } from '../../tensor/index.js';
import type { CircuitRuns, Read } from './circuit-runs.js';
import { readerName, senderName, type Edge, type Reader } from './edges.js';

const siteOf = { q: 'attn.q', k: 'attn.k', v: 'attn.v', mlp: 'ln2.normalized' } as const;

/** The part of a value that is a reader's: its head's, of [1, position, head, headDim], or all. */
const partOf = (value: FloatTensor, reader: Reader): Float32Array =>
  toFloat32('head' in reader ? take(value, 2, [reader.head]) : value);

const dot = (a: Float32Array, b: Float32Array, c: Float32Array): number => {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] ?? 0) * ((b[i] ?? 0) - (c[i] ?? 0));
  return sum;
};

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
  const { wiring, model, pair, clean, corrupt } = runs;
  const sites = wiring.blocks.flatMap((b) => Object.values(siteOf).map((s) => `${b.name}.${s}`));
  const slopes = await gradients(model, {
    ...{ variant: model.variant, expression: pair.metric.expression, prompt: pair.prompt, sites, encode },
    ...(model.onSegment ? { onSegment: model.onSegment } : {}),
  });
  const scores = new Map<string, number>();
  /** The stream before a reader, with a sender's part as the corrupted run has it. */
  const without = (place: string, sender: string): Float32Array => {
    const [stream, own, other] = [clean.stream.get(place), clean.out.get(sender), corrupt.out.get(sender)];
    if (!stream || !own || !other) throw bug(`nothing is known of ${sender} or of the stream before ${place}`);
    return stream.map((x, i) => x - (own[i] ?? 0) + (other[i] ?? 0));
  };
  const byReader = new Map<string, Edge[]>();
  for (const edge of wiring.edges) {
    const list = byReader.get(readerName(edge.to)) ?? [];
    byReader.set(readerName(edge.to), list);
    list.push(edge);
  }
  const scoreAt = async (layer: number, what: 'attention' | 'mlp'): Promise<void> => {
    const instance = wiring.blocks[layer];
    if (!instance) return;
    const place = what === 'attention' ? `attention ${layer}` : `mlp ${layer}`;
    const readers = wiring.readers.filter(
      (r) => r.kind !== 'logits' && r.layer === layer && (r.kind === 'mlp') === (what === 'mlp'),
    );
    const senders = [
      ...new Set(readers.flatMap((r) => (byReader.get(readerName(r)) ?? []).map((e) => senderName(e.from)))),
    ];
    const streams = [clean.stream.get(place) ?? new Float32Array(), ...senders.map((s) => without(place, s))];
    const [own, ...others] = await runs.read(instance, what, streams);
    for (const reader of readers) {
      if (reader.kind === 'logits' || !own) continue;
      const name = `${instance.name}.${siteOf[reader.kind]}`;
      const slope = slopes.sites.get(name);
      if (!slope) throw bug(`there is no slope at ${name}`);
      const { kind } = reader;
      const part = (read: Read): Float32Array =>
        partOf({ dtype: 'float32', shape: slope.shape, data: read.get(kind) ?? new Float32Array() }, reader);
      const [along, before] = [partOf(slope, reader), part(own)];
      for (const edge of byReader.get(readerName(reader)) ?? []) {
        const read = others[senders.indexOf(senderName(edge.from))];
        if (read) scores.set(edge.name, dot(along, part(read), before));
      }
    }
  };
  const total = wiring.blocks.length + 1;
  for (let layer = 0; layer < wiring.blocks.length; layer++) {
    onProgress(layer, total);
    await scoreAt(layer, 'attention');
    await scoreAt(layer, 'mlp');
  }
  const base = await runs.score(clean.stream.get('logits') ?? new Float32Array());
  for (const edge of byReader.get('logits') ?? [])
    scores.set(edge.name, (await runs.score(without('logits', senderName(edge.from)))) - base);
  return scores;
};

/** Edges by how much they are worth, by a guess, the most first. */
export const byWorth = (edges: readonly Edge[], scores: ReadonlyMap<string, number>): readonly Edge[] =>
  [...edges].sort((a, b) => Math.abs(scores.get(b.name) ?? 0) - Math.abs(scores.get(a.name) ?? 0));
