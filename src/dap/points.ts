import type { DebugProtocol } from '@vscode/debugprotocol';
import { nearest } from '../base/index.js';
import type { Stopping } from '../debugger/index.js';
import { siteIn } from '../engine/index.js';
import { matches, parseGlobs } from '../language/index.js';
import type { Debuggee } from '../service/index.js';
import { statistics, type Tensor } from '../tensor/index.js';
import type { Point } from './breakpoints.js';
import { sitesHere } from './sites.js';

type Asked = Pick<DebugProtocol.SourceBreakpoint, 'condition' | 'hitCondition' | 'logMessage'>;
type Wrong = { readonly wrong: string; readonly line?: number };

const rules = ({ condition, hitCondition, logMessage }: Asked): Asked => ({
  ...(condition === undefined ? {} : { condition }),
  ...(hitCondition === undefined ? {} : { hitCondition }),
  ...(logMessage === undefined ? {} : { logMessage }),
});

/** At a line of the listing, or at the next one that has an operation. */
export const linePoint = (line: number, asked: Asked, { session }: Debuggee): Point | Wrong => {
  const { lines } = session.source;
  for (let at = Math.max(1, line); at <= lines.length; at++)
    if (lines[at - 1]?.node !== undefined)
      return { kind: 'breakpoint', line: at, place: () => ({ lines: [at], label: `line ${at}` }), ...rules(asked) };
  return { wrong: `There is no operation at line ${line} or behind it.`, line };
};

/** At a line of the transcript: before the step that is fed this token. */
export const tokenPoint = (line: number, asked: Asked, { request }: Debuggee): Point | Wrong => {
  const step = Math.max(0, line - request.prompt.ids.length);
  if (step >= request.maxNewTokens + 1) return { wrong: 'The generation does not get so far.', line };
  return { kind: 'breakpoint', line, place: () => ({ steps: [step], label: `token ${step}` }), ...rules(asked) };
};

/** Before the operations that give some sites their values: `blocks.*.attn.pattern`. */
export const sitePoint = (name: string, asked: Asked, { session, model }: Debuggee): Point | Wrong => {
  const globs = parseGlobs(name.trim());
  const fits = (site: string): boolean => globs.some((glob) => matches(glob, site));
  const all = session.variant.order.flatMap((i) => i.segment.graph.sites.map((s) => siteIn(i, s.name)));
  const aliased = new Set([...model.program.facts.aliases].filter(([alias]) => fits(alias)).map(([, site]) => site));
  const site = (at: string): boolean => fits(at) || aliased.has(at);
  if (!all.some(site))
    return { wrong: `No site is called ${name}. Did you mean ${nearest(name, all).slice(0, 3).join(', ')}?` };
  return { kind: 'function breakpoint', place: () => ({ site, label: name }), ...rules(asked) };
};

/** Where a number that is NaN first arises: the operation, in this step. */
export interface FirstNan {
  readonly step: number;
  readonly at: number;
  readonly op: number;
  readonly count: number;
}

/** The first operation of an instance whose result holds NaN. */
const firstNan = async ({ session }: Debuggee, { instance, position }: Stopping): Promise<FirstNan | undefined> => {
  const sites = sitesHere(session).map((s) => s.name);
  const seen = [...(await session.look(sites)).values()];
  if (seen.every((tensor) => statistics(tensor).nan === 0)) return undefined;
  const ops = session.source.opsOf(instance.segment.id);
  const nodes = ops.map(({ node }) => node);
  const values: ReadonlyMap<string, Tensor> = await session.look([], nodes);
  for (const [op, node] of nodes.entries()) {
    const value = values.get(node);
    const count = value ? statistics(value).nan : 0;
    if (count > 0) return { step: position.step, at: position.at, op, count };
  }
  return undefined;
};

/**
 * Before the operation that first gives NaN in a step. Each instance is looked at once; what a NaN makes of all that
 * comes after it in its step stops no more.
 */
export const nanPoint = (condition: string | undefined, found: (first: FirstNan) => void): Point => ({
  kind: 'exception',
  ...(condition === undefined ? {} : { condition }),
  place: (debuggee) => {
    const known = new Map<string, FirstNan | undefined>();
    const first = new Map<number, FirstNan>();
    const lines = debuggee.session.source.lines.flatMap(({ node }, i) => (node === undefined ? [] : [i + 1]));
    return {
      ...{ lines, label: 'NaN' },
      condition: async (stopping) => {
        const { step, at, op } = stopping.position;
        const here = `${step}:${at}:${debuggee.edits.length}`;
        if (!known.has(here)) known.set(here, await firstNan(debuggee, stopping));
        const nan = known.get(here);
        if (nan?.op !== op) return false;
        const before = first.get(step);
        if (before && (before.at < at || (before.at === at && before.op < op))) return false;
        first.set(step, nan);
        found(nan);
        return true;
      },
    };
  },
});
