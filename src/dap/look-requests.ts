import { z } from 'zod';
import { UsageError } from '../base/index.js';
import { siteIn } from '../engine/index.js';
import { toFloat32 } from '../tensor/index.js';
import { changeOf, completions, console as consoleWord, evaluated, fullName } from './evaluate.js';
import { row, type Row } from './row.js';
import type { Session } from './session.js';
import { listingText, namedSource, sourceOf, transcriptText } from './sources.js';
import { shownFrames, threadOf } from './stack.js';

const paging = { start: z.int().min(0).optional(), count: z.int().min(0).optional() };
const source = z.object({ path: z.string().optional(), sourceReference: z.int().optional() });
const most = 64 * 1024 * 1024;

const stackTrace = z.object({ startFrame: z.int().min(0).default(0), levels: z.int().min(0).default(0) });

const stack = (session: Session, { startFrame, levels }: z.output<typeof stackTrace>) => {
  const { debuggee, listing } = session.live;
  const { firstLine, firstColumn } = session.client;
  const all = shownFrames(debuggee);
  const wanted = all.slice(startFrame, levels === 0 ? undefined : startFrame + levels);
  const stackFrames = wanted.map((frame) => ({
    ...{ id: frame.id, name: frame.name, line: frame.line - 1 + firstLine, column: firstColumn },
    ...{ source: sourceOf(frame.source, listing), presentationHint: frame.hint, canRestart: frame.canRestart },
  }));
  return { stackFrames, totalFrames: all.length };
};

/** The steps that can be taken from the console; undefined: the words are none. */
const motion = (session: Session, text: string): boolean => {
  const [, back, unit = 'op'] = /^\s*(back)?\s*(op|step|module|layer|token)?\s*$/.exec(text) ?? [];
  if (text.trim() === '' || (back === undefined && !/^\s*(step|layer|token)\s*$/.test(text))) return false;
  const by = unit === 'step' ? 'op' : (unit as 'op' | 'module' | 'layer' | 'token');
  session.move((run) => (back === undefined ? run.stepForward(by) : run.stepBack(by)), { forward: back === undefined });
  session.afterwards(() => session.send('continued', { threadId: 1, allThreadsContinued: true }));
  return true;
};

const said = (result: string) => ({ result, variablesReference: 0 });

const evaluate = async (session: Session, expression: string, context: string | undefined) => {
  if (context === 'repl') {
    if (motion(session, expression)) return said('');
    const answer = await consoleWord(expression, session.debuggee);
    if (answer?.changed) session.changed();
    if (answer) return said(answer.said);
  }
  return evaluated(expression, session.variables);
};

/** Makes a change here and now, and tells the value that came of it. */
const change = async (session: Session, place: string, value: string) => {
  const { debuggee, variables } = session;
  const { step } = debuggee.session.position;
  const site = /^[^\s[]+/.exec(place)?.[0] ?? '';
  const sites = debuggee.session.instance?.segment.graph.sites ?? [];
  const { instance } = debuggee.session;
  if (!instance || !sites.some((s) => siteIn(instance, s.name) === site))
    throw new UsageError(`${site} is not in the layer that the run is in`, {
      code: 'SITE_NOT_CAPTURED',
      hint: 'What has run stays as it was: go back to its layer and set it there, or write an edit in the console for the steps to come.',
    });
  const text = changeOf(place, value, step);
  await debuggee.edit(text);
  session.changed();
  return evaluated(place, variables);
};

const tooMuch = (): UsageError =>
  new UsageError(`more than ${most} bytes at once`, {
    code: 'MEMORY_LIMIT',
    hint: 'Read it in parts: offset says from where.',
  });

/** Bytes of a site's value as little-endian float32. Fewer than asked for where it ends. */
const memory = async (session: Session, given: { memoryReference: string; offset: number; count: number }) => {
  if (given.count > most) throw tooMuch();
  const { tensor } = await session.debuggee.value(given.memoryReference);
  const { buffer, byteOffset, byteLength } = toFloat32(tensor) as Float32Array<ArrayBuffer>;
  const from = Math.max(0, Math.min(byteLength, given.offset));
  const to = Math.max(from, Math.min(byteLength, given.offset + given.count));
  const data = Buffer.from(buffer, byteOffset + from, to - from).toString('base64');
  return { address: String(from), data };
};

/** Requests that look at the run, or change what is looked at. */
export const lookRequests: readonly (readonly [string, Row])[] = [
  [
    'threads',
    row('any', z.unknown(), (session) => ({ threads: [threadOf(session.isLive ? session.debuggee : undefined)] })),
  ],
  ['stackTrace', row('standing', stackTrace, stack)],
  [
    'scopes',
    row('standing', z.object({ frameId: z.int() }), (session, { frameId }) => {
      const frame = shownFrames(session.debuggee).find((f) => f.id === frameId)?.frame;
      if (!frame)
        throw new UsageError(`there is no frame ${frameId} here`, {
          code: 'MESSAGE_INVALID',
          hint: 'Ask for the stackTrace again.',
        });
      return { scopes: session.variables.scopes(frame.kind !== 'step' && frame.kind !== 'generation') };
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
        content: name === 'listing' ? listingText(session.debuggee) : transcriptText(session.debuggee),
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
        const { site, selector } = session.variables.placeOf(given.variablesReference, given.name);
        const { result, ...rest } = await change(session, site + selector, given.value);
        return { value: result, ...rest };
      },
    ),
  ],
  [
    'setExpression',
    row('standing', z.object({ expression: z.string(), value: z.string() }), async (session, given) => {
      const place = given.expression.trim();
      const site = /^[^\s[]+/.exec(place)?.[0] ?? '';
      const { result, ...rest } = await change(
        session,
        fullName(site, session.debuggee) + place.slice(site.length),
        given.value,
      );
      return { value: result, ...rest };
    }),
  ],
  [
    'completions',
    row('standing', z.object({ text: z.string().max(100_000), column: z.int() }), (session, { text, column }) => {
      const { firstColumn } = session.client;
      const targets = completions(text, column + 1 - firstColumn, session.debuggee);
      return { targets: targets.map((t) => ({ ...t, start: (t.start ?? 1) - 1 + firstColumn })) };
    }),
  ],
  [
    'exceptionInfo',
    row('standing', z.unknown(), (session) => {
      const { exception, debuggee } = session;
      if (!exception)
        throw new UsageError('the run does not stand at an exception', {
          code: 'COMMAND_INVALID',
          hint: 'setExceptionBreakpoints sets what stops it.',
        });
      const { filter, description } = exception;
      const stackTrace = shownFrames(debuggee)
        .map(({ name }) => name)
        .join('\n');
      return {
        ...{ exceptionId: filter.kind, breakMode: 'always', description },
        details: { message: description, stackTrace },
      };
    }),
  ],
  [
    'readMemory',
    row(
      'standing',
      z.object({ memoryReference: z.string(), offset: z.int().default(0), count: z.int().min(0) }),
      memory,
    ),
  ],
];
