import { z } from 'zod';
import { UsageError } from '../base/index.js';
import type { Target } from '../debugger/index.js';
import type { TargetPosition, TargetUnit } from '../protocol/index.js';
import { row, type Row } from './row.js';
import { namedSource } from './sources.js';
import { shownFrames } from './stack.js';

const stepping = z.object({
  granularity: z.enum(['statement', 'line', 'instruction']).default('statement'),
  /** Of stepIn: which of `stepInTargets`. */
  targetId: z.int().optional(),
});

/** How far a step goes that is not said to be larger or smaller. */
const unitOf = (granularity: 'statement' | 'line' | 'instruction', statement: TargetUnit): TargetUnit =>
  granularity === 'instruction' ? 'op' : granularity === 'line' ? 'layer' : statement;

/** The nearest unit that the target knows: a live process has no operations. */
const known = ({ about }: Target, unit: TargetUnit): TargetUnit => {
  const order: readonly TargetUnit[] = ['op', 'module', 'layer', 'token'];
  return order.slice(order.indexOf(unit)).find((u) => about.can.units.includes(u)) ?? 'token';
};

/** @throws UsageError COMMAND_INVALID for a target that does not go back */
const checkBack = ({ about }: Target): void => {
  if (about.can.back) return;
  throw new UsageError('this run cannot be taken back', {
    code: 'COMMAND_INVALID',
    hint: `${about.can.limits.join('; ')}.`,
  });
};

const step = (statement: TargetUnit, back = false): Row =>
  row('standing', stepping, (session, { granularity, targetId }) => {
    if (targetId !== undefined && !back) {
      session.move({ kind: 'goto', position: session.gotoTarget(targetId) });
      return;
    }
    if (back) checkBack(session.target);
    session.move({ kind: 'step', by: known(session.target, unitOf(granularity, statement)), back });
  });

/** Places that a line of the listing stands for in the present step, each layer of a loop; and a line of the transcript. */
const targetsOf = async (
  target: Target,
  name: 'listing' | 'transcript' | undefined,
  line: number,
): Promise<readonly { readonly label: string; readonly position: TargetPosition }[]> =>
  name === undefined ? [] : (await target.view({ ask: 'places', source: name, line })).places;

const noFrame = (id: number): UsageError =>
  new UsageError(`there is no frame ${id} here`, { code: 'MESSAGE_INVALID', hint: 'Ask for the stackTrace again.' });

const source = z.object({ path: z.string().optional(), sourceReference: z.int().optional() });

/** Requests that move the run. Each is answered at once; where it comes to is told by an event. */
export const moveRequests: readonly (readonly [string, Row])[] = [
  [
    'continue',
    row('standing', z.unknown(), (session) => {
      session.move({ kind: 'continue' });
      return { allThreadsContinued: true };
    }),
  ],
  ['next', step('module')],
  ['stepIn', step('op')],
  ['stepOut', row('standing', z.unknown(), (session) => session.move({ kind: 'out' }))],
  ['stepBack', step('module', true)],
  ['reverseContinue', row('standing', z.unknown(), (session) => session.move({ kind: 'continue', back: true }))],
  [
    'restartFrame',
    row('standing', z.object({ frameId: z.int() }), async (session, { frameId }) => {
      const frame = shownFrames(session.target).find((f) => f.id === frameId)?.frame;
      if (!frame) throw noFrame(frameId);
      if (session.target.about.can.again !== true) checkBack(session.target);
      if (frame.kind === 'generation' && session.at.position.step > 0) return session.restart();
      session.move({ kind: 'goto', position: frame.begins });
      return undefined;
    }),
  ],
  [
    'stepInTargets',
    row('standing', z.object({ frameId: z.int() }), async (session, { frameId }) => {
      const frame = shownFrames(session.target).find((f) => f.id === frameId)?.frame;
      if (!frame) throw noFrame(frameId);
      const { places } = await session.target.view({ ask: 'ahead', frame: frame.kind });
      const targets = places.map(({ label, position }) => ({ id: session.holdTarget(position), label }));
      return { targets };
    }),
  ],
  [
    'gotoTargets',
    row('standing', z.object({ source, line: z.int() }), async (session, given) => {
      const { target, listing } = session.live;
      const line = given.line + 1 - session.client.firstLine;
      const places = await targetsOf(target, namedSource(given.source, listing), line);
      const targets = places.map(({ label, position }) => ({
        ...{ id: session.holdTarget(position), label },
        line: given.line,
      }));
      return { targets };
    }),
  ],
  [
    'goto',
    row('standing', z.object({ targetId: z.int() }), (session, { targetId }) => {
      session.move({ kind: 'goto', position: session.gotoTarget(targetId) });
    }),
  ],
];
