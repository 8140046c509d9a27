import type { KnownSite } from '../../../language/index.js';
import type { Matrix } from '../../look/matrix.js';
import type { Debugging } from '../../state/debugging.js';

/** Sites that hold attention patterns, by their layers: `blocks.3.attn.pattern`, `decoder.blocks.0.cross_attn.pattern`. */
export const patternSites = (sites: readonly KnownSite[]): readonly string[] =>
  sites.map(({ name }) => name).filter((name) => /(^|\.)blocks\.\d+\.(cross_)?attn\.pattern$/.test(name));

/** The pattern of the layer where a run stands, where there is one; else the first. */
export const patternNear = (names: readonly string[], layer: number | undefined): string | undefined =>
  names.find((name) => name.includes(`blocks.${layer ?? ''}.`)) ?? names[0];

/** A layer's pattern, all heads of the first sequence. */
export interface Pattern {
  readonly site: string;
  readonly heads: readonly Matrix[];
  /** Heads that there are; where they take too much room, one alone is in `heads`. */
  readonly count: number;
  /** The head that `heads` begins with. */
  readonly from: number;
}

/** Numbers of all heads together that are fetched for a look. */
const most = 2 ** 22;

/** @throws UsageError SITE_NOT_CAPTURED where the layer has not run yet, or its attention gives no pattern */
export const readPattern = async (
  { lookBytes }: Pick<Debugging, 'lookBytes'>,
  { site, head }: { readonly site: string; readonly head: number },
  signal: AbortSignal,
): Promise<Pattern> => {
  const first = await lookBytes({ ask: 'bytes', ref: site, offset: 0, count: 4 }, signal);
  const [, count = 0, rows = 0, columns = 0] = first.shape;
  const size = rows * columns;
  const isAll = count * size <= most;
  const from = isAll ? 0 : Math.min(head, count - 1);
  const heads = isAll ? count : 1;
  const { bytes } = await lookBytes(
    { ask: 'bytes', ref: site, offset: 4 * from * size, count: 4 * heads * size },
    signal,
  );
  const data = new Float32Array(bytes.slice().buffer);
  const matrices = Array.from({ length: heads }, (_, i) => ({
    ...{ rows, columns },
    data: data.subarray(i * size, (i + 1) * size),
  }));
  return { site, heads: matrices, count, from };
};
