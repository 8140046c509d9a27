import { UsageError } from '../../base/index.js';
import type { ExceptionFilter } from '../../debugger/index.js';
import { placedSites, unknownSite } from '../../engine/index.js';
import { matches, parseGlobs } from '../../language/index.js';
import type { PointSpec } from '../../protocol/index.js';
import type { Debuggee } from './debuggee.js';
import { refused, type PointRun } from './points.js';

/**
 * Which sites some globs mean, aliases included.
 * @throws UsageError SITE_UNKNOWN where there is none
 */
export const sitesMeant = (
  text: string,
  all: readonly string[],
  aliases: ReadonlyMap<string, string> = new Map(),
): ((name: string) => boolean) => {
  const globs = parseGlobs(text.trim());
  const fits = (name: string): boolean => globs.some((glob) => matches(glob, name));
  const aliased = new Set([...aliases].filter(([alias]) => fits(alias)).map(([, site]) => site));
  const meant = new Set(all.filter((name) => fits(name) || aliased.has(name)));
  if (meant.size === 0) throw unknownSite(text, all);
  return (name) => meant.has(name) || fits(name) || aliased.has(name);
};

/** Filters of the same kind take each other's place, but tokens that may be lost. */
const merged = (filters: readonly ExceptionFilter[]): readonly ExceptionFilter[] =>
  filters.filter((f, i) => f.kind === 'lost' || !filters.slice(i + 1).some((later) => later.kind === f.kind));

const never = (what: string, hint: string): UsageError => new UsageError(what, { code: 'COMMAND_INVALID', hint });

/** Does a run ever come there? @throws UsageError COMMAND_INVALID */
export const checkPlace = ({ model, request }: Debuggee, { layers = [], steps = [] }: PointSpec): void => {
  const known = model.program.segments.flatMap(({ layer }) => layer ?? []);
  const layer = layers.find((l) => !known.includes(l));
  if (layer !== undefined) throw never(`there is no layer ${layer}`, `Layers go from 0 to ${Math.max(...known)}.`);
  const { maxNewTokens } = request;
  const step = steps.find((s) => s > maxNewTokens);
  if (step !== undefined)
    throw never(
      `the generation does not get to token ${step}`,
      `It ends at ${maxNewTokens}: --max-new-tokens allows more.`,
    );
};

/** Points of a run of our engine. */
export const pointRunOf = (debuggee: Debuggee): PointRun => {
  const { session, model } = debuggee;
  const { breakpoints } = session;
  return {
    sites: (globs) =>
      sitesMeant(
        globs,
        placedSites(session.variant.order).map((p) => p.name),
        model.program.facts.aliases,
      ),
    check: (spec) => checkPlace(debuggee, spec),
    condition: (text) => ({ holds: debuggee.condition(text), lowered: debuggee.lowered(text) }),
    watch: (text) => debuggee.watch(text),
    logText: (template, shown) => debuggee.logText(template, shown),
    add: (point, id) => breakpoints.add(point, id),
    remove: (id) => breakpoints.remove(id),
    met: (id) => breakpoints.met(id),
    ignored: (id) => breakpoints.ignored(id),
    catch: async (texts) => {
      const made = await Promise.all(
        texts.map((text) => debuggee.exceptionFilter(text).catch((error: unknown) => refused(error))),
      );
      session.exceptions = merged(made.filter((m): m is ExceptionFilter => 'kind' in m));
      return made.map((m) => ('kind' in m ? { kind: m.kind } : m));
    },
  };
};
