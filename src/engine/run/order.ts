import { UsageError } from '../../base/index.js';
import type { Program, Segment, Stack } from '../../graph/index.js';

/** A segment at its place in the run order. A block that runs twice has two names: `blocks.3` and `blocks.3#2`. */
export interface Instance {
  readonly name: string;
  readonly segment: Segment;
}

/** A layer as it is named in the loaded model: `3`, or `decoder.3` where there are two stacks. */
export interface LayerName {
  readonly stack?: Stack;
  readonly layer: number;
}

/** A change of the run order; layers are named as in the loaded model. */
export type OrderEdit =
  | ({ readonly kind: 'skip' | 'repeat' } & LayerName)
  | { readonly kind: 'swap'; readonly stack?: Stack; readonly layers: readonly [number, number] };

const spelled = ({ stack, layer }: LayerName): string => (stack === undefined ? `${layer}` : `${stack}.${layer}`);

const invalid = (message: string, hint: string, name: LayerName): UsageError =>
  new UsageError(message, { code: 'EDIT_INVALID', hint, details: { layer: spelled(name) } });

/** Checks that a layer is named as this model names its layers. @throws UsageError EDIT_INVALID */
export const checkStack = (segments: readonly Segment[], name: LayerName): void => {
  const blocks = segments.filter((s) => s.kind === 'block');
  if (blocks.some((s) => s.stack === name.stack)) return;
  throw name.stack === undefined
    ? invalid(
        'this model has two stacks of layers, an encoder and a decoder',
        `Say which is meant: encoder.${name.layer} or decoder.${name.layer}.`,
        name,
      )
    : invalid(
        'this model has one stack of layers, not an encoder and a decoder',
        'Name the layer by its number alone, such as `skip layer 3`.',
        name,
      );
};

const placeOf = (order: readonly Segment[], name: LayerName): number => {
  const inStack = (s: Segment): boolean => s.kind === 'block' && s.stack === name.stack;
  const at = order.findIndex((s) => inStack(s) && s.layer === name.layer);
  if (at >= 0) return at;
  const left = [...new Set(order.flatMap((s) => (inStack(s) && s.layer !== undefined ? [s.layer] : [])))];
  throw invalid(
    `there is no layer ${spelled(name)} to change`,
    left.length === 0
      ? 'Earlier edits have skipped all of them.'
      : `Layers are numbered from ${Math.min(...left)} to ${Math.max(...left)}; an earlier edit may have skipped this one.`,
    name,
  );
};

const layersOf = (edit: OrderEdit): readonly LayerName[] => {
  if (edit.kind !== 'swap') return [edit];
  return edit.layers.map((layer) => ({ layer, ...(edit.stack === undefined ? {} : { stack: edit.stack }) }));
};

const changedBy = (order: readonly Segment[], edit: OrderEdit): Segment[] => {
  if (edit.kind === 'swap') {
    const [a, b] = layersOf(edit).map((name) => placeOf(order, name)) as [number, number];
    return order.map((s, i) => (i === a ? order[b] : i === b ? order[a] : s) ?? s);
  }
  const at = placeOf(order, edit);
  if (edit.kind === 'repeat') return order.flatMap((s, i) => (i === at ? [s, s] : [s]));
  const gone = order[at];
  return order.filter((s) => s !== gone);
};

/**
 * The segments in the order in which they run.
 * @throws UsageError EDIT_INVALID for a layer that is not there
 */
export const runOrder = (program: Program, edits: readonly OrderEdit[]): readonly Instance[] => {
  for (const name of edits.flatMap(layersOf)) checkStack(program.segments, name);
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
