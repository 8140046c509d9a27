import { UsageError } from '../../base/index.js';
import { formatEdit } from '../../language/index.js';
import type { ListInput, ListResult, RecordingView } from '../../protocol/index.js';
import type { OperationContext } from '../operation.js';
import { withRecording, type Recording } from './open-recorded.js';

/** What a user should know of a recording. */
export const notesOf = ({ damage, manifest }: Recording): string[] => [
  ...(damage === undefined ? [] : [`the recording was cut off or damaged, and was recovered: ${damage}`]),
  ...(damage === undefined && !manifest.complete ? ['the recording was not finished'] : []),
  ...(manifest.redacted ? ['the recording is redacted: it has no texts and no token ids'] : []),
  ...(manifest.notes ?? []),
];

const viewOf = ({ manifest }: Recording): RecordingView => {
  const { date, verb, complete, redacted, writer, prompt, stop, experiment } = manifest;
  const { tokens, target } = prompt;
  const made = manifest.steps.flatMap((s) => s.token ?? []);
  const steps = new Map<string, number[]>();
  for (const { name, step } of manifest.sites) {
    const list = steps.get(name) ?? [];
    list.push(step);
    steps.set(name, list);
  }
  return {
    ...{ date, verb, complete, redacted, writer: `${writer.name} ${writer.version}` },
    ...(manifest.model.name === undefined ? {} : { model: manifest.model.name }),
    ...{ ...(tokens ? { tokens } : {}), ...(target ? { target } : {}), promptLength: prompt.length },
    ...(redacted ? {} : { generated: made, edits: (experiment?.edits ?? []).map(formatEdit) }),
    ...{ made: manifest.steps.filter((s) => s.probability !== undefined).length, stop },
    steps: Object.fromEntries(steps),
  };
};

/** What a recording has: the run at a glance, and its sites. */
export const listRecording = (input: ListInput, context: OperationContext): Promise<ListResult> =>
  withRecording(input.model, async (recording) => {
    const { manifest } = recording;
    if (input.show.includes('listing'))
      throw new UsageError('a recording has values, the computation is the model’s', {
        code: 'OPTION_INVALID',
        hint: 'List the model itself: cutaway list MODEL --listing.',
      });
    const notes = notesOf(recording);
    for (const text of notes) context.note(text);
    const byName = new Map(manifest.sites.toReversed().map((site) => [site.name, site])); // the first step's shape
    const sites = [...byName.values()]
      .reverse()
      .map(({ name, axes, shape }) => ({ name, axes, shape, onRequest: false }));
    return {
      ...{ model: manifest.model.summary, recording: viewOf(recording) },
      ...(input.show.includes('sites') ? { sites } : {}),
      ...(notes.length > 0 ? { notes } : {}),
    };
  });
