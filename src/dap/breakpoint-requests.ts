import type { DebugProtocol } from '@vscode/debugprotocol';
import { z } from 'zod';
import { UsageError } from '../base/index.js';
import type { Point } from './breakpoints.js';
import { linePoint, dataPoint, sitePoint, tokenPoint } from './points.js';
import { row, type Row } from './row.js';
import { namedSource, sourceOf } from './sources.js';

const source = z.object({ path: z.string().optional(), sourceReference: z.int().optional() });
const rules = {
  condition: z.string().optional(),
  hitCondition: z.string().optional(),
  logMessage: z.string().optional(),
};
const line = z.int().min(0);
const asked = z.object({ line, ...rules });
const most = 100_000;

const setBreakpoints = z.object({
  source,
  breakpoints: z.array(asked).max(most).optional(),
  /** As clients of old gave them. */
  lines: z.array(line).max(most).optional(),
});

const filterOption = z.object({ filterId: z.string(), condition: z.string().optional() });
const setExceptions = z.object({
  filters: z.array(z.string()).default([]),
  filterOptions: z.array(filterOption).default([]),
});

const dataInfo = z.object({ variablesReference: z.int().default(0), name: z.string() });
const dataAsked = z.object({
  dataId: z.string(),
  condition: z.string().optional(),
  hitCondition: z.string().optional(),
});

const wrongOf = (error: unknown): { readonly wrong: string } => {
  if (error instanceof UsageError) return { wrong: `${error.message}. ${error.info.hint}` };
  throw error;
};

/** Requests about breakpoints. Each sets all of its kind anew. */
export const breakpointRequests: readonly (readonly [string, Row])[] = [
  [
    'setBreakpoints',
    row('live', setBreakpoints, (session, given) => {
      const { debuggee, listing } = session.live;
      const { firstLine } = session.client;
      const wanted: readonly z.output<typeof asked>[] =
        given.breakpoints ?? (given.lines ?? []).map((at) => ({ line: at }));
      const name = namedSource(given.source, listing);
      if (!name) {
        const message = `This is not the listing of the model, which is ${listing.path}.`;
        return { breakpoints: wanted.map((b) => ({ verified: false, message, line: b.line })) };
      }
      const point = name === 'listing' ? linePoint : tokenPoint;
      const points = wanted.map((b) => point(b.line + 1 - firstLine, withoutUndefined(b), debuggee));
      const set = session.book.replace(name, points, debuggee);
      return { breakpoints: set.map((b) => shown(b, firstLine, sourceOf(name, listing))) };
    }),
  ],
  [
    'setFunctionBreakpoints',
    row(
      'live',
      z.object({ breakpoints: z.array(z.object({ name: z.string(), ...rules })).max(most) }),
      (session, given) => {
        const { debuggee } = session;
        const points = given.breakpoints.map((b) => safely(() => sitePoint(b.name, withoutUndefined(b), debuggee)));
        return { breakpoints: session.book.replace('functions', points, debuggee) };
      },
    ),
  ],
  [
    'setExceptionBreakpoints',
    row('live', setExceptions, async (session, { filters, filterOptions }) => {
      const wanted = [...filters, ...filterOptions.map((o) => `${o.filterId} ${o.condition ?? ''}`)];
      const { debuggee } = session;
      const made = await Promise.all(wanted.map((text) => debuggee.exceptionFilter(text).catch(wrongOf)));
      session.catch(made.flatMap((filter) => ('wrong' in filter ? [] : [filter])));
      return {
        breakpoints: made.map((filter) =>
          'wrong' in filter ? { verified: false, message: filter.wrong } : { verified: true },
        ),
      };
    }),
  ],
  [
    'dataBreakpointInfo',
    row('live', dataInfo, ({ debuggee, variables }, { variablesReference, name }) => {
      const dataId = variablesReference > 0 ? variables.watchable(variablesReference, name) : name.trim();
      try {
        debuggee.watch(dataId);
        return { dataId, description: dataId, accessTypes: ['write'], canPersist: true };
      } catch (error) {
        return { dataId: null, description: wrongOf(error).wrong };
      }
    }),
  ],
  [
    'setDataBreakpoints',
    row('live', z.object({ breakpoints: z.array(dataAsked).max(most) }), (session, given) => {
      const points = given.breakpoints.map((b) => dataPoint({ dataId: b.dataId, ...withoutUndefined(b) }));
      return { breakpoints: session.book.replace('data', points, session.debuggee) };
    }),
  ],
  [
    'breakpointLocations',
    row('live', z.object({ source, line, endLine: line.optional() }), (session, given) => {
      const { debuggee, listing } = session.live;
      const { firstLine } = session.client;
      if (namedSource(given.source, listing) !== 'listing') return { breakpoints: [] };
      const [from, to] = [given.line, given.endLine ?? given.line].map((at) => at + 1 - firstLine);
      const lines = debuggee.session.source.lines.flatMap(({ node }, i) => (node === undefined ? [] : [i + 1]));
      const inside = lines.filter((at) => at >= (from ?? 1) && at <= (to ?? 0));
      return { breakpoints: inside.map((at) => ({ line: at - 1 + firstLine })) };
    }),
  ],
];

const shown = (
  point: DebugProtocol.Breakpoint,
  firstLine: 0 | 1,
  at: DebugProtocol.Source,
): DebugProtocol.Breakpoint => ({
  ...point,
  ...(point.line === undefined ? {} : { line: point.line - 1 + firstLine }),
  source: at,
});

/** What zod leaves as `undefined` is left out. */
const withoutUndefined = <T extends object>(given: T) =>
  Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)) as {
    [K in keyof T]?: Exclude<T[K], undefined>;
  };

const safely = (make: () => Point | { wrong: string }): Point | { wrong: string } => {
  try {
    return make();
  } catch (error) {
    return wrongOf(error);
  }
};
