import { UsageError } from '../../base/index.js';
import { matches, parseGlobs, type Glob, type Where } from '../../language/index.js';
import type { InspectInput, InspectResult, RecordedSite } from '../../protocol/index.js';
import type { NamedTensor } from '../../formats/index.js';
import type { OperationContext } from '../operation.js';
import { viewOf } from '../site-view.js';
import { notCaptured, recordedPart, withRecording, type Recording } from './open-recorded.js';
import { notesOf } from './list-recording.js';

/** What only a model could do. @throws UsageError OPTION_INVALID */
const refuseRunning = (input: InspectInput): void => {
  const given = {
    '--prompt': input.prompt,
    '--ids': input.ids,
    '--prompts': input.prompts,
    '--chat': input.chat,
    '--target': input.target,
    '--target-ids': input.targetIds,
    '--edit': input.edits.length > 0 ? true : undefined,
    '--grad-of': input.gradOf,
    '--record': input.record,
    '--from-recording': input.fromRecording,
  };
  const option = Object.entries(given).find(([, value]) => value !== undefined)?.[0];
  if (option === undefined) return;
  throw new UsageError(`${option}: ${input.model} is a recording, nothing is run`, {
    code: 'OPTION_INVALID',
    hint: 'Leave it out, or give the model and the recording: cutaway inspect MODEL --from-recording FILE --sites GLOBS.',
  });
};

/** The recorded values that a glob chooses at a step. @throws UsageError SITE_NOT_CAPTURED */
const chosenBy = (recording: Recording, glob: Glob, step: number): readonly RecordedSite[] => {
  const found = recording.manifest.sites.filter((s) => s.step === step && matches(glob, s.name));
  if (found.length > 0) return found;
  const elsewhere = recording.manifest.sites.find((s) => matches(glob, s.name));
  throw notCaptured(recording, elsewhere?.name ?? glob.text, step);
};

const tokensOf = ({ manifest }: Recording): Pick<InspectResult, 'tokens' | 'target'> => {
  const { tokens = [], target } = manifest.prompt;
  return { tokens, ...(target ? { target } : {}) };
};

/** Values that a recording has, as `inspect` shows those of a model. */
export const inspectRecording = (
  input: InspectInput,
  context: OperationContext,
): Promise<{ readonly result: InspectResult; readonly tensors: readonly NamedTensor[] }> => {
  refuseRunning(input);
  return withRecording(input.model, async (recording) => {
    const wanted = new Map<RecordedSite, Where>();
    for (const glob of parseGlobs(input.sites))
      for (const site of chosenBy(recording, glob, input.step ?? 0)) wanted.set(site, glob.where);
    const values = [];
    for (const [site, where] of wanted) values.push(await recordedPart(recording, site, where));
    const notes = notesOf(recording);
    for (const text of notes) context.note(text);
    const result = { ...tokensOf(recording), sites: values.map(viewOf), ...(notes.length > 0 ? { notes } : {}) };
    return { result, tensors: values.map(({ name, tensor }) => [name, tensor] as const) };
  });
};
