import { z } from 'zod';
import { UsageError } from '../base/index.js';
import { completions, console as consoleWord, evaluated } from './evaluate.js';
import { copied } from './clipboard.js';
import { disassembled, lineAt } from './instructions.js';
import { readMemory, writeMemory } from './memory.js';
import { modulesOf } from './modules.js';
import { row, type Row } from './row.js';
import type { Session } from './session.js';
import { listingText, namedSource, sourceOf, transcriptText } from './sources.js';
import { shownFrames, threadOf } from './stack.js';

const paging = { start: z.int().min(0).optional(), count: z.int().min(0).optional() };
const source = z.object({ path: z.string().optional(), sourceReference: z.int().optional() });
const stackTrace = z.object({ startFrame: z.int().min(0).default(0), levels: z.int().min(0).default(0) });

const stack = (session: Session, { startFrame, levels }: z.output<typeof stackTrace>) => {
  const { target, listing } = session.live;
  const { firstLine, firstColumn } = session.client;
  const all = shownFrames(target);
  const wanted = all.slice(startFrame, levels === 0 ? undefined : startFrame + levels);
  const stackFrames = wanted.map(({ id, frame, source: text, hint, canRestart, address }) => ({
    ...{ id, name: frame.name, line: frame.line - 1 + firstLine, column: firstColumn },
    ...{ source: sourceOf(text, listing), presentationHint: hint, canRestart },
    ...(address === undefined ? {} : { instructionPointerReference: address }),
    ...(frame.kind === 'layer' ? { moduleId: frame.name } : {}),
  }));
  return { stackFrames, totalFrames: all.length };
};

/** The steps that can be taken from the console. @returns whether the words are one */
const motion = (session: Session, text: string): boolean => {
  const [, back, unit = 'op'] = /^\s*(back)?\s*(op|step|module|layer|token)?\s*$/.exec(text) ?? [];
  if (text.trim() === '' || (back === undefined && !/^\s*(step|layer|token)\s*$/.test(text))) return false;
  const by = unit === 'step' ? 'op' : (unit as 'op' | 'module' | 'layer' | 'token');
  session.move({ kind: 'step', by, back: back !== undefined });
  session.afterwards(() => session.send('continued', { threadId: 1, allThreadsContinued: true }));
  return true;
};

/** `backward EXPRESSION`, `backward off`. @returns whether the words are that */
const wayBack = (session: Session, text: string): boolean => {
  const of = /^\s*backward\s+(\S.*?)\s*$/s.exec(text)?.[1];
  if (of === undefined) return false;
  session.move({ kind: 'backward', ...(of === 'off' ? {} : { of }) });
  session.afterwards(() => session.send('continued', { threadId: 1, allThreadsContinued: true }));
  return true;
};

const said = (result: string) => ({ result, variablesReference: 0 });

const evaluate = async (session: Session, expression: string, context: string | undefined) => {
  if (context === 'repl') {
    if (motion(session, expression) || wayBack(session, expression)) return said('');
    const answer = await consoleWord(expression, session.target);
    if (answer?.changed) session.changed();
    if (answer) return said(answer.said);
  }
  return context === 'clipboard' ? copied(expression, session) : evaluated(expression, session.variables);
};

/** Makes a change here and now, and tells the value that came of it. */
const change = async (session: Session, place: string, value: string) => {
  const { target, variables } = session;
  await target.apply({ change: 'set', place, value });
  session.changed();
  return place.startsWith('weight ') ? said(value.trim()) : evaluated(place, variables);
};

