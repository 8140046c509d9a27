import { DebuggerError, nearest } from '../../base/index.js';
import type { Target } from '../../debugger/index.js';
import { formatExperiment, parseEdits } from '../../language/index.js';
import type { Motion, MoveResult, ScopeName, TargetChange } from '../../protocol/index.js';
import { readTextFile, writeFileWhole } from '../../service/index.js';
import { heatmap } from '../heatmap.js';
import { changeWords } from './changes.js';
import { wholeNumber, wrong, type Answer, type Command, type Console } from './console.js';
import { helpText } from './help.js';
import { addBreakpoint, addLog, addWatch, catching, listPoints, remove, setCondition, setIgnore } from './points.js';
import { restore } from './restore.js';
import {
  rawValues,
  shownComparison,
  shownFrames,
  shownItems,
  shownLens,
  shownLines,
  shownStop,
  shownValue,
  shownWords,
} from './show.js';

const displayed = async ({ target, displays }: Console): Promise<string[]> => {
  const lines: string[] = [];
  for (const [i, expression] of displays.entries()) {
    const value = await target
      .view({ ask: 'evaluate', expression })
      .then(shownValue, (error: unknown) => `– ${(error as Error).message}`);
    lines.push(`${i + 1}: ${expression} = ${value}`);
  }
  return lines;
};

const shownMove = async ({ stop }: MoveResult, console: Console): Promise<string> => {
  console.frame = 0;
  return [shownStop(console.target, stop), ...(await displayed(console))].join('\n');
};

const moved = async (motion: Motion, console: Console): Promise<string> =>
  shownMove(await console.move(motion), console);

/** Steps, as often as the argument says. */
const stepping =
  (by: Extract<Motion, { kind: 'step' }>['by'], back = false): Command['run'] =>
  (rest, console) =>
    moved({ kind: 'step', by, back, times: rest === '' ? 1 : Math.max(1, wholeNumber(rest, 'how often')) }, console);

const moving =
  (motion: Motion): Command['run'] =>
  (_, console) =>
    moved(motion, console);

const restart: Command['run'] = async (_, console) => {
  const { notes } = await console.target.apply({ change: 'restart' });
  return [...notes.map((n) => `note: ${n}`), await moved({ kind: 'continue' }, console)].join('\n');
};

/** Groups of values that `info` shows. */
export const scopeNames: readonly ScopeName[] = ['sites', 'inputs', 'outputs', 'attention', 'residual', 'words', 'statistics', 'tokens', 'cache', 'edits', 'weights', 'gradients', 'training', 'processes']; // prettier-ignore

const scopeOf = (word: string): ScopeName | undefined => scopeNames.find((name) => name === word);

const info: Command['run'] = async (rest, console) => {
  const { target, displays } = console;
  const word = rest.trim();
  if (word === 'breakpoints' || word === 'b') return listPoints(console);
  if (word === 'edits') return target.state.edits.map((e, i) => `${i + 1}  ${e}`).join('\n') || 'no changes';
  if (word === 'display') return displays.map((d, i) => `${i + 1}  ${d}`).join('\n') || 'nothing is displayed';
  const scope = scopeOf(word);
  if (scope === undefined) throw wrong('info of what?', `info breakpoints, display, ${scopeNames.join(', ')}`);
  const frame = target.state.frames[console.frame]?.kind ?? 'generation';
  const { scopes } = await target.view({ ask: 'scopes', frame });
  if (!scopes.some((s) => s.scope === scope)) return `no ${scope} here`;
  return shownItems((await target.view({ ask: 'scope', scope, frame })).items);
};

const otherChanges = new Set(changeWords.flatMap(({ names }) => names).filter((name) => name !== 'set'));

const edited =
  (word: string): Command['run'] =>
  async (rest, { target }) => {
    // `set weight ...` and `set temperature 0.5` are what one writes from habit.
    const [first = ''] = rest.trim().split(/\s/);
    const text = word === 'set' && otherChanges.has(first) ? rest.trim() : `${word} ${rest}`;
    const { notes } = await target.apply({ change: 'edit', text });
    return [...notes.map((n) => `note: ${n}`), `changed: ${text}`].join('\n');
  };

const undone =
  (change: 'undo' | 'redo', done: string): Command['run'] =>
  async (_, { target }) =>
    (await target.apply({ change })).done ? done : `there is nothing to ${change}`;

const mostRead = 4 * 2 ** 20;

