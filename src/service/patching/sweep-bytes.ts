import { UsageError } from '../../base/index.js';
import { extentsFor, siteBytes, sweptAtOnce, type PlacedSite, type Prompt } from '../../engine/index.js';
import { float32Bytes } from '../../graph/index.js';
import { formatBytes } from '../bytes.js';
import { freeMemoryBytes } from '../machine.node.js';
import type { OpenModel } from '../open-model.js';

/** Sweeps keep this many rows of scores at once, about. */
const scoredRows = 400;

/** Is memory too short for the layers' weights in another form, which a sweep is faster with, where a form holds them again? */
export const isShortForWeights = ({ program, backend }: Pick<OpenModel, 'program' | 'backend'>): boolean => {
  if (backend.holdsWeightsByForm !== true) return false;
  const blocks = program.segments.filter((s) => s.kind === 'block').flatMap((s) => s.graph.params);
  return float32Bytes(blocks) > freeMemoryBytes() / 3;
};

/**
 * Bytes that a sweep takes, beside the model: values of both runs, streams and keys of the base, the largest group of
 * runs, and scores. Stops before anything is computed where that is too much.
 * @throws UsageError MEMORY_LIMIT
 */
export const checkSweepBytes = (
  { program }: OpenModel,
  {
    places,
    prompt,
    together,
    maxBytes,
  }: {
    readonly places: readonly PlacedSite[];
    readonly prompt: Prompt;
    readonly together: number;
    readonly maxBytes: number | undefined;
  },
): number => {
  const extents = extentsFor(1, prompt.ids.length, prompt.source?.ids.length);
  const { layers, modelDim, vocab } = program.facts;
  const sites = [...new Set(places)].reduce(
    (sum, p) => sum + (siteBytes(p.instance.segment.graph, [p.site.name], extents).get(p.site.name) ?? 0),
    0,
  );
  const row = 4 * modelDim;
  const rows = prompt.ids.length + (prompt.source?.ids.length ?? 0);
  const walked = Math.max(rows * together, Math.min(sweptAtOnce.rows, sweptAtOnce.numbers / modelDim));
  const bytes = 4 * sites + 3 * row * rows * layers + 3 * row * walked + 4 * vocab * (scoredRows + together);
  const limit = maxBytes ?? Math.floor(freeMemoryBytes() / 2);
  if (bytes <= limit) return bytes;
  throw new UsageError(`the sweep would take ${formatBytes(bytes)}, more than the limit of ${formatBytes(limit)}`, {
    code: 'MEMORY_LIMIT',
    hint: 'Choose fewer sites or layers, a shorter prompt, or another limit with --max-bytes.',
    details: { bytes, limit },
  });
};
