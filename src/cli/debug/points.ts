import { parsePlace, type Target } from '../../debugger/index.js';
import type { PointSpec } from '../../protocol/index.js';
import { printable } from '../printable.js';
import { granted, wholeNumber, wrong, type Command, type Console } from './console.js';

/** The first line from this one on at which a run can stand. */
const lineToStop = (line: number, { about }: Target): number => {
  const { listing } = about;
  for (let at = line; at <= listing.length; at++) if (listing[at - 1]?.stops) return at;
  throw wrong(`there is no line ${line} to stop at`, `The listing has ${listing.length} lines: \`list\` shows them.`);
};

/**
 * Where a breakpoint is: a line, sites, layers, a token, or some of these together; left out, the beginning of this step.
 * @throws UsageError COMMAND_INVALID; AMBIGUOUS_TOKEN for a text that is no one token
 */
const placeOf = async (where: string, target: Target): Promise<Partial<PointSpec>> => {
  if (where === '') return { steps: [target.state.position.step] };
  const { line, ...place } = parsePlace(where);
  if (place.fed !== undefined && target.about.kind === 'engine') await target.view({ ask: 'token', name: place.fed });
  return { ...place, ...(line === undefined ? {} : { lines: [lineToStop(line, target)] }) };
};

const counted = (times: number): string => (times === 1 ? 'once' : `${times} times`);

const add = async ({ target }: Console, spec: PointSpec): Promise<string> => {
  const { added } = await target.points({ add: [spec] });
  return `breakpoint ${granted(added[0]).id}: ${printable(spec.label)}`;
};

/** `break PLACE [if EXPRESSION]` */
export const addBreakpoint = async (rest: string, console: Console, temporary: boolean): Promise<string> => {
  const [, where = '', condition] = /^(.*?)(?:\s+if\s+(.*))?$/s.exec(rest) ?? [];
  const { target } = console;
  return add(console, {
    ...(await placeOf(where.trim(), target)),
    label: rest.trim() === '' ? `token ${target.state.position.step}` : rest.trim(),
    ...(condition === undefined ? {} : { condition }),
    ...(temporary ? { temporary } : {}),
  });
};

const numbered = (rest: string): { readonly id: number; readonly text: string } => {
  const [, id = '', text = ''] = /^(\S*)\s*(.*)$/s.exec(rest.trim()) ?? [];
  return { id: wholeNumber(id, 'a breakpoint'), text };
};

/** `condition N EXPRESSION`; without one it always stops. */
export const setCondition: Command['run'] = async (rest, { target }) => {
  const { id, text } = numbered(rest);
  const { changed } = await target.points({ change: [{ id, condition: text === '' ? null : text }] });
  granted(changed[0]);
  return text === '' ? `breakpoint ${id} always stops` : `breakpoint ${id} stops if ${printable(text)}`;
};

/** `ignore N COUNT` */
export const setIgnore: Command['run'] = async (rest, { target }) => {
  const { id, text } = numbered(rest);
  const ignore = wholeNumber(text, 'how often');
  const { changed } = await target.points({ change: [{ id, ignore }] });
  granted(changed[0]);
  return `breakpoint ${id} is passed ${counted(ignore)}`;
};

/** `delete N`, or all. */
export const remove: Command['run'] = async (rest, { target }) => {
  const { points } = await target.view({ ask: 'points' });
  const wanted = rest.trim() === '' ? points.map((p) => p.id) : [wholeNumber(rest, 'a breakpoint')];
  const { removed } = await target.points({ remove: wanted });
  if (removed.length === 0) return 'there is no such breakpoint';
  return removed.length === 1 ? 'deleted' : `deleted ${removed.length} breakpoints`;
};

/** In double quotes with JSON's escapes, in single ones as it stands. */
const textIn = (quoted: string): string => {
  if (quoted.startsWith("'")) return quoted.slice(1, -1);
  try {
    return String(JSON.parse(quoted));
  } catch (cause) {
    throw wrong(
      `the text cannot be read: ${(cause as Error).message}`,
      'Escapes are those of JSON; single quotes have none.',
    );
  }
};

/** `log PLACE "TEXT {EXPRESSION}"` */
export const addLog: Command['run'] = async (rest, console) => {
  const [, where = '', condition, quoted] =
    /^(.*?)(?:\s+if\s+(.*?))?\s*("(?:[^"\\]|\\.)*"|'.*')$/s.exec(rest.trim()) ?? [];
  if (quoted === undefined)
    throw wrong('a log point has a text in quotes', 'log layer 5 "norm {norm(blocks.5.resid_pre)}"');
  return add(console, {
    ...(await placeOf(where.trim(), console.target)),
    ...(condition === undefined ? {} : { condition }),
    ...{ label: `log ${rest.trim()}`, log: textIn(quoted) },
  });
};

/** `watch EXPRESSION`, `watch weight NAME` */
export const addWatch: Command['run'] = (rest, console) => {
  const text = rest.trim();
  if (text === '') throw wrong('watch what?', 'watch rank(" Paris"), watch weight NAME');
  return add(console, { label: `watch ${text}`, watch: text });
};

/** `catch KIND`, `catch off` */
export const catching: Command['run'] = async (rest, { target }) => {
  if (rest.trim() === 'off') {
    await target.points({ caught: [] });
    return 'nothing is caught';
  }
  const before = (await target.view({ ask: 'points' })).caught;
  const { caught } = await target.points({ caught: [...before, rest.trim()] });
  granted(caught.at(-1));
  return `catches ${(await target.view({ ask: 'points' })).caught.join(', ')}`;
};

/** `info breakpoints` */
export const listPoints = async ({ target }: Console): Promise<string> => {
  const { points, caught } = await target.view({ ask: 'points' });
  const lines = points.map(({ id, label, met, ignore = 0, temporary }) => {
    const times = met === 0 ? '' : `  met ${counted(met)}`;
    const passed = ignore === 0 ? '' : `  passed ${counted(ignore)} more`;
    return `${id}  ${printable(label)}${temporary ? '  once' : ''}${times}${passed}`;
  });
  return [...lines, ...caught.map((text) => `catch ${text}`)].join('\n') || 'no breakpoints';
};