/** A value's numbers. @throws UsageError SITE_* */
const numbersOf = async ({ target }: Console, ref: string) => {
  const { bytes, axes, shape } = await target.view({ ask: 'bytes', ref, offset: 0, count: mostRead });
  return { data: new Float32Array((bytes ?? new Uint8Array()).slice().buffer), axes, shape };
};

const attention: Command['run'] = async (rest, console) => {
  const [site = '', head = '0'] = rest.trim().split(/\s+/);
  const { data, axes, shape } = await numbersOf(console, site);
  if (axes.at(-2) !== 'query')
    throw wrong(`${site} is no attention pattern`, 'Name one, such as blocks.0.attn.pattern 2.');
  const [, heads = 0, queries = 0, keys = 0] = shape;
  const h = wholeNumber(head, 'a head');
  if (h >= heads) throw wrong(`there is no head ${h}`, `Heads go from 0 to ${heads - 1}.`);
  const rows = Array.from({ length: queries }, (_, q) => [
    ...data.slice((h * queries + q) * keys, (h * queries + q + 1) * keys),
  ]);
  return heatmap(
    rows,
    console.target.state.tokens.slice(-queries).map((t) => t.text),
  );
};

const raw: Command['run'] = async (rest, console) => {
  const [site = '', rows = '10'] = rest.trim().split(/\s+/);
  const { data, shape } = await numbersOf(console, site);
  const width = shape.at(-1) ?? 1;
  return rawValues(data.slice(0, width * wholeNumber(rows, 'rows')), width);
};

const chooseFrame = (to: number, console: Console): string => {
  const { frames } = console.target.state;
  if (to < 0 || to >= frames.length) throw wrong(`there is no frame ${to}`, '`where` shows those that there are.');
  console.frame = to;
  return shownFrames(console.target, to);
};

const by = (rest: string): number => (rest === '' ? 1 : wholeNumber(rest, 'how many'));

/** Can it be told at other places of the run, though not here? */
const isElsewhere = (error: unknown, expression: string, { state }: Target): boolean => {
  if (!(error instanceof DebuggerError)) return false;
  const { code } = error.info;
  const asksLayer = state.layer === undefined && /\blayer\b/.test(expression);
  return code === 'SITE_NOT_CAPTURED' || (code === 'EXPRESSION_INVALID' && asksLayer);
};

const display: Command['run'] = async (rest, { target, displays, sessions }) => {
  const value = await target.view({ ask: 'evaluate', expression: rest }).then(shownValue, (error: unknown) => {
    if (isElsewhere(error, rest, target)) return `– ${(error as Error).message}`;
    throw error;
  });
  displays.push(rest);
  await sessions?.displays(displays);
  return `${displays.length}: ${rest} = ${value}`;
};

/** `undisplay N`, or all. */
const undisplay: Command['run'] = async (rest, { displays, sessions }) => {
  const [from, count] = rest === '' ? [0, Infinity] : [wholeNumber(rest, 'a display') - 1, 1];
  if (from < 0 || from >= displays.length) return 'there is no such display';
  displays.splice(from, count);
  await sessions?.displays(displays);
  return 'gone';
};

const save: Command['run'] = async (rest, { target, sessions }) => {
  await writeFileWhole(
    rest.trim(),
    formatExperiment({ experiment: 1, edits: parseEdits(target.state.edits.join('\n')) }),
  );
  sessions?.saved();
  return `wrote ${rest.trim()}`;
};

const load: Command['run'] = async (rest, { target }) => {
  const { notes, state } = await target.apply({ change: 'load', text: await readTextFile(rest.trim()) });
  const count = state.edits.length === 1 ? '1 change' : `${state.edits.length} changes`;
  return [...notes.map((n) => `note: ${n}`), `${count}, in place of those before`].join('\n');
};

/** `record FILE [SITES]` */
const record: Command['run'] = async (rest, { target }) => {
  const [, file = '', sites] = /^(\S+)(?:\s+(.*))?$/s.exec(rest.trim()) ?? [];
  if (file === '') throw wrong('record where?', 'record run.cutrec blocks.*.resid_post');
  const { notes } = await target.apply({ change: 'record', file, ...(sites === undefined ? {} : { sites }) });
  return [`wrote ${file}`, ...notes].join(', ');
};

