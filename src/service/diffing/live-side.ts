import { UsageError, type JsonObject } from '../../base/index.js';
import { bytesPer, sizeOf } from '../../tensor/index.js';
import type { LiveTarget } from '../debugging/live/index.js';
import { attachTo } from '../live/open-live.js';
import type { OpenSide } from './side.js';

/** What a pass in the process is given. */
export interface LivePrompt {
  readonly ids: readonly number[];
  /** Of an encoder-decoder: all that its decoder is given. */
  readonly targetIds?: readonly number[] | undefined;
}

/**
 * Attaches to a process for one comparison, and lets it go again.
 * @throws UsageError AGENT_REFUSED; EngineError AGENT_UNREACHABLE, AGENT_LOST
 */
export const withLive = async (
  name: string,
  token: string | undefined,
  work: (target: LiveTarget) => Promise<void>,
): Promise<void> => {
  const target = await attachTo(name, token);
  try {
    await work(target);
  } finally {
    await target.dispose();
  }
};

/** The prompt's ids, by the tokenizer that the process gave its agent. @throws UsageError OPTION_INVALID, TOKENIZER_MISSING */
export const livePrompt = async (
  target: LiveTarget,
  { prompt, ids, targetIds }: { prompt?: string | undefined; ids?: number[] | undefined; targetIds?: number[] | undefined }, // prettier-ignore
): Promise<LivePrompt> => {
  if (ids) return { ids, targetIds };
  if (prompt === undefined)
    throw new UsageError('there is no prompt', {
      code: 'OPTION_INVALID',
      hint: 'Give one with --prompt "TEXT" or --ids 1,2,3; where both sides are processes, a chat is not written out.',
    });
  const encoded = await target.ranks.one.connection.request('encode', { text: prompt });
  return { ids: encoded.ids, targetIds };
};

/** How most of its numbers are stored. */
const storedAs = ({ model }: LiveTarget): string => {
  const counts = new Map<string, number>();
  for (const { dtype, shape } of model.weights.values()) counts.set(dtype, (counts.get(dtype) ?? 0) + sizeOf(shape));
  return [...counts].sort(([, x], [, y]) => y - x)[0]?.[0] ?? 'float32';
};

/** The fields of its config that a file's config has too: a live one has every default besides. */
export const likeFields = (config: JsonObject, file: JsonObject | undefined): JsonObject => {
  const told = /^(_.*|architectures|transformers_version|(torch_)?dtype|use_cache)$/;
  return Object.fromEntries(
    Object.entries(file ?? {}).map(([key, value]) => [key, told.test(key) ? value : (config[key] ?? value)]),
  );
};

const mostNamed = 6;

/** What its family has and no module of it takes or gives, by the site's name in its layer. */
const lackOf = (name: string, { model }: LiveTarget): readonly string[] => {
  const lacks = [...new Set([...model.known.missing].map((site) => site.replace(/^(.*\.)?blocks\.\d+\./, '')))];
  if (lacks.length === 0) return [];
  const more = lacks.length > mostNamed ? ` and ${lacks.length - mostNamed} more` : '';
  return [`no module of ${name} takes or gives ${lacks.slice(0, mostNamed).join(', ')}${more}: these are not compared`];
};

/**
 * A live process: what its modules take and give, of a pass that is run for it. Its sizes are asked for first; numbers
 * come for the sites that are read.
 */
export const liveSide = async (name: string, target: LiveTarget, given: LivePrompt): Promise<OpenSide> => {
  const { model } = target;
  const { ids, targetIds } = given;
  const names = model.known.sites.size > 0 ? [...model.known.sites.keys()] : [...model.names];
  const shapes = await target.captureShapes(ids, names, targetIds);
  const sites = names.filter((site) => shapes.has(site));
  return {
    told: { name, kind: 'live', model: model.description.summary, dtype: storedAs(target) },
    sites,
    axesOf: (site) => {
      const axes = model.find(site)?.axes ?? [];
      return axes.length > 0 ? axes : undefined;
    },
    bytesOf: (site) => sizeOf(shapes.get(site) ?? [0]) * bytesPer.float32,
    read: async (wanted) => {
      const known = wanted.filter((site) => shapes.has(site));
      if (known.length === 0) return new Map();
      const values = await target.capture(ids, known.join(','), targetIds);
      return new Map([...values].map(([site, { tensor }]) => [site, tensor]));
    },
    config: model.description.config,
    notes: [...model.notes, ...lackOf(name, target)],
  };
};
