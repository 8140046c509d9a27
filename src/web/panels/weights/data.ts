import type { Client } from '../../../client/index.js';
import type { HostOutput, WeightEntry } from '../../../protocol/index.js';
import type { Request } from '../../state/request.js';
import type { Matrix } from '../../look/matrix.js';

type Answer<K extends string> = Extract<HostOutput<'view'>['view'], { kind: K }>;

/** A weight: its numbers at a glance. */
export interface WeightLook {
  readonly entry: WeightEntry;
  readonly axes: readonly string[];
  readonly stats: Answer<'stats'>;
  readonly histogram: Answer<'histogram'>;
  /** Each pixel the number farthest from 0 of 2^level x 2^level. */
  readonly picture: Matrix;
  readonly level: number;
}

const most = 512;

/** @throws what the host answers */
export const readWeight = async (
  client: Client,
  { request, entry }: { readonly request: Request; readonly entry: WeightEntry },
  signal: AbortSignal,
): Promise<WeightLook> => {
  const { model, binding } = request.input;
  const edits = request.edits.filter((text) => /^(?:replace )?weight /.test(text)).map((text) => ({ text }));
  const given = { model, binding, edits, name: entry.name };
  const longest = Math.max(...entry.shape, 1);
  const level = Math.max(0, Math.ceil(Math.log2(longest / most)));
  const image = await client.weight(
    { ...given, as: { kind: 'maxPyramid', level, size: 4096, by: 'absmax' } },
    { signal },
  );
  const stats = await client.weight({ ...given, as: { kind: 'stats' } }, { signal });
  const histogram = await client.weight({ ...given, as: { kind: 'histogram', bins: 61 } }, { signal });
  const [rows = 1, columns = 1] = image.view.kind === 'maxPyramid' ? image.view.result : [];
  return {
    ...{ entry, axes: image.axes, level },
    stats: stats.view as Answer<'stats'>,
    histogram: histogram.view as Answer<'histogram'>,
    picture: { rows, columns, data: new Float32Array(image.data.buffer) },
  };
};

/** Names whose parts have every word of a text. */
export const weightsFound = (entries: readonly WeightEntry[], text: string): readonly WeightEntry[] => {
  const words = text
    .toLowerCase()
    .split(/\s+/)
    .filter((word) => word !== '');
  return entries.filter(({ name }) => words.every((word) => name.toLowerCase().includes(word)));
};
