import type { Program, ValueId } from '../../graph/index.js';
import type { Compilations, Form } from '../run/compiled.js';
import type { Instance } from '../run/order.js';
import type { ForwardRequest, Variant } from '../run/request.js';
import type { Elsewhere } from './swept.js';

/** What a sweep runs on: a model with the edits that all its runs have. */
export interface SweepModel {
  readonly program: Program;
  readonly compilations: Compilations;
  readonly variant: Variant;
  readonly onSegment?: ForwardRequest['onSegment'];
  /**
   * Do rows of groups stand side by side? The layers are made ready in another form for it, which holds their weights
   * again. Left out: where there are enough rows to be worth it.
   */
  readonly sideBySide?: 'always' | 'never';
  /** What runs it where our engine does not, as a live process does. */
  readonly elsewhere?: Elsewhere;
}

/** What is kept of each instance of a run: sites by their names in the segment, and values inside. */
export interface Kept {
  readonly sites: readonly string[];
  readonly values: readonly ValueId[];
}

/** The edits of an instance and the weights that are given to it, as every form of it has them. */
export const usualForm = ({ segment, name }: Instance, variant: Variant): Pick<Form, 'edits' | 'weights'> => ({
  edits: (variant.edits.get(name) ?? []).map((e) => e.edit),
  weights: new Set(segment.graph.params.map((p) => p.name).filter((param) => variant.weights.has(param))),
});

/** The form in which an instance runs whole: with all that is kept of it as outputs, so that one session does for all. */
export const wholeForm = (instance: Instance, variant: Variant, { sites, values }: Kept): Form => ({
  ...usualForm(instance, variant),
  taps: sites,
  ...(values.length === 0 ? {} : { values }),
});
