import { Compilations, type Compiled, type Form } from '../../engine/index.js';
import type { Segment } from '../../graph/index.js';

/** Segments that a model has compiled, or will: they stay its own. */
export interface Lent {
  readonly compilations: Compilations;
  readonly segments: ReadonlySet<Segment>;
}

/** Compiles what is changed, and borrows the rest: a try changes one segment, and a model has dozens. */
export class Borrowed extends Compilations {
  constructor(
    readonly lent: Lent,
    own: Pick<Compilations, 'backend' | 'weights'>,
  ) {
    super(own.backend, own.weights);
  }

  override get(segment: Segment, form: Form): Promise<Compiled> {
    return this.lent.segments.has(segment) ? this.lent.compilations.get(segment, form) : super.get(segment, form);
  }
}
