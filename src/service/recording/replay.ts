import { UsageError } from '../../base/index.js';
import { formatEdit, type Edit } from '../../language/index.js';
import type { DebugInput, InspectInput, RecordedStage, RecordingManifest, RunInput } from '../../protocol/index.js';
import type { Opened } from '../edited-model.js';
import type { OperationContext } from '../operation.js';
import { readRecording, withRecording } from './open-recorded.js';

type Request = RunInput | InspectInput | DebugInput;

/** A request with what it takes from a recording, and the check that the model is the recorded one. */
export interface Replayed<Input> {
  readonly input: Input;
  /** Where changes were made on the way of the recorded run, the first at its beginning; the input has those of its end. */
  readonly stages: readonly RecordedStage[];
  /** @throws UsageError RECORDING_MISMATCH */
  readonly check: (opened: Opened, context: OperationContext) => Promise<void>;
}

const refused = (message: string, hint: string): UsageError =>
  new UsageError(message, { code: 'OPTION_INVALID', hint });

const refusePrompt = ({ prompt, ids, prompts, chat, target, targetIds }: Request): void => {
  if ([prompt, ids, prompts, chat, target, targetIds].every((x) => x === undefined)) return;
  throw refused(
    'a prompt is given, and --from-recording has its own',
    'Leave the prompt out, or give the recorded edits with --edits and no recording.',
  );
};

/** The prompt as ids, so that it is the same whatever the tokenizer does. */
const promptOf = ({ prompt, redacted }: RecordingManifest, file: string): Pick<Request, 'ids' | 'targetIds'> => {
  const { tokens, target } = prompt;
  if (!tokens || redacted)
    throw refused(
      `${file} cannot be run again: it has no prompt`,
      'It was redacted when it was saved; its values can be inspected: cutaway inspect FILE --sites GLOBS.',
    );
  const ids = tokens.map((t) => t.id);
  return target ? { ids, targetIds: target.slice(1).map((t) => t.id) } : { ids };
};

/** The prompt that an edit gave is in the ids already. */
const isReplayed = ({ edit }: Edit): boolean => edit !== 'prompt';

/** Options that are given win over the recorded ones. */
const generationOf = ({ verb, sampling, maxNewTokens }: RecordingManifest): Partial<RunInput> => {
  const options = verb === 'debug' ? {} : sampling; // under the debugger they are changes, too
  const recorded = { ...options, ...(maxNewTokens === undefined ? {} : { maxNewTokens }) };
  return Object.fromEntries(Object.entries(recorded).filter(([, value]) => value !== undefined));
};

const given = <Input extends object>(input: Input): Input =>
  Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as Input;

const replay = <Input extends Request>(input: Input, manifest: RecordingManifest, file: string): Input => {
  const edits = (manifest.experiment?.edits ?? []).filter(isReplayed).map((edit) => ({ text: formatEdit(edit) }));
  const generation = 'ignoreEos' in input ? generationOf(manifest) : {};
  const ignoreEos = 'ignoreEos' in input ? { ignoreEos: input.ignoreEos || manifest.ignoreEos === true } : {};
  return {
    ...generation,
    ...given(input),
    ...ignoreEos,
    ...promptOf(manifest, file),
    edits: [...edits, ...input.edits],
  };
};

/** Tells of recordings that edits take values from and that are of another model. */
const tellOthers = async ({ model, edits }: Opened, context: OperationContext): Promise<void> => {
  const files = new Set(
    edits.flatMap((e) => (e.edit === 'set' && typeof e.to === 'object' && 'recording' in e.to ? [e.to.recording] : [])),
  );
  for (const file of files) {
    const recording = await readRecording(file);
    await recording.close();
    if (recording.manifest.model.summary.fingerprint === (await model.summary()).fingerprint) continue;
    context.note(`${file} was recorded with another model (${recording.manifest.model.summary.family})`);
  }
};

const checkModel =
  (manifest: RecordingManifest, { fromRecording = '', force }: Request, staged: boolean): Replayed<Request>['check'] =>
  async (opened, context) => {
    await tellOthers(opened, context);
    if (manifest.stages && !staged)
      context.note(
        `changes of ${fromRecording} were made on the way; here they count from the beginning: \`debug --from-recording\` makes them where they were made`,
      );
    const own = await opened.model.summary();
    const { summary, name } = manifest.model;
    if (own.fingerprint === summary.fingerprint) return;
    const named = `${summary.family}${name === undefined ? '' : `, ${name}`}`;
    const message = `${fromRecording} was recorded with another model (${named}): ${summary.fingerprint}, and this one is ${own.fingerprint}`;
    if (force) {
      context.note(message);
      return;
    }
    throw new UsageError(message, {
      code: 'RECORDING_MISMATCH',
      hint: 'Give the model that was recorded; --force runs the same prompt and edits on this one.',
      details: { recorded: summary.fingerprint, model: own.fingerprint },
    });
  };

/**
 * A request as it is run. `staged`: changes will be made where they were made on the way. Where it names a recording, with that one's prompt, edits and sampling.
 * @throws UsageError OPTION_INVALID
 * @throws ModelError RECORDING_INVALID, FILE_UNREADABLE
 */
export const replayed = async <Input extends Request>(
  input: Input,
  { staged = false }: { readonly staged?: boolean } = {},
): Promise<Replayed<Input>> => {
  const { fromRecording: file } = input;
  if (file === undefined) return { input, stages: [], check: tellOthers };
  refusePrompt(input);
  return withRecording(file, async ({ manifest }) => ({
    input: replay(input, manifest, file),
    stages: manifest.stages ?? [],
    check: checkModel(manifest, input, staged),
  }));
};
