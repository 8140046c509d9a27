import { UsageError } from '../../base/index.js';
import { forward, prepareExperiment, type PlacedSite, type Prompt, type Variant } from '../../engine/index.js';
import { checkWritable, isRecording, writeSafetensorsFile, type NamedTensor } from '../../formats/index.node.js';
import type { Edit } from '../../language/index.js';
import type { InspectInput, InspectResult } from '../../protocol/index.js';
import type { Tensor } from '../../tensor/index.js';
import { formatBytes } from '../bytes.js';
import { checkpoints } from '../cancel.js';
import { partOf, sitesFor, type SiteValue } from '../chosen-sites.js';
import { onEachPrompt } from '../edited-model.js';
import { contextFor } from '../experiment.js';
import type { OpenModel } from '../open-model.js';
import type { Operation, OperationContext } from '../operation.js';
import { predictBytes } from '../predict-bytes.js';
import { promptView } from '../prompts.js';
import { inspectRecording } from '../recording/inspect-recording.js';
import { checkOneRun, recorded } from '../recording/recorded.js';
import { startRecorder } from '../recording/recorder.js';
import { replayed } from '../recording/replay.js';
import { viewOf } from '../site-view.js';

export interface Captured {
  readonly result: InspectResult;
  readonly values: readonly SiteValue[];
  readonly tensors: ReadonlyMap<string, Tensor>;
}

/** A variant that ends with the last of these places: what comes behind it changes nothing there. */
const upTo = (variant: Variant, places: readonly PlacedSite[]): Variant => {
  const names = new Set(places.map((p) => p.instance.name));
  const last = variant.order.findLastIndex((i) => names.has(i.name));
  return { ...variant, order: variant.order.slice(0, last + 1) };
};

/** Runs a prompt and keeps what the sites of the request were, with their statistics. */
export const capture = async (
  model: OpenModel,
  { input, edits, prompt }: { input: Pick<InspectInput, 'sites' | 'maxBytes'>; edits: readonly Edit[]; prompt: Prompt },
  context: OperationContext,
): Promise<Captured> => {
  const { variant, notes } = await prepareExperiment(contextFor(model, prompt, 0), edits);
  for (const text of notes) context.note(text);
  const wanted = sitesFor(model, variant, input.sites);
  const places = wanted.map((w) => w.place);
  const bytes = predictBytes(places, prompt, input);
  context.note(`${places.length} sites, ${formatBytes(bytes)}`);
  const { sites } = await forward(model, {
    variant: upTo(variant, places),
    ids: [prompt.ids],
    ...(prompt.source ? { source: [prompt.source.ids] } : {}),
    capture: new Set(places.map((p) => p.name)),
    logits: 'none',
    onSegment: checkpoints(context),
  });
  const { length } = prompt.ids;
  const values = wanted.map((w) => partOf(sites.get(w.place.name), w, { prompt, length, most: length }));
  const told = [...model.notes, ...notes];
  const result = { ...promptView(prompt), sites: values.map(viewOf), ...(told.length > 0 ? { notes: told } : {}) };
  return { result, values, tensors: new Map(values.map(({ name, tensor }) => [name, tensor])) };
};

/** What can be known to be wrong before the model is opened. @throws UsageError OPTION_INVALID, OUT_UNWRITABLE */
const checkInput = async (input: InspectInput): Promise<void> => {
  const { out, record, step, prompts } = input;
  checkOneRun(input);
  if (out !== undefined && prompts !== undefined)
    throw new UsageError('--out holds the values of one prompt', { code: 'OPTION_INVALID', hint: 'Give one prompt.' });
  if (step !== undefined && step > 0 && !(await isRecording(input.model)))
    throw new UsageError('--step chooses a step of a recording, and this is a model', {
      code: 'OPTION_INVALID',
      hint: 'Record the run with `cutaway run MODEL --record FILE --record-sites GLOBS`, then inspect FILE.',
    });
  for (const file of [out, record]) if (file !== undefined) await checkWritable(file);
};

const writeOut = async (out: string | undefined, tensors: Iterable<NamedTensor>, context: OperationContext) => {
  if (out === undefined) return;
  await writeSafetensorsFile(out, tensors);
  context.note(`wrote ${out}`);
};

const inspectModel = async (given: InspectInput, context: OperationContext) => {
  const { input, check } = await replayed(given);
  return onEachPrompt(input, context, async (opened) => {
    await check(opened, context);
    const recorder = await startRecorder(input, opened, 'inspect');
    return recorded(recorder, { record: input.record, context }, async () => {
      const { result, values, tensors } = await capture(opened.model, { ...opened, input }, context);
      await recorder?.values(0, values);
      await writeOut(input.out, tensors, context);
      return { result, end: result.notes ? { notes: result.notes } : {} };
    });
  });
};

/** Values of sites, with their statistics; `--out` writes them, `--record` saves them with all that led to them. */
export const inspect: Operation<InspectInput, InspectResult | InspectResult[]> = {
  name: 'inspect',
  help: 'Reads values inside the model on a prompt: the sites that match, with statistics, and, with --out, their numbers as safetensors. Of a recording, what was saved is read, without the model.',
  async run(input, context) {
    await checkInput(input);
    if (!(await isRecording(input.model))) return inspectModel(input, context);
    const { result, tensors } = await inspectRecording(input, context);
    await writeOut(input.out, tensors, context);
    return result;
  },
};
