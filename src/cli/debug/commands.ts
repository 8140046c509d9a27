import { nearest } from '../../base/index.js';
import { formatEdit, formatExperiment } from '../../language/index.js';
import type { Debuggee, Stop } from '../../service/index.js';
import { heatmap } from '../heatmap.js';
import { wholeNumber, wrong, type Answer, type Command, type Console } from './console.js';
import { placeOf } from './places.js';
import { addLog, addWatch, catching, conditionFor, describe, setCondition, setIgnore } from './points.js';
import { rawValues, shownFrames, shownLines, shownStop, shownValue, shownWords } from './show.js';
import { toFloat32 } from '../../tensor/index.js';
import { writeTextFile } from '../../service/index.js';

const displayed = async ({ debuggee, displays }: Console): Promise<string[]> => {
  const lines: string[] = [];
  for (const [i, text] of displays.entries()) {
    const value = await debuggee.evaluate(text).then(shownValue, (error: unknown) => `– ${(error as Error).message}`);
    lines.push(`${i + 1}: ${text} = ${value}`);
  }
  return lines;
};

/** Moves the run, and shows where it came to. */
const moving =
  (move: (session: Debuggee['session'], rest: string) => Promise<Stop>): Command['run'] =>
  async (rest, console) => {
    const stop = await move(console.debuggee.session, rest);
    return [shownStop(console.debuggee, stop), ...(await displayed(console))].join('\n');
  };

/** As often as the argument says. */
const repeated = (move: (session: Debuggee['session']) => Promise<Stop>): Command['run'] =>
  moving(async (session, rest) => {
    const times = rest === '' ? 1 : wholeNumber(rest, 'how often');
    let stop = await move(session);
    for (let i = 1; i < times && stop.reason === 'step'; i++) stop = await move(session);
    return stop;
  });

/** `12`, `blocks.*.attn.pattern`, `layer 3`, `token 2`, each with `if EXPRESSION`. */
const addBreakpoint = (rest: string, console: Console, temporary: boolean): string => {
  const { debuggee } = console;
  const [, where = '', condition] = /^(.*?)(?:\s+if\s+(.*))?$/s.exec(rest) ?? [];
  const { session } = debuggee;
  const place = placeOf(where.trim(), debuggee);
  const point = session.breakpoints.add({
    ...place,
    label: rest.trim() === '' ? `token ${session.position.step}` : rest.trim(),
    ...(condition === undefined ? {} : conditionFor(console, condition)),
    ...(temporary ? { temporary } : {}),
  });
  return `breakpoint ${point.id}: ${point.label ?? ''}`;
};

const info = (rest: string, { debuggee, displays }: Console): string => {
  const { session } = debuggee;
  switch (rest.trim()) {
    case 'breakpoints':
    case 'b':
      return (
        [
          ...session.breakpoints.all.map((b) => describe(b, session)),
          ...session.exceptions.map((e) => `catch ${e.kind}`),
        ].join('\n') || 'no breakpoints'
      );
    case 'edits':
      return debuggee.edits.map((e, i) => `${i + 1}  ${formatEdit(e)}`).join('\n') || 'no changes';
    case 'display':
      return displays.map((d, i) => `${i + 1}  ${d}`).join('\n') || 'nothing is displayed';
    case 'sites':
      return (session.instance?.segment.graph.sites ?? []).map((s) => s.name).join('\n') || 'no sites here';
    default:
      throw wrong('info of what?', 'info breakpoints, info edits, info display, info sites');
  }
};

const edited =
  (word: string): Command['run'] =>
  async (rest, { debuggee }) => {
    const notes = await debuggee.edit(`${word} ${rest}`);
    return [...notes.map((n) => `note: ${n}`), `changed: ${word} ${rest}`].join('\n');
  };

const attention: Command['run'] = async (rest, { debuggee }) => {
  const [site = '', head = '0'] = rest.trim().split(/\s+/);
  const { tensor, axes } = await debuggee.value(site);
  if (axes.at(-2) !== 'query')
    throw wrong(`${site} is no attention pattern`, 'Name one, such as blocks.0.attn.pattern 2.');
  const [, heads = 0, queries = 0, keys = 0] = tensor.shape;
  const h = wholeNumber(head, 'a head');
  if (h >= heads) throw wrong(`there is no head ${h}`, `Heads go from 0 to ${heads - 1}.`);
  const data = toFloat32(tensor);
  const rows = Array.from({ length: queries }, (_, q) => [
    ...data.slice((h * queries + q) * keys, (h * queries + q + 1) * keys),
  ]);
  return heatmap(
    rows,
    debuggee.tokens.slice(-queries).map((t) => t.text),
  );
};

