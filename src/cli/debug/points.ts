import type { Debuggee } from '../../service/index.js';
import { printable } from '../printable.js';
import { wholeNumber, wrong, type Command, type Console } from './console.js';
import { placeOf } from './places.js';
import { shownValue } from './show.js';

type Session = Debuggee['session'];
type Breakpoint = Session['breakpoints']['all'][number];

/** What is made of the debuggee that is run now: `run` begins another. */
const current = <T>(console: Console, make: (debuggee: Debuggee) => T): (() => T) => {
  const made = new WeakMap<Debuggee, { readonly value: T }>([[console.debuggee, { value: make(console.debuggee) }]]);
  return () => {
    const { debuggee } = console;
    const known = made.get(debuggee) ?? { value: make(debuggee) };
    made.set(debuggee, known);
    return known.value;
  };
};

/** A condition of a breakpoint, which outlasts a restart. @throws UsageError EXPRESSION_* */
export const conditionFor = (console: Console, text: string): Pick<Breakpoint, 'condition' | 'lowered'> => {
  const condition = current(console, (d) => d.condition(text));
  const lowered = current(console, (d) => d.lowered(text));
  return { condition: () => condition()(), lowered: (instance) => lowered()(instance) };
};

const numbered = (rest: string): { readonly id: number; readonly text: string } => {
  const [, id = '', text = ''] = /^(\S*)\s*(.*)$/s.exec(rest.trim()) ?? [];
  return { id: wholeNumber(id, 'a breakpoint'), text };
};

const unconditional = (label = ''): string => label.replace(/\s+if\s.*$/s, '');

/** `condition N EXPRESSION`; without one it always stops. */
export const setCondition: Command['run'] = (rest, console) => {
  const { id, text } = numbered(rest);
  const added = text === '' ? {} : conditionFor(console, text);
  const found = console.debuggee.session.breakpoints.replace(id, (point) => {
    if (point.value) throw wrong(`breakpoint ${id} watches a value`, 'Watch a comparison instead.');
    const { condition: _, lowered: __, ...plain } = point;
    const label = unconditional(point.label);
    return { ...plain, ...added, label: text === '' ? label : `${label} if ${text}` };
  });
  if (!found) throw wrong(`there is no breakpoint ${id}`, '`info breakpoints` lists them.');
  return text === '' ? `breakpoint ${id} always stops` : `breakpoint ${id} stops if ${printable(text)}`;
};

/** `ignore N COUNT` */
export const setIgnore: Command['run'] = (rest, { debuggee }) => {
  const { id, text } = numbered(rest);
  const count = wholeNumber(text, 'how often');
  const { breakpoints } = debuggee.session;
  if (!breakpoints.replace(id, (point) => ({ ...point, hits: breakpoints.met(id) + count + 1 })))
    throw wrong(`there is no breakpoint ${id}`, '`info breakpoints` lists them.');
  return `breakpoint ${id} is passed ${count} times`;
};

/** `log PLACE "TEXT {EXPRESSION}"` */
export const addLog: Command['run'] = (rest, console) => {
  const [, where = '', condition, quoted] =
    /^(.*?)(?:\s+if\s+(.*?))?\s*("(?:[^"\\]|\\.)*"|'.*')$/s.exec(rest.trim()) ?? [];
  if (quoted === undefined)
    throw wrong('a log point has a text in quotes', 'log layer 5 "norm {norm(blocks.5.resid_pre)}"');
  const template = textIn(quoted);
  const text = current(console, (d) => d.logText(template, shownValue));
  const point = console.debuggee.session.breakpoints.add({
    ...placeOf(where.trim(), console.debuggee),
    ...(condition === undefined ? {} : conditionFor(console, condition)),
    label: `log ${rest.trim()}`,
    log: async () => console.tell(printable(await text()())),
  });
  return `breakpoint ${point.id}: ${printable(point.label ?? '')}`;
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

/** `watch EXPRESSION`, `watch weight NAME` */
export const addWatch: Command['run'] = (rest, console) => {
  const text = rest.trim();
  if (text === '') throw wrong('watch what?', 'watch rank(" Paris"), watch weight NAME');
  const value = current(console, (d) => d.watch(text));
  const point = console.debuggee.session.breakpoints.add({ label: `watch ${text}`, value: () => value()() });
  return `breakpoint ${point.id}: ${printable(point.label ?? '')}`;
};

/** `catch KIND`, `catch off` */
export const catching: Command['run'] = async (rest, { debuggee }) => {
  const { session } = debuggee;
  if (rest.trim() === 'off') {
    session.exceptions = [];
    return 'nothing is caught';
  }
  const filter = await debuggee.exceptionFilter(rest);
  session.exceptions = [...session.exceptions.filter((e) => e.kind !== filter.kind || e.kind === 'lost'), filter];
  return `catches ${session.exceptions.map((e) => e.kind).join(', ')}`;
};

/** A line of `info breakpoints`. */
export const describe = (point: Breakpoint, { breakpoints }: Session): string => {
  const met = breakpoints.met(point.id);
  const times = met === 0 ? '' : `  met ${met} times`;
  return `${point.id}  ${printable(point.label ?? '')}${point.temporary ? '  once' : ''}${times}`;
};
