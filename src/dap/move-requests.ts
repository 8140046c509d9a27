import { z } from 'zod';
import { UsageError } from '../base/index.js';
import type { DebugSession, Granularity, Position, Stop } from '../debugger/index.js';
import type { Debuggee } from '../service/index.js';
import { row, type Row } from './row.js';
import { namedSource } from './sources.js';
import { beginningOf, shownFrames } from './stack.js';

const stepping = z.object({ granularity: z.enum(['statement', 'line', 'instruction']).default('statement') });

/** How far a step goes that is not said to be larger or smaller. */
const unitOf = (granularity: 'statement' | 'line' | 'instruction', statement: Granularity): Granularity =>
  granularity === 'instruction' ? 'op' : granularity === 'line' ? 'layer' : statement;

const step = (statement: Granularity, direction: 'forward' | 'back' = 'forward'): Row =>
  row('standing', stepping, (session, { granularity }) => {
    const unit = unitOf(granularity, statement);
    if (direction === 'forward') session.move((run) => run.stepForward(unit));
    else session.move((run) => run.stepBack(unit), { forward: false });
  });

/** Places that a line stands for: in the listing of the present step, each layer of a loop. */
const placesOf = (
  { session }: Debuggee,
  line: number,
  variantOrder = session.variant.order,
): { label: string; position: Position }[] =>
  variantOrder.flatMap((instance, at) => {
    const op = session.source.opsOf(instance.segment.id).findIndex((o) => o.line === line);
    return op < 0 ? [] : [{ label: instance.name, position: { step: session.position.step, at, op } }];
  });

const tokenPlace = ({ request, tokens }: Debuggee, line: number): { label: string; position: Position }[] => {
  const target = Math.max(0, line - request.prompt.ids.length);
  if (line < 1 || target > request.maxNewTokens) return [];
  const label = target === 0 ? 'prefill' : `step ${target} ${JSON.stringify(tokens[line - 1]?.text ?? '')}`;
  return [{ label, position: { step: target, at: 0, op: 0 } }];
};

const noFrame = (id: number): UsageError =>
  new UsageError(`there is no frame ${id} here`, { code: 'MESSAGE_INVALID', hint: 'Ask for the stackTrace again.' });

const source = z.object({ path: z.string().optional(), sourceReference: z.int().optional() });
const back = (move: (session: DebugSession) => Promise<Stop>) =>
  row('standing', z.unknown(), (session) => session.move(move, { forward: false }));

/** Requests that move the run. Each is answered at once; where it comes to is told by an event. */
export const moveRequests: readonly (readonly [string, Row])[] = [
  [
    'continue',
    row('standing', z.unknown(), (session) => {
      session.move((run) => run.continue());
      return { allThreadsContinued: true };
    }),
  ],
  ['next', step('module')],
  ['stepIn', step('op')],
  ['stepOut', row('standing', z.unknown(), (session) => session.move((run) => run.stepOut()))],
  ['stepBack', step('module', 'back')],
  ['reverseContinue', back((run) => run.reverseContinue())],
  [
    'restartFrame',
    row('standing', z.object({ frameId: z.int() }), async (session, { frameId }) => {
      const found = shownFrames(session.debuggee).find((f) => f.id === frameId);
      if (!found) throw noFrame(frameId);
      if (found.frame.kind === 'generation' && session.debuggee.session.position.step > 0) return session.restart();
      const position = beginningOf(session.debuggee, found.frame);
      session.move((run) => run.goTo(position), { forward: false });
      return undefined;
    }),
  ],
  [
    'gotoTargets',
    row('standing', z.object({ source, line: z.int() }), (session, given) => {
      const { debuggee, listing } = session.live;
      const name = namedSource(given.source, listing);
      const line = given.line + 1 - session.client.firstLine;
      const places =
        name === 'listing' ? placesOf(debuggee, line) : name === 'transcript' ? tokenPlace(debuggee, line) : [];
      const targets = places.map(({ label, position }) => ({
        id: session.holdTarget(position),
        label,
        line: given.line,
      }));
      return { targets };
    }),
  ],
  [
    'goto',
    row('standing', z.object({ targetId: z.int() }), (session, { targetId }) => {
      const position = session.target(targetId);
      session.move((run) => run.goTo(position), { forward: false });
    }),
  ],
];