/** `backward EXPRESSION`, `backward off` */
const backward: Command['run'] = (rest, console) => {
  const of = rest.trim();
  if (of === '') throw wrong('backward from what?', 'backward loss, backward logit(" Paris"); backward off leaves it');
  return moved({ kind: 'backward', ...(of === 'off' ? {} : { of }) }, console);
};

const quotedTexts = /"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\S+/g;

const compare: Command['run'] = async (rest, { target }) =>
  shownComparison(await target.view({ ask: 'compare', tokens: rest.match(quotedTexts) ?? [] }));

const lens: Command['run'] = async (rest, { target }) =>
  shownLens(await target.view({ ask: 'lens', tokens: rest.match(quotedTexts) ?? [] }));

const list: Command['run'] = (rest, { target }) =>
  shownLines(target, { around: 7, ...(rest === '' ? {} : { at: wholeNumber(rest, 'a line') }) });

const goTo: Command['run'] = async (rest, console) => {
  const step = wholeNumber(rest, 'a token');
  const answer = await console.move({ kind: 'goto', position: { step, at: 0, op: 0 } });
  if (answer.stop.reason !== 'end') return shownMove(answer, console);
  throw wrong(`the generation ends before token ${step}`, 'The run stands where it stood.');
};

/** To a line of this step, or of the way back: the next layer that has it. */
const until: Command['run'] = async (rest, console) => {
  const { target } = console;
  const line = wholeNumber(rest, 'a line');
  const { places } = await target.view({ ask: 'places', source: 'listing', line });
  const { at, op } = target.state.position;
  const sign = target.state.backward ? -1 : 1;
  const ahead = places.find(({ position: p }) => sign * (p.at - at) > 0 || (p.at === at && sign * (p.op - op) > 0));
  if (!ahead) throw wrong(`line ${line} does not come any more in this step`, '`token` goes on to the next step.');
  return moved({ kind: 'goto', position: ahead.position }, console);
};

/** Runs the module of a frame again, with what it was given. */
const again: Command['run'] = (rest, console) => {
  const { about, state } = console.target;
  const frame = state.frames[rest === '' ? console.frame : wholeNumber(rest, 'a frame')];
  if (!frame) throw wrong(`there is no frame ${rest}`, '`where` shows those that there are.');
  if (about.can.again === false)
    throw wrong('this run cannot run a part of it again', '`goto` and `reverse-layer` go back.');
  return moved({ kind: 'goto', position: frame.begins }, console);
};

const live =
  (change: (rest: string) => TargetChange, done: string): Command['run'] =>
  async (rest, { target }) => {
    const { notes } = await target.apply(change(rest.trim()));
    return [done, ...notes].join(', ');
  };

/** `trace on [ops]`, `trace FILE` */
const traceChange = (rest: string): TargetChange =>
  /^on(\s+ops)?$/.test(rest) ? { change: 'trace', ops: rest.endsWith('ops') } : { change: 'trace', file: rest };

