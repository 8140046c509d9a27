import type { OpLine } from './source.js';

/** Where a run stands: this operation of this instance of this step comes next. */
export interface Position {
  /** 0 is the prefill. */
  readonly step: number;
  /** Which of the step's instances; as many as there are where the step has ended. */
  readonly at: number;
  /** Which of the instance's operations. */
  readonly op: number;
}

/** How far a step goes: an operation, a module (attention, a norm), a layer, a token. */
export type Granularity = 'op' | 'module' | 'layer' | 'token';

export const isBefore = (a: Position, b: Position): boolean =>
  a.step !== b.step ? a.step < b.step : a.at !== b.at ? a.at < b.at : a.op < b.op;

/** Is this module the other one, or inside it? */
const isWithin = (module: string, outer: string): boolean => module === outer || module.startsWith(`${outer}.`);

/** The operation behind the module of the one at `op`, or behind the one itself where it is in none. */
export const endOfModule = (ops: readonly OpLine[], op: number): number => {
  const module = ops[op]?.module ?? '';
  if (module === '') return op + 1;
  let end = op + 1;
  while (end < ops.length && isWithin(ops[end]?.module ?? '', module)) end++;
  return end;
};

/** The first operation of the module of the one at `op`. */
export const startOfModule = (ops: readonly OpLine[], op: number): number => {
  const module = ops[op]?.module ?? '';
  let start = op;
  while (module !== '' && start > 0 && isWithin(ops[start - 1]?.module ?? '', module)) start--;
  return start;
};
