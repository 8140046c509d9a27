import { UsageError } from '../../base/index.js';
import { sizeOf, bytesPer, type Arena, type Tensor } from '../../tensor/index.js';
import { formatBytes } from '../bytes.js';

/** A value of a run as the host holds it. */
export interface HeldValue {
  readonly tensor: Tensor;
  readonly axes: readonly string[];
  /** Counts the captures of the run: which of them this is of. */
  readonly revision: number;
  readonly tokens: readonly { readonly text: string }[];
  readonly sourceTokens?: readonly { readonly text: string }[];
}

export type ValueArena = Arena<HeldValue>;

/** A run's name goes first: what is of one run begins alike. */
const runPrefix = (run: string): string => `${JSON.stringify(run)} `;
export const valueKey = (at: { readonly run: string; readonly step: number; readonly site: string }): string =>
  `${runPrefix(at.run)}${at.step} ${at.site}`;

export const tensorBytes = ({ shape, dtype }: Tensor): number => sizeOf(shape) * bytesPer[dtype];

/** Frees what a run holds. @returns its bytes */
export const dropRun = (arena: ValueArena, run: string): number =>
  arena
    .keys()
    .filter((key) => key.startsWith(runPrefix(run)))
    .reduce((sum, key) => sum + arena.delete(key), 0);

/**
 * Holds the values of a capture in place of the run's earlier ones; other runs' are dropped for it where need be.
 * @throws UsageError MEMORY_LIMIT where they do not fit all together
 */
export const holdRun = (arena: ValueArena, run: string, values: ReadonlyMap<string, HeldValue>): void => {
  const bytes = [...values.values()].reduce((sum, { tensor }) => sum + tensorBytes(tensor), 0);
  if (bytes > arena.limitBytes)
    throw new UsageError(
      `the values take ${formatBytes(bytes)}, the host holds up to ${formatBytes(arena.limitBytes)}`,
      {
        code: 'MEMORY_LIMIT',
        hint: 'Choose fewer sites or a shorter prompt.',
        details: { bytes, limit: arena.limitBytes },
      },
    );
  dropRun(arena, run);
  for (const [site, value] of values)
    arena.put(valueKey({ run, step: 0, site }), value, { bytes: tensorBytes(value.tensor) });
};

/** @throws UsageError SITE_NOT_CAPTURED */
export const heldAt = (arena: ValueArena, at: { run: string; step: number; site: string }): HeldValue => {
  const held = arena.get(valueKey(at));
  if (held) return held;
  throw new UsageError(`${at.site} of run ${at.run}, step ${at.step}, is not held`, {
    code: 'SITE_NOT_CAPTURED',
    hint: 'Capture it first; what was not looked at for long is dropped when room is needed.',
    details: { run: at.run, step: at.step, site: at.site },
  });
};