/** All commands, in the order of `help`. */
export const commands: readonly Command[] = [
  { names: ['break', 'b'], usage: 'break [backward] [LINE | SITES] [layer N] [token N | TEXT] [if EXPRESSION]', help: 'Stop there. Without a place: at the beginning of this step.', examples: ['break 42', 'break blocks.*.attn.pattern if max(blocks.3.attn.pattern[query=-1]) > 0.9', 'break layer 5', 'break 22 layer 3..5 token 2', 'break token " Paris"', 'break backward blocks.*.mlp_out if norm(grad(mlp_out)) > 5'], run: (rest, c) => addBreakpoint(rest, c, false) },
  { names: ['tbreak', 'tb'], usage: 'tbreak ...', help: 'The same, once.', examples: ['tbreak layer 3', 'tbreak token " Paris"'], run: (rest, c) => addBreakpoint(rest, c, true) },
  { names: ['condition'], usage: 'condition N [EXPRESSION]', help: 'Let a breakpoint stop only where this holds; without it, always.', examples: ['condition 1 norm(blocks.2.resid_post) > 30'], run: setCondition },
  { names: ['ignore'], usage: 'ignore N COUNT', help: 'Pass a breakpoint that often before it stops.', examples: ['ignore 1 3'], run: setIgnore },
  { names: ['log', 'dprintf'], usage: 'log PLACE [if EXPRESSION] "TEXT {EXPRESSION}"', help: 'Print this each time the run comes there, and go on.', examples: ['log layer 5 "norm {norm(blocks.5.resid_pre)}"'], run: addLog },
  { names: ['watch'], usage: 'watch EXPRESSION | weight NAME', help: 'Stop where a value is another than before; a comparison: where it crosses the bound; a weight: where an edited one is read first.', examples: ['watch rank(" Paris")', 'watch norm(blocks.2.resid_post) > 30'], run: addWatch },
  { names: ['catch'], usage: 'catch nan | inf | overflow16 | repetition | entropy [NATS] | lost TOKEN | exploding [NORM] | vanishing [NORM] | off', help: 'Stop where a run goes wrong; numbers: at the operation in which it first arises. Of gradients, on a way back: nan, inf, exploding, vanishing.', examples: ['catch nan', 'catch exploding 1000', 'catch entropy 0.5', 'catch lost " Paris"'], run: catching },
  { names: ['delete', 'd'], usage: 'delete [N]', help: 'Remove a breakpoint, or all.', examples: ['delete 2', 'delete'], run: remove },
  { names: ['info', 'i'], usage: 'info breakpoints | display | edits | SCOPE', help: `What there is, in the frame that is chosen: ${scopeNames.join(', ')}.`, examples: ['info breakpoints', 'info sites', 'info attention'], run: info },
  { names: ['run', 'r'], usage: 'run', help: 'Begin anew, with breakpoints and changes, and run to the first breakpoint.', run: restart },
  { names: ['continue', 'c'], usage: 'continue', help: 'Run to the next breakpoint, or to the end.', run: moving({ kind: 'continue' }) },
  { names: ['step', 's'], usage: 'step [N]', help: 'To the next operation.', examples: ['step', 'step 5'], run: stepping('op') },
  { names: ['next', 'n'], usage: 'next [N]', help: 'Over the module that begins here: attention, a norm.', examples: ['next', 'next 2'], run: stepping('module') },
  { names: ['finish', 'fin'], usage: 'finish', help: 'Out of the module; outside of any, out of the layer.', run: moving({ kind: 'out' }) },
  { names: ['until', 'advance'], usage: 'until LINE', help: 'To a line of the listing, in the next layer that has it.', examples: ['until 43'], run: until },
  { names: ['layer', 'l+'], usage: 'layer [N]', help: 'To the next layer.', examples: ['layer', 'layer 3'], run: stepping('layer') },
  { names: ['token', 't'], usage: 'token [N]', help: 'To the next token.', examples: ['token', 'token 2'], run: stepping('token') },
  { names: ['reverse-step', 'rs'], usage: 'reverse-step [N]', help: 'One operation back.', examples: ['reverse-step 5'], run: stepping('op', true) },
  { names: ['reverse-next', 'rn'], usage: 'reverse-next [N]', help: 'One module back.', examples: ['reverse-next'], run: stepping('module', true) },
  { names: ['reverse-layer', 'rl'], usage: 'reverse-layer [N]', help: 'One layer back.', examples: ['reverse-layer 2'], run: stepping('layer', true) },
  { names: ['reverse-token', 'rt'], usage: 'reverse-token [N]', help: 'One token back.', examples: ['reverse-token'], run: stepping('token', true) },
  { names: ['reverse-continue', 'rc'], usage: 'reverse-continue', help: 'Back to the breakpoint before, or to the beginning.', run: moving({ kind: 'continue', back: true }) },
  { names: ['backward', 'bw'], usage: 'backward EXPRESSION | off', help: 'Walk the way back of a number, over the tokens so far, from its beginning: steps and breakpoints then go along the gradients, and `grad(SITE)` is each. At its end, or with off, the run stands where it stood.', examples: ['backward logit(" Paris") - logit(" Rome")', 'backward loss', 'backward off'], run: backward },
  { names: ['goto'], usage: 'goto TOKEN', help: 'To the beginning of a step: 0 is the prefill.', examples: ['goto 0', 'goto 5'], run: goTo },
  { names: ['again'], usage: 'again [FRAME]', help: 'Run the module of this frame again, with what it was given.', examples: ['again', 'again 2'], run: again },
  { names: ['where', 'bt'], usage: 'where', help: 'What the run is inside of, innermost first.', run: (_, { target, frame }) => shownFrames(target, frame) },
  { names: ['up'], usage: 'up [N]', help: 'Choose the frame outside of this one, for `info`.', examples: ['up', 'up 2'], run: (rest, c) => chooseFrame(c.frame + by(rest), c) },
  { names: ['down'], usage: 'down [N]', help: 'Choose the frame inside of this one.', examples: ['down'], run: (rest, c) => chooseFrame(c.frame - by(rest), c) },
  { names: ['frame', 'f'], usage: 'frame N', help: 'Choose a frame by its number.', examples: ['frame 2'], run: (rest, c) => chooseFrame(wholeNumber(rest, 'a frame'), c) },
  { names: ['list', 'l'], usage: 'list [LINE]', help: 'The lines around here, or around another line.', examples: ['list', 'list 20'], run: list },
  { names: ['print', 'p'], usage: 'print EXPRESSION', help: 'What an expression gives here.', examples: ['print norm(blocks.2.resid_post[position=-1])', 'print prob(" Paris")'], run: async (expression, { target }) => shownValue(await target.view({ ask: 'evaluate', expression })) },
  { names: ['display'], usage: 'display EXPRESSION', help: 'Print it at each stop.', examples: ['display rank(" Paris")', 'display norm(blocks.2.resid_post)'], run: display },
  { names: ['undisplay'], usage: 'undisplay [N]', help: 'Print it no more; without a number, none.', examples: ['undisplay 1', 'undisplay'], run: undisplay },
  { names: ['x'], usage: 'x SITE | weight:NAME [ROWS]', help: 'The raw numbers of a value.', examples: ['x blocks.0.attn.z 4'], run: raw },
  { names: ['words', 'w'], usage: 'words [N]', help: 'What the model says next; inside a step, what it would say if it ended here.', examples: ['words', 'words 20'], run: async (rest, { target }) => shownWords((await target.view({ ask: 'words', count: rest === '' ? 5 : wholeNumber(rest, 'how many') })).words) },
  { names: ['compare'], usage: 'compare [TOKEN ...]', help: 'This run beside the unedited one: what comes next, and what was said.', examples: ['compare', 'compare " Paris" " Rome"'], run: compare },
  { names: ['lens'], usage: 'lens [TOKEN ...]', help: 'What the model would say before each layer so far, and how likely these tokens are there.', examples: ['lens', 'lens " Paris" " Rome"'], run: lens },
  { names: ['attention', 'a'], usage: 'attention SITE HEAD', help: 'Where a head looks, as a picture.', examples: ['attention blocks.0.attn.pattern 2'], run: attention },
  ...changeWords.map((word): Command => ({ ...word, run: edited(word.names[0]) })),
  { names: ['undo', 'u'], usage: 'undo', help: 'Take the last change back.', run: undone('undo', 'undone') },
  { names: ['redo'], usage: 'redo', help: 'Make it again.', run: undone('redo', 'made again') },
  { names: ['save'], usage: 'save FILE', help: 'The changes as an experiment.', examples: ['save changes.json'], run: save },
  { names: ['load'], usage: 'load FILE', help: 'The changes of an experiment, in place of all.', examples: ['load changes.json'], run: load },
  { names: ['record'], usage: 'record FILE [SITES]', help: 'Save the run so far as a recording, with these sites of each step.', examples: ['record run.cutrec blocks.*.resid_post,logits'], run: record },
  { names: ['restore'], usage: 'restore [N]', help: 'Earlier sessions of this model that were cut off or not saved; with a number, bring one back.', examples: ['restore', 'restore 1'], run: restore },
  { names: ['rank'], usage: 'rank N', help: 'Of several processes: look at this one. `info processes` shows all.', examples: ['rank 1'], run: live((rest) => ({ change: 'rank', rank: wholeNumber(rest, 'a rank') }), 'looking at it') },
  { names: ['ops'], usage: 'ops MODULES | off', help: 'Of a live process: show the operations inside of these modules; `step` then stops at them.', examples: ['ops transformer.h.0.mlp'], run: live((modules) => ({ change: 'ops', modules }), 'operations as asked') },
  { names: ['trace'], usage: 'trace on [ops] | FILE', help: 'Of a live process: collect calls and times, then write them as a Chrome trace.', examples: ['trace on', 'trace run.json'], run: (rest, c) => live(traceChange, traceChange(rest.trim()).change === 'trace' && !rest.trim().startsWith('on') ? `wrote ${rest.trim()}` : 'collecting')(rest, c) },
  { names: ['help', 'h'], usage: 'help [COMMAND]', help: 'This.', examples: ['help break'], run: (rest) => helpText(commands, rest.trim()) },
  { names: ['quit', 'q'], usage: 'quit', help: 'Leave.', run: () => undefined },
]; // prettier-ignore

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
