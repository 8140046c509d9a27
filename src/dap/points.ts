import type { DebugProtocol } from '@vscode/debugprotocol';
import { nearest } from '../base/index.js';
import { siteIn } from '../engine/index.js';
import { matches, parseGlobs } from '../language/index.js';
import type { Debuggee } from '../service/index.js';
import type { Point } from './breakpoints.js';

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

/** Where a value is another than it was: an expression, a site, `weight NAME`; with a bound, where that is crossed. */
export const dataPoint = ({ dataId, condition, hitCondition }: DebugProtocol.DataBreakpoint): Point | Wrong => {
  const bound = condition?.trim() ?? '';
  if (hitCondition !== undefined && hitCondition.trim() !== '') return { wrong: 'Changes of a value are not counted.' };
  if (bound !== '' && !/^(<|>|==|!=)/.test(bound)) return { wrong: 'Write a bound that is crossed, such as > 50.' };
  const text = bound === '' ? dataId : `(${dataId}) ${bound}`;
  const place: Point['place'] = (debuggee) => ({ label: text, value: debuggee.watch(text) });
  return { kind: 'data breakpoint', place };
};
