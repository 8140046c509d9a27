import { UsageError } from '../../base/index.js';

/** How many numbers one evaluation may read, and how many it may hold in new tensors. */
export interface EvaluationLimits {
  readonly read: number;
  readonly made: number;
}

/** About a second of reading, and 128 MiB. */
export const evaluationLimits: EvaluationLimits = { read: 2 ** 28, made: 2 ** 24 };

/** Counts what an evaluation costs before the work is done. */
export class Budget {
  #read = 0;
  #made = 0;
  constructor(readonly limits: EvaluationLimits) {}

  /** @throws UsageError EXPRESSION_INVALID beyond the limit */
  read(count: number): void {
    this.#read += count;
    if (this.#read > this.limits.read) throw tooMuch('reads', this.#read, this.limits.read);
  }

  /** @throws UsageError EXPRESSION_INVALID beyond the limit */
  make(count: number): void {
    this.read(count);
    this.#made += count;
    if (this.#made > this.limits.made) throw tooMuch('copies', this.#made, this.limits.made);
  }
}

const tooMuch = (verb: string, count: number, limit: number): UsageError =>
  new UsageError(`this expression ${verb} at least ${count} numbers, more than the limit of ${limit}`, {
    code: 'EXPRESSION_INVALID',
    hint: 'Choose a smaller part with a selector such as [position=-1], or fewer functions.',
    details: { count, limit },
  });
