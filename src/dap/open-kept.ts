import type { Target } from '../debugger/index.js';
import type { AttachInput } from '../protocol/index.js';
import { LiveTarget } from '../service/index.js';
import {
  KeptTarget,
  keptSessions,
  sessionIn,
  sessionTold,
  type KeptSession,
  type KeptTargetOptions,
} from '../service/host/index.js';
import type { Launch, OpenOptions } from './opener.js';

/** @throws UsageError FILE_UNREADABLE for a file that is no session */
const wanted = async (model: string, restore: boolean | string): Promise<KeptSession | undefined> => {
  if (typeof restore === 'string') return sessionIn(restore);
  return restore ? (await keptSessions(model))[0] : undefined;
};

const hint = async (model: string, { keeping, note }: OpenOptions): Promise<void> => {
  if (keeping.restore !== false) {
    note('there is no session of this model to restore');
    return;
  }
  const cut = (await keptSessions(model)).find(({ ended }) => !ended);
  if (cut)
    note(
      `a session of this model ended abnormally (${sessionTold(cut)}): launch with "restore": true brings back the last one`,
    );
};

/** A run in a host's process; what the client makes in it is kept on the disk. */
const openModel = async (
  { model, ...rest }: Exclude<Launch['input'], AttachInput>,
  options: OpenOptions,
): Promise<Target> => {
  const { keeping, onDeath, note, onTold, onPoints, signal, onProgress } = options;
  const { isPrivate, restore } = keeping;
  const told = { onDeath, note, signal, onProgress };
  const kept: KeptTargetOptions = { face: 'editor', isPrivate, keepsUnsaved: true, ...told };
  const session = await wanted(model, restore);
  if (!session) {
    const target = await KeptTarget.open({ model, ...rest }, kept);
    await hint(model, options);
    return target;
  }
  const target = await KeptTarget.reopen(session, { ...kept, withoutPoints: true, move: { onTold } });
  note(`restored the session of ${sessionTold(session)}`);
  onPoints(session.points);
  return target;
};

/** Opens what a client asks for: a model or a recording in a host's process, or a live process that is there. */
export const openKept = (input: Launch['input'], options: OpenOptions): Promise<Target> =>
  'port' in input ? LiveTarget.open(input, { onDeath: options.onDeath }) : openModel(input, options);
