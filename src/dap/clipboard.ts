import { UsageError, type Json } from '../base/index.js';
import type { Result } from './evaluate.js';
import { evaluated } from './evaluate.js';
import type { Session } from './session.js';

/** What is copied at the most, in bytes of float32: a million numbers. */
const mostBytes = 4 * 2 ** 20;

const numberOf = (x: number): Json => (Number.isFinite(x) ? x : String(x));

/** Numbers in the order of a tensor as lists in lists. @param shape of what is left */
const nested = (numbers: Float32Array, shape: readonly number[]): Json => {
  const [extent = 1, ...rest] = shape;
  if (rest.length === 0) return Array.from(numbers, numberOf);
  const size = rest.reduce((n, e) => n * e, 1);
  return Array.from({ length: extent }, (_, i) => nested(numbers.subarray(i * size, (i + 1) * size), rest));
};

/**
 * A value to be put on the clipboard: of a tensor all numbers, as JSON's lists in lists, those that are none as texts.
 * @throws UsageError EXPRESSION_*, SITE_*; MEMORY_LIMIT for more than a million numbers
 */
export const copied = async (expression: string, { target, variables }: Session): Promise<Result> => {
  const { ref, shape } = await target.view({ ask: 'evaluate', expression });
  if (ref === undefined || shape === undefined) return evaluated(expression, variables);
  const { bytes = new Uint8Array(), total } = await target.view({ ask: 'bytes', ref, offset: 0, count: mostBytes });
  if (bytes.length < total)
    throw new UsageError(`${expression} has ${total / 4} numbers, too many for a clipboard`, {
      code: 'MEMORY_LIMIT',
      hint: 'Choose a part of it, such as [position=-1], or read its memory.',
    });
  const numbers = new Float32Array(bytes.slice().buffer);
  return { result: JSON.stringify(nested(numbers, shape)), variablesReference: 0 };
};
