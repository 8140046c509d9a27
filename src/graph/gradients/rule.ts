import { bug } from '../../base/index.js';
import type { Value } from '../builder.js';

/** One operation of a graph, once the gradient of what it makes is there. */
export interface Reached {
  readonly inputs: readonly Value[];
  readonly output: Value;
  /** The gradient of the output, in its shape. */
  readonly upstream: Value;
  /** Of which operands a gradient is asked for, or of what they are made of. */
  readonly live?: readonly boolean[];
}

/**
 * Makes the gradient of one operand. It may be larger than the operand where that was stretched (the excess is summed
 * away) and smaller where all of its rows would be alike (it is stretched).
 */
export type Branch = () => Value;

/** An operator's gradient: for each operand how its gradient is made, or undefined where there is none. */
export type GradientRule<Attrs> = (attrs: Attrs, at: Reached) => readonly (Branch | undefined)[];

/** An operator through which no gradient goes: its result is constant or jumps. */
export const flat: GradientRule<object> = () => [];

/** The operand at `i`. */
export const operandOf = ({ inputs }: Pick<Reached, 'inputs'>, i: number): Value => {
  const value = inputs[i];
  if (!value) throw bug(`operand ${i} is missing`);
  return value;
};
