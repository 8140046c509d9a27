import { bug } from '../../base/index.js';
import { paramInput, type Graph, type Program } from '../../graph/index.js';
import { concat, type Tensor } from '../../tensor/index.js';
import type { Tensors } from '../backend.js';
import { makeInput } from '../run/inputs.js';
import type { Instance } from '../run/order.js';
import type { LiveEdit, Variant } from '../run/request.js';
import type { Rows } from '../run/rows.js';

/** The same for each sequence of a batch. [1, ...] -> [batch, ...] */
export const tiled = <T extends Tensor>(tensor: T, batch: number): T =>
  batch === 1 ? tensor : concat<T>(new Array<T>(batch).fill(tensor), 0);

/** Inputs that segments share, made once for rows. */
export class SharedInputs {
  readonly #made = new Map<string, Tensor>();
  constructor(
    readonly program: Program,
    readonly rows: Rows,
  ) {}

  get(name: string): Tensor | undefined {
    const rule = this.program.inputs[name];
    const tensor = this.#made.get(name) ?? (rule ? makeInput(rule, this.rows) : undefined);
    if (tensor) this.#made.set(name, tensor);
    return tensor;
  }
}

/** What a graph is fed in a pass over some rows. */
export interface FeedSources {
  readonly instance: Instance;
  readonly graph: Graph;
  readonly variant: Variant;
  readonly edits: readonly LiveEdit[];
  readonly shared: SharedInputs;
  /** A value that was handed on, rows of earlier tokens, or one that is read from another run, by the input's name. */
  readonly given: (input: string) => Tensor | undefined;
}

/** A tensor for each input of a graph. @throws BugError INTERNAL where there is none */
export const feedsOf = ({ instance, graph, variant, edits, shared, given }: FeedSources): Tensors => {
  const numbers = new Map(edits.flatMap((e) => [...e.numbers(shared.rows)]));
  const weights = new Map([...variant.weights].map(([name, tensor]) => [paramInput(name), tensor]));
  return new Map(
    graph.inputs.map(({ name }) => {
      const tensor = numbers.get(name) ?? weights.get(name) ?? given(name) ?? shared.get(name);
      if (!tensor) throw bug(`nothing to feed ${name} of ${instance.name} with`);
      return [name, tensor];
    }),
  );
};