/** All commands, in the order of `help`. */
export const commands: readonly Command[] = [
  { names: ['break', 'b'], usage: 'break [LINE | SITES | layer N | token N] [if EXPRESSION]', help: 'Stop there. Without a place: at the beginning of this step.', examples: ['break 42', 'break blocks.*.attn.pattern if max(blocks.3.attn.pattern[query=-1]) > 0.9', 'break layer 5'], run: (rest, c) => addBreakpoint(rest, c, false) },
  { names: ['tbreak', 'tb'], usage: 'tbreak ...', help: 'The same, once.', run: (rest, c) => addBreakpoint(rest, c, true) },
  { names: ['condition'], usage: 'condition N [EXPRESSION]', help: 'Let a breakpoint stop only where this holds; without it, always.', examples: ['condition 1 norm(blocks.2.resid_post) > 30'], run: setCondition },
  { names: ['ignore'], usage: 'ignore N COUNT', help: 'Pass a breakpoint that often before it stops.', run: setIgnore },
  { names: ['log', 'dprintf'], usage: 'log PLACE [if EXPRESSION] "TEXT {EXPRESSION}"', help: 'Print this each time the run comes there, and go on.', examples: ['log layer 5 "norm {norm(blocks.5.resid_pre)}"'], run: addLog },
  { names: ['watch'], usage: 'watch EXPRESSION | weight NAME', help: 'Stop where a value is another than before; a comparison: where it crosses the bound; a weight: where an edited one is read first.', examples: ['watch rank(" Paris")', 'watch norm(blocks.2.resid_post) > 30'], run: addWatch },
  { names: ['catch'], usage: 'catch nan | inf | overflow16 | repetition | entropy [NATS] | lost TOKEN | off', help: 'Stop where a run goes wrong; numbers: at the operation in which it first arises.', examples: ['catch nan', 'catch entropy 0.5', 'catch lost " Paris"'], run: catching },
  { names: ['delete', 'd'], usage: 'delete N', help: 'Remove a breakpoint.', run: (rest, { debuggee }) => (debuggee.session.breakpoints.remove(wholeNumber(rest, 'a breakpoint')) ? 'deleted' : 'there is no such breakpoint') },
  { names: ['info', 'i'], usage: 'info breakpoints | edits | display | sites', help: 'What there is.', run: info },
  { names: ['run', 'r'], usage: 'run', help: 'Begin anew, with breakpoints and changes, and run to the first breakpoint.', run: async (rest, c) => { await c.restart(); return moving((s) => s.continue())(rest, c); } },
  { names: ['continue', 'c'], usage: 'continue', help: 'Run to the next breakpoint, or to the end.', run: moving((s) => s.continue()) },
  { names: ['step', 's'], usage: 'step [N]', help: 'To the next operation.', run: repeated((s) => s.stepForward('op')) },
  { names: ['next', 'n'], usage: 'next [N]', help: 'Over the module that begins here: attention, a norm.', run: repeated((s) => s.stepForward('module')) },
  { names: ['finish', 'fin'], usage: 'finish', help: 'Out of the module; outside of any, out of the layer.', run: moving((s) => s.stepOut()) },
  { names: ['layer', 'l+'], usage: 'layer [N]', help: 'To the next layer.', run: repeated((s) => s.stepForward('layer')) },
  { names: ['token', 't'], usage: 'token [N]', help: 'To the next token.', run: repeated((s) => s.stepForward('token')) },
  { names: ['reverse-step', 'rs'], usage: 'reverse-step [N]', help: 'One operation back.', run: repeated((s) => s.stepBack('op')) },
  { names: ['reverse-next', 'rn'], usage: 'reverse-next [N]', help: 'One module back.', run: repeated((s) => s.stepBack('module')) },
  { names: ['reverse-layer', 'rl'], usage: 'reverse-layer [N]', help: 'One layer back.', run: repeated((s) => s.stepBack('layer')) },
  { names: ['reverse-token', 'rt'], usage: 'reverse-token [N]', help: 'One token back.', run: repeated((s) => s.stepBack('token')) },
  { names: ['reverse-continue', 'rc'], usage: 'reverse-continue', help: 'Back to the breakpoint before, or to the beginning.', run: moving((s) => s.reverseContinue()) },
  { names: ['goto'], usage: 'goto TOKEN', help: 'To the beginning of a step: 0 is the prefill.', run: moving((s, rest) => s.goTo({ step: wholeNumber(rest, 'a token'), at: 0, op: 0 })) },
  { names: ['where', 'bt'], usage: 'where', help: 'What the run is inside of, innermost first.', run: (_, { debuggee }) => shownFrames(debuggee) },
  { names: ['list', 'l'], usage: 'list [LINE]', help: 'The lines around here, or around another line.', run: (rest, { debuggee }) => shownLines(debuggee, 7, rest === '' ? undefined : wholeNumber(rest, 'a line')) },
  { names: ['print', 'p'], usage: 'print EXPRESSION', help: 'What an expression gives here.', examples: ['print norm(blocks.2.resid_post[position=-1])', 'print prob(" Paris")'], run: async (rest, { debuggee }) => shownValue(await debuggee.evaluate(rest)) },
  { names: ['display'], usage: 'display EXPRESSION', help: 'Print it at each stop.', run: async (rest, { debuggee, displays }) => { const value = shownValue(await debuggee.evaluate(rest)); displays.push(rest); return `${displays.length}: ${rest} = ${value}`; } },
  { names: ['undisplay'], usage: 'undisplay N', help: 'Print it no more.', run: (rest, { displays }) => (displays.splice(wholeNumber(rest, 'a display') - 1, 1).length > 0 ? 'gone' : 'there is no such display') },
  { names: ['x'], usage: 'x SITE [ROWS]', help: 'The raw numbers of a site.', run: async (rest, { debuggee }) => { const [site = '', rows = '10'] = rest.trim().split(/\s+/); return rawValues((await debuggee.value(site)).tensor, wholeNumber(rows, 'rows')); } },
  { names: ['words', 'w'], usage: 'words [N]', help: 'What the model says next; inside a step, what it would say if it ended here.', run: async (rest, { debuggee }) => shownWords(await debuggee.words(rest === '' ? 5 : wholeNumber(rest, 'how many'))) },
  { names: ['attention', 'a'], usage: 'attention SITE HEAD', help: 'Where a head looks, as a picture.', examples: ['attention blocks.0.attn.pattern 2'], run: attention },
  ...['set', 'scale', 'add', 'weight', 'replace', 'skip', 'repeat', 'swap', 'drop', 'force', 'temperature', 'top-k', 'top-p', 'min-p', 'repetition-penalty', 'seed'].map((word): Command => ({ names: [word], usage: `${word} ...`, help: `A change, in the edit language; it counts from this layer on.`, run: edited(word) })),
  { names: ['undo', 'u'], usage: 'undo', help: 'Take the last change back.', run: async (_, { debuggee }) => ((await debuggee.undo()) ? 'undone' : 'there is nothing to undo') },
  { names: ['redo'], usage: 'redo', help: 'Make it again.', run: async (_, { debuggee }) => ((await debuggee.redo()) ? 'made again' : 'there is nothing to redo') },
  { names: ['save'], usage: 'save FILE', help: 'The changes as an experiment.', run: async (rest, { debuggee }) => { await writeTextFile(rest.trim(), formatExperiment({ experiment: 1, edits: debuggee.edits })); return `wrote ${rest.trim()}`; } },
  { names: ['help', 'h'], usage: 'help [COMMAND]', help: 'This.', run: (rest) => helpText(rest.trim()) },
  { names: ['quit', 'q'], usage: 'quit', help: 'Leave.', run: () => undefined },
]; // prettier-ignore

const helpText = (name: string): string => {
  if (name === '') return commands.map((c) => `  ${c.usage.padEnd(58)}${c.help}`).join('\n');
  const found = commands.find((c) => c.names.includes(name));
  if (!found) throw wrong(`there is no command ${name}`, '`help` shows all.');
  return [
    `${found.usage}   (${found.names.join(', ')})`,
    `  ${found.help}`,
    ...(found.examples ?? []).map((e) => `  ${e}`),
  ].join('\n');
};

/**
 * Carries out one line.
 * @returns what it prints; undefined ends the session
 * @throws UsageError COMMAND_INVALID, and what the command throws
 */
export const execute = async (line: string, console: Console): Promise<Answer> => {
  const [, word = '', rest = ''] = /^\s*(\S*)\s*(.*?)\s*$/s.exec(line) ?? [];
  if (word === '' || word.startsWith('#')) return '';
  const command = commands.find((c) => c.names.includes(word));
  if (command) return command.run(rest, console);
  const near = nearest(
    word,
    commands.flatMap((c) => c.names),
  );
  throw wrong(`there is no command ${word}`, `Did you mean ${near.slice(0, 3).join(', ')}? \`help\` shows all.`);
};
