import { nearest } from '../../base/index.js';
import { matches, parseGlobs } from '../../language/index.js';
import type { Debuggee } from '../../service/index.js';
import { wholeNumber, wrong } from './console.js';

/** Where a breakpoint is: a line, sites, a layer, a token. @throws UsageError COMMAND_INVALID */
export const placeOf = (
  where: string,
  debuggee: Debuggee,
): { lines?: number[]; layers?: number[]; steps?: number[]; site?: (name: string) => boolean } => {
  const { session, model } = debuggee;
  if (where === '') return { steps: [session.position.step] };
  const layer = /^layer\s+(\d{1,9})$/.exec(where)?.[1];
  if (layer !== undefined) return { layers: [Number(layer)] };
  const token = /^token\s+(\d{1,9})$/.exec(where)?.[1];
  if (token !== undefined) return { steps: [Number(token)] };
  if (/^\d+$/.test(where)) return { lines: [lineWithOp(wholeNumber(where, 'a line'), debuggee)] };
  const globs = parseGlobs(where);
  const fits = (name: string): boolean => globs.some((glob) => matches(glob, name));
  const all = session.variant.order.flatMap((i) => i.segment.graph.sites.map((s) => s.name));
  const aliased = new Set([...model.program.facts.aliases].filter(([alias]) => fits(alias)).map(([, name]) => name));
  const site = (name: string): boolean => fits(name) || aliased.has(name);
  if (all.some(site)) return { site };
  throw wrong(`no site is called ${where}`, `Did you mean ${nearest(where, all).slice(0, 3).join(', ')}?`);
};

/** The first line from this one on at which a run can stand. */
const lineWithOp = (line: number, { session }: Debuggee): number => {
  const lines = session.source.lines;
  for (let at = line; at <= lines.length; at++) if (lines[at - 1]?.node !== undefined) return at;
  throw wrong(`there is no line ${line} to stop at`, `The listing has ${lines.length} lines: \`list\` shows them.`);
};
