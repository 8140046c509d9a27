import type { DebugProtocol } from '@vscode/debugprotocol';
import { z } from 'zod';
import { UsageError } from '../base/index.js';
import type { Target } from '../debugger/index.js';
import type { Point, Wrong } from './breakpoints.js';
import { addressAt, lineAt } from './instructions.js';
import { dataPoint, linePoint, namedPoint, tokenPoint } from './points.js';
import { row, type Row } from './row.js';
import type { Session } from './session.js';
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

const instruction = z.object({ instructionReference: z.string(), offset: z.int().default(0), ...rules });

const wrongOf = (error: unknown): Wrong => {
  if (error instanceof UsageError) return { wrong: `${error.message}. ${error.info.hint}` };
  throw error;
};

/** Is this something that can be watched? */
const watchable = async (session: Session, dataId: string): Promise<Wrong | undefined> => {
  const { added } = await session.target.points({ add: [{ label: dataId, watch: dataId }] });
  const [answer] = added;
  if (answer && 'id' in answer) {
    await session.target.points({ remove: [answer.id] });
    return undefined;
  }
  return { wrong: `${answer?.error.message ?? ''}. ${answer?.error.hint ?? ''}` };
};

/** A breakpoint at an operation's address. */
const instructionPoint = (given: z.output<typeof instruction>, { about }: Target): Point | Wrong => {
  const line = lineAt(given.instructionReference, given.offset);
  if (line === undefined) return { wrong: `${given.instructionReference} is no operation's address.` };
  const point = linePoint(line, withoutUndefined(given), about);
  return 'wrong' in point
    ? point
    : { ...point, kind: 'instruction breakpoint', instruction: addressAt(point.line ?? 0) };
};

/** Requests about breakpoints. Each sets all of its kind anew. */
export const breakpointRequests: readonly (readonly [string, Row])[] = [
  [
    'setBreakpoints',
    row('live', setBreakpoints, async (session, given) => {
      const { target, listing } = session.live;
      const { firstLine } = session.client;
      const wanted: readonly z.output<typeof asked>[] =
        given.breakpoints ?? (given.lines ?? []).map((at) => ({ line: at }));
      const name = namedSource(given.source, listing);
      if (!name) {
        const message = `This is not the listing of the model, which is ${listing.path}.`;
        return { breakpoints: wanted.map((b) => ({ verified: false, message, line: b.line })) };
      }
      const point = name === 'listing' ? linePoint : tokenPoint;
      const points = wanted.map((b) => point(b.line + 1 - firstLine, withoutUndefined(b), target.about));
      const set = await session.book.replace(name, points);
      return { breakpoints: set.map((b) => shown(b, firstLine, sourceOf(name, listing))) };
    }),
  ],
  [
    'setFunctionBreakpoints',
    row(
      'live',
      z.object({ breakpoints: z.array(z.object({ name: z.string(), ...rules })).max(most) }),
      async (session, given) => {
        const points = given.breakpoints.map((b) => namedPoint(b.name, withoutUndefined(b), session.target.about));
        return { breakpoints: await session.book.replace('functions', points) };
      },
    ),
  ],
  [
    'setInstructionBreakpoints',
    row('live', z.object({ breakpoints: z.array(instruction).max(most) }), async (session, given) => {
      const points = given.breakpoints.map((b) => instructionPoint(b, session.target));
      const set = await session.book.replace('instructions', points);
      return { breakpoints: set.map(({ line: _, ...b }) => b) };
    }),
  ],
  [
    'setExceptionBreakpoints',
    row('live', setExceptions, async (session, { filters, filterOptions }) => {
      const wanted = [...filters, ...filterOptions.map((o) => `${o.filterId} ${o.condition ?? ''}`)];
      const { caught } = await session.target.points({ caught: wanted });
      return {
        breakpoints: caught.map((filter) =>
          'error' in filter
            ? { verified: false, message: `${filter.error.message}. ${filter.error.hint}` }
            : { verified: true },
        ),
      };
    }),
  ],
  [
    'dataBreakpointInfo',
    row('live', dataInfo, async (session, { variablesReference, name }) => {
      try {
        const dataId =
          variablesReference > 0 ? await session.variables.watchable(variablesReference, name) : name.trim();
        const wrong = await watchable(session, dataId);
        if (wrong) return { dataId: null, description: wrong.wrong };
        return { dataId, description: dataId, accessTypes: ['write'], canPersist: true };
      } catch (error) {
        return { dataId: null, description: wrongOf(error).wrong };
      }
    }),
  ],
  [
    'setDataBreakpoints',
    row('live', z.object({ breakpoints: z.array(dataAsked).max(most) }), async (session, given) => {
      const points = given.breakpoints.map((b) => dataPoint({ dataId: b.dataId, ...withoutUndefined(b) }));
      return { breakpoints: await session.book.replace('data', points) };
    }),
  ],
  [
    'breakpointLocations',
    row('live', z.object({ source, line, endLine: line.optional() }), (session, given) => {
      const { target, listing } = session.live;
      const { firstLine } = session.client;
      if (namedSource(given.source, listing) !== 'listing') return { breakpoints: [] };
      const [from, to] = [given.line, given.endLine ?? given.line].map((at) => at + 1 - firstLine);
      const lines = target.about.listing.flatMap(({ stops }, i) => (stops ? [i + 1] : []));
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
