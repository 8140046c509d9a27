import { z } from 'zod';
import { attributionMethods } from '../../protocol/index.js';

const text = z.string().max(1000);

/** How panels are set, where it is not as usual: of each page its own, and part of the address. */
export const panelSettings = z
  .object({
    attention: z
      .object({
        ...{ kind: z.enum(['self', 'encoder', 'cross']), value: z.enum(['pattern', 'scores', 'weighted']) },
        ...{ order: z.enum(['place', 'previous', 'first', 'same', 'after']), as: z.enum(['map', 'lines']) },
        ...{ of: z.enum(['heads', 'layer', 'rollout']), isHidden: z.boolean(), renormalise: z.boolean() },
        isStretched: z.boolean(),
        /** Heads whose mean is large. */
        chosen: z.array(z.object({ block: text, head: z.int().min(0) })).max(1024),
      })
      .partial(),
    attribution: z
      .object({ method: z.enum(attributionMethods), of: z.enum(['next', 'word', 'each']), versus: text })
      .extend({ granularity: z.enum(['token', 'word']) })
      .partial(),
    /** The name of the one that was chosen. */
    weight: text,
    /** What the model's picture is coloured by, if not by what the board shows. */
    picture: z.enum(['skip', 'time']),
  })
  .partial();
export type PanelSettings = z.infer<typeof panelSettings>;

/** Settings of a panel without those that are as usual. */
export const unusual = <T extends object>(settings: T, usual: { readonly [K in keyof T]?: unknown }): Partial<T> =>
  Object.fromEntries(
    Object.entries(settings).filter(([name, value]) => {
      const known = usual[name as keyof T];
      return value !== undefined && JSON.stringify(value) !== JSON.stringify(known);
    }),
  ) as Partial<T>;

/** All settings of a panel: as usual where nothing else is given. */
export const withUsual = <T extends object>(
  usual: T,
  given: { readonly [K in keyof T]?: T[K] | undefined } = {},
): T => ({
  ...usual,
  ...(Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as Partial<T>),
});

/** All settings with those of one panel in it; a panel that is set as usual is left out. */
export const withPanel = (all: PanelSettings, change: PanelSettings): PanelSettings =>
  Object.fromEntries(
    Object.entries({ ...all, ...change }).filter(
      ([, value]) => value !== undefined && (typeof value !== 'object' || Object.keys(value).length > 0),
    ),
  );
