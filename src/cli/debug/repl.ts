import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { DebuggerError, UsageError } from '../../base/index.js';
import type { Target } from '../../debugger/index.js';
import type { AttachInput, DebugInput, MoveResult, Motion, TargetTold } from '../../protocol/index.js';
import {
  KeptTarget,
  keptSessions,
  lastSession,
  sessionIn,
  sessionTold,
  type KeptSession,
  type KeptTargetOptions,
} from '../../service/host/index.js';
import { LiveTarget } from '../../service/index.js';
import { printable } from '../printable.js';
import { ProgressLine } from '../progress-line.js';
import { modelLine } from '../show.js';
import { styled } from '../styled.js';
import { commands, execute } from './commands.js';
import { candidates } from './completion.js';
import type { Console, Sessions } from './console.js';
import { historySize, readHistory, writeHistory } from './history.js';
import { shownLines } from './show.js';

const prompt = '(cutaway) ';

/** How the terminal debugger deals with what it keeps on the disk. */
export interface KeepingOptions {
  /** A session to bring back: its file, or the last one of the model. */
  readonly restore?: string | true | undefined;
  /** Nothing is written down. */
  readonly isPrivate: boolean;
}

/** A mistake of one line: the session goes on. */
const told = (error: unknown): string => {
  if (!(error instanceof DebuggerError)) throw error;
  return `${styled('red', 'error')} ${printable(error.message)}\n  ${printable(error.info.hint)}`;
};

const scriptLines = (file: string | undefined): readonly string[] => {
  if (file === undefined) return [];
  try {
    return readFileSync(file, 'utf8').split(/\r?\n/);
  } catch (cause) {
    throw new UsageError(`${file} cannot be read`, { code: 'FILE_UNREADABLE', hint: 'Check the path.', cause });
  }
};

const shownProgress = (): ProgressLine | undefined => (process.stderr.isTTY ? new ProgressLine() : undefined);

/** The state of a debugger in a terminal. */
class Terminal implements Console {
  readonly displays: string[];
  frame = 0;
  #pausing: AbortController | undefined;

  readonly sessions?: Sessions;

  constructor(
    readonly target: Target,
    { sessions, displays = [] }: { readonly sessions?: Sessions; readonly displays?: readonly string[] },
  ) {
    if (sessions) this.sessions = sessions;
    this.displays = [...displays];
  }

  async move(motion: Motion): Promise<MoveResult> {
    this.#pausing = new AbortController();
    const progress = shownProgress();
    try {
      return await this.target.resume(motion, {
        signal: this.#pausing.signal,
        onTold: (event) => {
          progress?.end();
          this.#hear(event);
        },
        ...(progress ? { onProgress: progress.tell } : {}),
      });
    } finally {
      progress?.end();
      this.#pausing = undefined;
    }
  }

  /** Pauses what runs. @returns whether anything did */
  pause(): boolean {
    this.#pausing?.abort();
    return this.#pausing !== undefined;
  }

  /** @returns whether the session goes on */
  async line(text: string): Promise<boolean> {
    const answer = await execute(text, this).catch(told);
    if (answer === undefined) return false;
    if (answer !== '') process.stdout.write(`${answer}\n`);
    return true;
  }

  #hear(event: TargetTold): void {
    if (event.told === 'log') process.stdout.write(`${printable(event.text)}\n`);
  }
}

const completing =
  (terminal: Terminal) =>
  (line: string, done: (error: null, result: [string[], string]) => void): void => {
    candidates(line, commands, terminal.target).then(
      ({ texts, from }) => done(null, [[...texts], line.slice(from)]),
      () => done(null, [[], line]), // while the run goes on nothing can be asked
    );
  };

