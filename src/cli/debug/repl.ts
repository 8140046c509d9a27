import { createInterface } from 'node:readline';
import { DebuggerError } from '../../base/index.js';
import { completeExpression } from '../../language/index.js';
import type { DebugInput } from '../../protocol/index.js';
import { openDebuggee, type Debuggee } from '../../service/index.js';
import { readFileSync } from 'node:fs';
import { UsageError } from '../../base/index.js';
import { printable } from '../printable.js';
import { modelLine } from '../show.js';
import { styled } from '../styled.js';
import { commands, execute } from './commands.js';
import type { Console } from './console.js';
import { shownLines } from './show.js';

const prompt = '(cutaway) ';

/** A mistake of one line: the session goes on. */
const told = (error: unknown): string => {
  if (!(error instanceof DebuggerError)) throw error;
  return `${styled('red', 'error')} ${printable(error.message)}\n  ${printable(error.info.hint)}`;
};

/** Candidates for the word under the cursor. */
const completing =
  (console: Console) =>
  (line: string): [string[], string] => {
    const word = /(\S*)$/.exec(line)?.[1] ?? '';
    if (!line.includes(' ')) return [commands.flatMap((c) => c.names).filter((n) => n.startsWith(word)), word];
    const { segment } = console.debuggee.session.instance ?? {};
    const sites = (segment?.graph.sites ?? []).map(({ name }) => ({ name, axes: [] }));
    const found = completeExpression(line, line.length + 1, { sites }).map((c) => c.text);
    return [found.length > 0 ? found : sites.map((s) => s.name).filter((n) => n.startsWith(word)), word];
  };

const scriptLines = (file: string | undefined): readonly string[] => {
  if (file === undefined) return [];
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/);
  } catch (cause) {
    throw new UsageError(`${file} cannot be read`, { code: 'FILE_UNREADABLE', hint: 'Check the path.', cause });
  }
};

/** The state of a debugger in a terminal. */
class Terminal implements Console {
  readonly displays: string[] = [];
  debuggee: Debuggee;

  constructor(readonly opened: Awaited<ReturnType<typeof openDebuggee>>) {
    this.debuggee = opened.debuggee;
  }

  async restart(): Promise<void> {
    const old = this.debuggee;
    this.debuggee = await this.opened.again(old.edits);
    for (const { id: _, ...point } of old.session.breakpoints.all) this.debuggee.session.breakpoints.add(point);
    this.debuggee.session.exceptions = old.session.exceptions;
  }

  tell(text: string): void {
    process.stdout.write(`${text}\n`);
  }

  /** @returns whether the session goes on */
  async line(text: string): Promise<boolean> {
    const answer = await execute(text, this).catch(told);
    if (answer === undefined) return false;
    if (answer !== '') process.stdout.write(`${answer}\n`);
    return true;
  }
}

/** Reads lines from a terminal or a pipe until there are no more. An empty line in a terminal repeats the last one. */
const converse = async (terminal: Terminal): Promise<void> => {
  const isTerminal = process.stdin.isTTY;
  const lines = createInterface({
    ...{ input: process.stdin, prompt: isTerminal ? prompt : '', completer: completing(terminal), historySize: 1000 },
    ...(isTerminal ? { output: process.stdout } : {}),
  });
  const pause = (): void => {
    terminal.debuggee.session.pause();
    if (isTerminal) process.stdout.write('\n');
    lines.prompt();
  };
  lines.on('SIGINT', pause);
  process.on('SIGINT', pause);
  let last = '';
  lines.prompt();
  try {
    for await (const line of lines) {
      const text = isTerminal && line.trim() === '' ? last : line;
      last = text;
      if (!(await terminal.line(text))) break;
      lines.prompt();
    }
  } finally {
    process.off('SIGINT', pause);
    lines.close();
  }
};

/** The terminal debugger. @returns the exit status */
export const debug = async (input: DebugInput): Promise<number> => {
  const script = scriptLines(input.x);
  const opened = await openDebuggee(input);
  try {
    const terminal = new Terminal(opened);
    process.stdout.write(`${modelLine(await opened.model.summary())}\n${shownLines(terminal.debuggee, 2)}\n`);
    for (const line of script) if (!(await terminal.line(line))) return 0;
    await converse(terminal);
    return 0;
  } finally {
    await opened.model.dispose();
  }
};
