import type { DebugProtocol } from '@vscode/debugprotocol';
import { UsageError } from '../base/index.js';
import { parsePlace } from '../debugger/index.js';
import type { PointSpec, TargetAbout } from '../protocol/index.js';
import type { Point, Wrong } from './breakpoints.js';

type Asked = Pick<DebugProtocol.SourceBreakpoint, 'condition' | 'hitCondition' | 'logMessage'>;

const rules = ({ condition, hitCondition, logMessage }: Asked): Partial<PointSpec> => ({
  ...(condition === undefined ? {} : { condition }),
  ...(hitCondition === undefined || hitCondition.trim() === '' ? {} : { hits: hitCondition }),
  ...(logMessage === undefined ? {} : { log: logMessage }),
});

/** At a line of the listing, or at the next one that a run can stand at. */
export const linePoint = (line: number, asked: Asked, { listing }: TargetAbout): Point | Wrong => {
  for (let at = Math.max(1, line); at <= listing.length; at++)
    if (listing[at - 1]?.stops)
      return { kind: 'breakpoint', line: at, spec: { lines: [at], label: `line ${at}`, ...rules(asked) } };
  return { wrong: `There is no operation at line ${line} or behind it.`, line };
};

/** At a line of the transcript: before the step that is fed this token. */
export const tokenPoint = (line: number, asked: Asked, { prompt, maxNewTokens }: TargetAbout): Point | Wrong => {
  const step = Math.max(0, line - prompt.length);
  if (step >= maxNewTokens + 1) return { wrong: 'The generation does not get so far.', line };
  return { kind: 'breakpoint', line, spec: { steps: [step], label: `token ${step}`, ...rules(asked) } };
};

/**
 * Before the operations that give some sites their values, before layers, in the step that is fed a token:
 * `blocks.*.attn.pattern`, `layer 3`, `token " Paris"`, or several of these together.
 */
export const namedPoint = (name: string, asked: Asked, about: TargetAbout): Point | Wrong => {
  const whole = { label: name, ...rules(asked) };
  if (about.kind === 'process') return { kind: 'function breakpoint', spec: { sites: name.trim(), ...whole } };
  try {
    const { line, ...place } = parsePlace(name);
    if (line === undefined) return { kind: 'function breakpoint', spec: { ...place, ...whole } };
    return { wrong: 'Set a breakpoint at the line of the listing.' };
  } catch (error) {
    if (error instanceof UsageError) return { wrong: `${error.message}. ${error.info.hint}` };
    throw error;
  }
};

/** Where a value is another than it was: an expression, a site, `weight NAME`; with a bound, where that is crossed. */
export const dataPoint = ({ dataId, condition, hitCondition }: DebugProtocol.DataBreakpoint): Point | Wrong => {
  const bound = condition?.trim() ?? '';
  if (hitCondition !== undefined && hitCondition.trim() !== '') return { wrong: 'Changes of a value are not counted.' };
  if (bound !== '' && !/^(<|>|==|!=)/.test(bound)) return { wrong: 'Write a bound that is crossed, such as > 50.' };
  const text = bound === '' ? dataId : `(${dataId}) ${bound}`;
  return { kind: 'data breakpoint', spec: { watch: text, label: text } };
};
