import { UsageError } from '../../base/index.js';
import type { Target } from '../../debugger/index.js';
import type { HostMethod } from '../../protocol/index.js';
import { openTarget } from '../debugging/open-target.js';
import type { Handler, HostState } from './host-state.js';

type DebugMethod = Extract<HostMethod, `debug.${string}`>;
type Handlers = { readonly [M in DebugMethod]: Handler<M> };

const debugged = ({ debugged: all }: HostState, session: string): Target => {
  const target = all.get(session);
  if (target) return target;
  throw new UsageError(`no run is debugged as ${session}`, {
    code: 'OPTION_INVALID',
    hint: 'Open one under this name with debug.open.',
  });
};

const free = ({ debugged: all }: HostState, session: string): void => {
  if (!all.has(session)) return;
  throw new UsageError(`a run is debugged as ${session} already`, {
    code: 'OPTION_INVALID',
    hint: 'Close it first, or take another name.',
  });
};

/** The debugger's methods: each names a run that `debug.open` opened. */
export const makeDebugHandlers = (state: HostState): Handlers => ({
  'debug.open': async ({ session, ...input }, { models, ...context }) => {
    free(state, session);
    const target = await openTarget(input, {
      ...(models ? { models } : {}),
      ...{ signal: context.signal, poll: () => context.poll?.() },
      onProgress: (part) => context.progress?.(part),
    });
    state.debugged.set(session, target);
    return { output: { about: target.about, state: target.state } };
  },
  'debug.move': async ({ session, motion }, context) => ({
    output: await debugged(state, session).resume(motion, {
      signal: context.signal,
      poll: () => context.poll?.(),
      onTold: (told) => context.told?.(told),
      onProgress: (part) => context.progress?.(part),
    }),
  }),
  'debug.points': async ({ session, ...input }) => ({ output: await debugged(state, session).points(input) }),
  'debug.view': async ({ session, ask }) => {
    const { bytes, ...output } = await debugged(state, session).view(ask);
    return { output, ...(bytes ? { payload: new Uint8Array(bytes) } : {}) };
  },
  'debug.apply': async ({ session, change }) => ({ output: await debugged(state, session).apply(change) }),
  'debug.close': async ({ session }) => {
    const target = state.debugged.get(session);
    state.debugged.delete(session);
    await target?.dispose();
    return { output: {} };
  },
});
