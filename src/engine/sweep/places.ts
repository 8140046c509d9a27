import { UsageError } from '../../base/index.js';
import {
  downstream,
  handedOn,
  isRowwise,
  readName,
  typesOf,
  type Graph,
  type ValueId,
  type ValueType,
} from '../../graph/index.js';
import { editSite } from '../../graph/index.js';
import { placedSites, type PlacedSite } from '../experiment/sites.js';
import type { Instance } from '../run/order.js';
import type { SweepModel } from './model.js';
import { usualForm } from './model.js';

/**
 * How a change of a site is carried out in its instance. `input`: what is handed to it is changed; `output`: what it
 * hands on; `behind`: only what follows the site is computed, from values of the base run; `edit`: the instance runs
 * whole, the site's readers rewired.
 */
export type Way =
  | { readonly kind: 'input'; readonly handed: string }
  | { readonly kind: 'output'; readonly handed: string }
  | { readonly kind: 'behind'; readonly reads: readonly ValueId[]; readonly value: ValueId; readonly rowwise: boolean }
  | { readonly kind: 'edit' };

/** A site that a sweep changes. */
export interface SweptSite {
  readonly place: PlacedSite;
  readonly type: ValueType;
  readonly way: Way;
}

/** The graph of an instance with the edits that all runs have. */
export const editedGraph = (instance: Instance, { variant }: SweepModel): Graph =>
  usualForm(instance, variant).edits.reduce(editSite, instance.segment.graph);

const wayOf = (graph: Graph, { instance, site }: PlacedSite, model: SweepModel): Way => {
  const value = graph.sites.find((s) => s.name === site.name)?.value;
  if (value === undefined || site.partOf) return { kind: 'edit' };
  const input = graph.inputs.find((i) => i.id === value);
  if (input) return { kind: 'input', handed: readName(instance.segment, input.name) };
  const output = graph.outputs.find((o) => o.value === value);
  const isRead = graph.nodes.some((n) => n.inputs.includes(value));
  if (output && !isRead && handedOn(instance.segment).includes(output.name))
    return { kind: 'output', handed: output.name };
  const { graph: behind, reads } = downstream(graph, [site.name]);
  const shares = behind.inputs.some(({ name }) => Object.hasOwn(model.program.inputs, name));
  const rowwise =
    !shares &&
    instance.segment.stack !== 'encoder' &&
    isRowwise(behind) &&
    usualForm(instance, model.variant).edits.length === 0;
  return { kind: 'behind', reads, value, rowwise };
};

/**
 * The sites that a sweep changes, by name.
 * @throws UsageError OPTION_INVALID for a value that all sequences of a batch share
 */
export const sweptSites = (model: SweepModel, names: Iterable<string>): ReadonlyMap<string, SweptSite> => {
  const wanted = new Set(names);
  const graphs = new Map<string, Graph>();
  const places = placedSites(model.variant.order).filter((p) => wanted.has(p.name));
  return new Map(
    places.map((place) => {
      const { instance, type } = place;
      if (
        type.shape[0] !== 'batch' ||
        !type.shape.slice(1).every((d) => typeof d === 'number' || ['position', 'key', 'source'].includes(d))
      )
        throw new UsageError(
          `${place.name} is the same for all texts, so that it cannot differ from run to run of a sweep`,
          {
            code: 'OPTION_INVALID',
            hint: 'Change a value that depends on the text, such as attn.scores or attn.pattern.',
          },
        );
      const graph = graphs.get(instance.name) ?? editedGraph(instance, model);
      graphs.set(instance.name, graph);
      return [
        place.name,
        {
          place,
          type:
            typesOf(graph).get(graph.sites.find((s) => s.name === place.site.name)?.value ?? place.site.value) ?? type,
          way: wayOf(graph, place, model),
        },
      ];
    }),
  );
};
