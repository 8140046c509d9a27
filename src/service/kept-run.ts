import { UsageError } from '../base/index.js';
import { prepareExperiment, type KeptRequest, type KeptRun, type Prompt } from '../engine/index.js';
import { checkpoints } from './cancel.js';
import { liveKept } from './live/live-kept.js';
import { tellingSegments } from './prepare.js';
import type { Opened } from './edited-model.js';
import { contextFor } from './experiment.js';
import type { OperationContext } from './operation.js';

export interface RunOptions extends Pick<KeptRequest, 'logits' | 'keep'> {
  readonly context: OperationContext;
}

/** A pass over a prompt with its edits; what earlier runs of the model have in common with it is not computed again. */
export const keptRun = async (
  { model, edits, prompt }: Opened,
  { logits, keep, context }: RunOptions,
): Promise<{ readonly run: KeptRun; readonly notes: readonly string[] }> => {
  if (model.live) {
    const runs = await model.live.edited(edits);
    const { variant } = await prepareExperiment(contextFor(model, prompt, 0), []);
    await checkpoints(context)();
    const { program } = model;
    return { run: await liveKept(runs, { program, variant, prompt, logits, streams: logits === 'none' }), notes: [] };
  }
  const { variant, notes } = await prepareExperiment(contextFor(model, prompt, 0), edits);
  const run = await model.runs.run(model, {
    ...{ variant, ids: prompt.ids, logits, onSegment: tellingSegments(variant, context) },
    ...(prompt.source ? { source: prompt.source.ids } : {}),
    ...(keep === undefined ? {} : { keep }),
  });
  return { run, notes };
};

/** Positions from 0; negative ones count from the end; all where none are given. @throws UsageError OPTION_INVALID */
export const checkPositions = (positions: readonly number[] | undefined, { ids }: Prompt): readonly number[] => {
  const beyond = positions?.find((p) => p >= ids.length || p < -ids.length);
  if (beyond === undefined) return positions?.map((p) => (p < 0 ? p + ids.length : p)) ?? ids.map((_, i) => i);
  throw new UsageError(`there is no position ${beyond}`, {
    code: 'OPTION_INVALID',
    hint: `The prompt's positions go from 0 to ${ids.length - 1}, or from ${-ids.length} to -1 from the end.`,
  });
};