/** A place as the listing has it, `attn.z[head=1]`, by its full name. */
const fullPlace = async ({ target }: Session, place: string): Promise<string> => {
  const site = /^[^\s[]+/.exec(place)?.[0] ?? '';
  const { name, ref } = await target.view({ ask: 'evaluate', expression: site });
  return ref === undefined || ref.startsWith('=') ? place : name + place.slice(site.length);
};

const noFrame = (frameId: number): UsageError =>
  new UsageError(`there is no frame ${frameId} here`, {
    code: 'MESSAGE_INVALID',
    hint: 'Ask for the stackTrace again.',
  });

/** Requests that look at the run, or change what is looked at. */
export const lookRequests: readonly (readonly [string, Row])[] = [
  [
    'threads',
    row('any', z.unknown(), (session) => ({ threads: [threadOf(session.isLive ? session.target : undefined)] })),
  ],
  ['stackTrace', row('standing', stackTrace, stack)],
  [
    'scopes',
    row('standing', z.object({ frameId: z.int() }), async (session, { frameId }) => {
      const frame = shownFrames(session.target).find((f) => f.id === frameId)?.frame;
      if (!frame) throw noFrame(frameId);
      return { scopes: await session.variables.scopes(frame.kind) };
    }),
  ],
  [
    'variables',
    row(
      'standing',
      z.object({ variablesReference: z.int(), ...paging }),
      async (session, { variablesReference, start, count }) => ({
        variables: await session.variables.list(variablesReference, {
          ...(start === undefined ? {} : { start }),
          ...(count === undefined ? {} : { count }),
        }),
      }),
    ),
  ],
  [
    'source',
    row('live', z.object({ source: source.optional(), sourceReference: z.int().default(0) }), (session, given) => {
      const name =
        namedSource(given.source ?? { sourceReference: given.sourceReference }, session.live.listing) ??
        namedSource(given, session.live.listing);
      if (!name)
        throw new UsageError('there is no such source', {
          code: 'FILE_UNREADABLE',
          hint: 'loadedSources names those that there are.',
        });
      return {
        content: name === 'listing' ? listingText(session.target) : transcriptText(session.target),
        mimeType: 'text/plain',
      };
    }),
  ],
  [
    'loadedSources',
    row('live', z.unknown(), (session) => ({
      sources: [sourceOf('listing', session.live.listing), sourceOf('transcript', session.live.listing)],
    })),
  ],
  [
    'modules',
    row(
      'live',
      z.object({ startModule: z.int().min(0).default(0), moduleCount: z.int().min(0).default(0) }),
      async ({ target }, { startModule, moduleCount: count }) => {
        const modules = await modulesOf(target);
        const end = count === 0 ? undefined : startModule + count;
        return { modules: modules.slice(startModule, end), totalModules: modules.length };
      },
    ),
  ],
  [
    'disassemble',
    row(
      'live',
      z.object({
        memoryReference: z.string(),
        instructionOffset: z.int().optional(),
        instructionCount: z.int().min(0).max(100_000),
      }),
      (session, { memoryReference, instructionOffset, instructionCount }) => {
        const { target, listing } = session.live;
        const line = lineAt(memoryReference);
        if (line === undefined)
          throw new UsageError(`${memoryReference} is no operation's address`, {
            code: 'MESSAGE_INVALID',
            hint: 'Take the instructionPointerReference of a frame.',
          });
        const place = sourceOf('listing', listing);
        const asked = {
          from: line,
          instructionCount,
          ...(instructionOffset === undefined ? {} : { instructionOffset }),
        };
        const placed = (at: number) => ({ location: place, line: at - 1 + session.client.firstLine });
        return { instructions: disassembled(target.about, asked, placed) };
      },
    ),
  ],
  [
    'evaluate',
    row('standing', z.object({ expression: z.string(), context: z.string().optional() }), (session, given) =>
      evaluate(session, given.expression, given.context),
    ),
  ],
  [
    'setVariable',
    row(
      'standing',
      z.object({ variablesReference: z.int(), name: z.string(), value: z.string() }),
      async (session, given) => {
        const place = await session.variables.placeOf(given.variablesReference, given.name);
        const { result, ...rest } = await change(session, place, given.value);
        return { value: result, ...rest };
      },
    ),
  ],
  [
    'setExpression',
    row('standing', z.object({ expression: z.string(), value: z.string() }), async (session, given) => {
      const place = await fullPlace(session, given.expression.trim());
      const { result, ...rest } = await change(session, place, given.value);
      return { value: result, ...rest };
    }),
  ],
  [
    'completions',
    row('standing', z.object({ text: z.string().max(100_000), column: z.int() }), async (session, { text, column }) => {
      const { firstColumn } = session.client;
      const targets = await completions(text, column + 1 - firstColumn, session.target);
      return { targets: targets.map((t) => ({ ...t, start: (t.start ?? 1) - 1 + firstColumn })) };
    }),
  ],
  [
    'exceptionInfo',
    row('standing', z.unknown(), ({ exception, target }) => {
      if (!exception)
        throw new UsageError('the run does not stand at an exception', {
          code: 'COMMAND_INVALID',
          hint: 'setExceptionBreakpoints sets what stops it.',
        });
      const { filter = '', description = '' } = exception;
      const stackTrace = target.state.frames.map(({ name }) => name).join('\n');
      return {
        ...{ exceptionId: filter, breakMode: 'always', description },
        details: { message: description, stackTrace },
      };
    }),
  ],
  [
    'readMemory',
    row(
      'standing',
      z.object({ memoryReference: z.string(), offset: z.int().default(0), count: z.int().min(0) }),
      readMemory,
    ),
  ],
  [
    'writeMemory',
    row(
      'standing',
      z.object({
        ...{ memoryReference: z.string(), offset: z.int().min(0).default(0), data: z.base64() },
        allowPartial: z.boolean().optional(),
      }),
      writeMemory,
    ),
  ],
];
