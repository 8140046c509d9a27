import { UsageError } from '../../base/index.js';
import type { Program, Segment } from '../../graph/index.js';

/** A segment at its place in the run order. A block that runs twice has two names: `blocks.3` and `blocks.3#2`. */
export interface Instance {
  readonly name: string;
  readonly segment: Segment;
}

/** A change of the run order; layers are named as in the loaded model. */
export type OrderEdit =
  | { readonly kind: 'skip'; readonly layer: number }
  | { readonly kind: 'repeat'; readonly layer: number }
  | { readonly kind: 'swap'; readonly layers: readonly [number, number] };

const placeOf = (order: readonly Segment[], layer: number): number => {
  const at = order.findIndex((s) => s.id === `blocks.${layer}`);
  if (at >= 0) return at;
  throw new UsageError(`there is no layer ${layer} to change`, {
    code: 'EDIT_INVALID',
    hint: `Layers are numbered from 0 to ${order.filter((s) => s.kind === 'block').length - 1}; an earlier edit may have skipped this one.`,
    details: { layer },
  });
};

const changedBy = (order: readonly Segment[], edit: OrderEdit): Segment[] => {
  switch (edit.kind) {
    case 'skip': {
      placeOf(order, edit.layer);
      return order.filter((s) => s.id !== `blocks.${edit.layer}`);
    }
    case 'repeat': {
      const at = placeOf(order, edit.layer);
      return order.flatMap((s, i) => (i === at ? [s, s] : [s]));
    }
    case 'swap': {
      const [a, b] = edit.layers.map((l) => placeOf(order, l)) as [number, number];
      return order.map((s, i) => (i === a ? order[b] : i === b ? order[a] : s) ?? s);
    }
  }
};

/**
 * The segments in the order in which they run.
 * @throws UsageError EDIT_INVALID for a layer that is not there
 */
export const runOrder = (program: Program, edits: readonly OrderEdit[]): readonly Instance[] => {
  const order = edits.reduce<readonly Segment[]>(changedBy, program.segments);
  const seen = new Map<string, number>();
  return order.map((segment) => {
    const times = (seen.get(segment.id) ?? 0) + 1;
    seen.set(segment.id, times);
    return { segment, name: times === 1 ? segment.id : `${segment.id}#${times}` };
  });
};

/** The name of a site in an instance: `blocks.3.attn.z` in `blocks.3#2` is `blocks.3#2.attn.z`. */
export const siteIn = (instance: Instance, site: string): string =>
  instance.name === instance.segment.id ? site : instance.name + site.slice(instance.segment.id.length);
