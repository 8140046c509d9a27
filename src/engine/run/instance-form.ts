import type { Form } from './compiled.js';
import { siteIn, type Instance } from './order.js';
import type { ForwardRequest } from './request.js';

export type FormRequest = Pick<ForwardRequest, 'variant' | 'taps' | 'keeping'>;

/** The form in which a segment runs. `captured`: its sites that are asked for, by their names in the segment. */
export const formOf = (
  instance: Instance,
  captured: readonly string[],
  { variant, taps, keeping }: FormRequest,
): Form => {
  const { params, sites } = instance.segment.graph;
  const gradient = keeping?.formOf(instance);
  const all = sites.filter((s) => !s.onRequest).map((s) => s.name);
  return {
    edits: (variant.edits.get(instance.name) ?? []).map((e) => e.edit),
    weights: new Set(params.map((p) => p.name).filter((name) => variant.weights.has(name))),
    taps: taps === 'all' ? [...new Set([...all, ...captured])] : captured,
    ...(gradient ? { gradient } : {}),
  };
};

export const capturedIn = (instance: Instance, capture: ReadonlySet<string>): string[] =>
  instance.segment.graph.sites.map((s) => s.name).filter((name) => capture.has(siteIn(instance, name)));

/** Those of these sites that are made only when asked for. */
export const onRequest = ({ segment }: Instance, names: readonly string[]): readonly string[] =>
  segment.graph.sites.filter((site) => site.onRequest && names.includes(site.name)).map((site) => site.name);