/** Reads lines from a terminal or a pipe until there are no more. An empty line in a terminal repeats the last one. */
const converse = async (terminal: Terminal, { isPrivate }: Pick<KeepingOptions, 'isPrivate'>): Promise<void> => {
  const isTerminal = process.stdin.isTTY;
  const lines = createInterface({
    ...{ input: process.stdin, prompt: isTerminal ? prompt : '', completer: completing(terminal), historySize },
    ...(isTerminal ? { output: process.stdout, history: readHistory(), removeHistoryDuplicates: true } : {}),
  });
  if (isTerminal && !isPrivate) lines.on('history', (history: string[]) => writeHistory(history));
  const pause = (): void => {
    const wasRunning = terminal.pause();
    if (isTerminal) process.stdout.write(wasRunning ? '\n' : '\n(quit leaves)\n');
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

const onDeath = (error: DebuggerError): void =>
  void process.stdout.write(
    `\n${styled('red', 'error')} ${printable(error.message)}\n  \`run\` starts another process; breakpoints and changes are kept.\n`,
  );

const note = (text: string): void => void process.stderr.write(`note: ${printable(text)}\n`);

/** @throws UsageError OPTION_INVALID, FILE_UNREADABLE */
const wanted = async (
  { prompt, ids, chat, prompts, fromRecording, edits, model }: DebugInput,
  restore: string | true,
): Promise<KeptSession> => {
  const given = [prompt, ids, chat, prompts, fromRecording].some((x) => x !== undefined) || edits.length > 0;
  if (given)
    throw new UsageError('a prompt or edits are given, and the session that is restored has its own', {
      code: 'OPTION_INVALID',
      hint: 'Leave them out, or leave out --restore.',
    });
  return restore === true ? lastSession(model) : sessionIn(restore);
};

/** Tells of a session of this model that was cut off. */
const hintAt = async (model: string): Promise<void> => {
  const cut = (await keptSessions(model)).find(({ ended }) => !ended);
  if (cut)
    note(`a session of this model ended abnormally (${sessionTold(cut)}): \`restore\` lists what can be brought back`);
};

interface Opened {
  readonly target: KeptTarget;
  readonly displays?: readonly string[];
}

const opened = async (input: DebugInput, { restore, isPrivate }: KeepingOptions): Promise<Opened> => {
  const { x: _, ...asked } = input;
  const keepsUnsaved = process.stdin.isTTY; // a script has its commands already
  const progress = shownProgress();
  const options: KeptTargetOptions = {
    ...{ onDeath, face: 'terminal', isPrivate, keepsUnsaved, note },
    ...(progress ? { onProgress: progress.tell } : {}),
  };
  try {
    if (restore !== undefined) {
      const kept = await wanted(input, restore);
      return { target: await KeptTarget.reopen(kept, options), displays: kept.displays };
    }
    const target = await KeptTarget.open(asked, options);
    await hintAt(input.model);
    return { target };
  } finally {
    progress?.end();
  }
};

interface Talk {
  readonly sessions?: Sessions;
  readonly displays?: readonly string[];
  readonly script: readonly string[];
  readonly isPrivate: boolean;
}

/** A conversation about a run, from where it stands. @returns the exit status */
const session = async (target: Target, { script, isPrivate, ...kept }: Talk): Promise<number> => {
  try {
    const { about } = target;
    const terminal = new Terminal(target, kept);
    for (const text of [...about.notes, ...about.can.limits]) note(text);
    process.stdout.write(`${modelLine(about.model)}\n${shownLines(target, { around: 2 })}\n`);
    for (const line of script) if (!(await terminal.line(line))) return 0;
    await converse(terminal, { isPrivate });
    return 0;
  } finally {
    await target.dispose();
  }
};

/** The terminal debugger. @returns the exit status */
export const debug = async (input: DebugInput, keeping: KeepingOptions): Promise<number> => {
  const script = scriptLines(input.x);
  const { target, displays = [] } = await opened(input, keeping);
  const sessions: Sessions = {
    list: () => keptSessions(target.model),
    restore: (kept) => target.restore(kept),
    saved: () => target.saved(),
    displays: (expressions) => target.displays(expressions),
  };
  return session(target, { sessions, displays, script, isPrivate: keeping.isPrivate });
};

const onLoss = (error: DebuggerError): void =>
  void process.stdout.write(
    `\n${styled('red', 'error')} ${printable(error.message)}\n  ${printable(error.info.hint)}\n`,
  );

/** The same on a live process. @param x a file of commands */
export const debugLive = async (input: AttachInput, x: string | undefined): Promise<number> => {
  const script = scriptLines(x);
  return session(await LiveTarget.open(input, { onDeath: onLoss }), { script, isPrivate: false });
};
