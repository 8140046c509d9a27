import { concat, type Tensor } from '../../tensor/index.js';

/** Rows of the stream that go through an instance in one call. */
export const mostRows = 1024;

/** Variants that are led through the model together: their rows, and the numbers in these. */
export const sweptAtOnce = { rows: 2 ** 13, numbers: 2 ** 23 } as const;

/** What was computed in several calls, joined along an axis. */
export const joined = (parts: readonly ReadonlyMap<string, Tensor>[], axis = 0): ReadonlyMap<string, Tensor> => {
  const [first] = parts;
  if (!first || parts.length === 1) return first ?? new Map<string, Tensor>();
  const all = (name: string): Tensor[] => parts.flatMap((p) => p.get(name) ?? []);
  return new Map([...first.keys()].map((name) => [name, concat(all(name), axis)] as const));
};
