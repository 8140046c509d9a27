import { UsageError } from '../../base/index.js';
import type { Target } from '../../debugger/index.js';
import { isRecording } from '../../formats/index.node.js';
import type { AttachInput, DebugInput } from '../../protocol/index.js';
import { lastPart } from '../last-part.js';
import { EngineTarget } from './engine-target.js';
import { LiveTarget } from './live/index.js';
import { openDebuggee, type DebugContext } from './open-debuggee.js';
import { RecordingTarget } from './recorded/recording-target.js';

/** What only a model could do. @throws UsageError OPTION_INVALID */
const refuseRunning = (input: Omit<DebugInput, 'x'>): void => {
  const { prompt, ids, prompts, chat, target, targetIds, record, fromRecording } = input;
  const given = [prompt, ids, prompts, chat, target, targetIds, record, fromRecording].some((x) => x !== undefined);
  if (!given && input.edits.length === 0) return;
  throw new UsageError(`${input.model} is a recording, nothing is run`, {
    code: 'OPTION_INVALID',
    hint: 'Leave prompt and edits out, or give the model and the recording: cutaway debug MODEL --from-recording FILE.',
  });
};

/**
 * Opens what a request of the debugger names, in this thread: a model on our engine, a recording by itself, or a live
 * process.
 * @throws as `openDebuggee` and `LiveTarget.open`; ModelError RECORDING_INVALID
 */
export const openTarget = async (
  input: Omit<DebugInput, 'x'> | AttachInput,
  context: DebugContext = {},
): Promise<Target> => {
  if ('port' in input) return LiveTarget.open(input);
  if (await isRecording(input.model)) {
    refuseRunning(input);
    return RecordingTarget.open(input.model);
  }
  return EngineTarget.of(await openDebuggee(input, context), lastPart(input.model));
};
