import { bug } from '../../base/index.js';
import { forward, prepareExperiment } from '../../engine/index.js';
import type { TimesInput, TimesResult } from '../../protocol/index.js';
import { checkpoints } from '../cancel.js';
import { onEachPrompt, type Opened } from '../edited-model.js';
import { contextFor } from '../experiment.js';
import type { OperationContext } from '../operation.js';

const median = (numbers: readonly number[]): number => {
  const sorted = [...numbers].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) + (sorted[Math.ceil(middle)] ?? NaN)) / 2;
};

/** Milliseconds of each segment of one pass, in the order in which they run; what is done between them is not counted. */
type Lap = readonly { readonly name: string; readonly ms: number }[];

/** Passes before those that count go on for so long: compiling, of ours and of the engine's code, is over then. */
const warmMs = 80;

/** Runs until it is as fast as it gets. @returns the last pass */
const warmed = async (run: () => Promise<Lap>): Promise<Lap> => {
  const from = performance.now();
  let last = await run();
  while (performance.now() - from < warmMs) last = await run();
  return last;
};

const timesAt = async (opened: Opened, { repeats }: TimesInput, context: OperationContext): Promise<TimesResult> => {
  const { model, edits, prompt } = opened;
  const { variant } = await prepareExperiment(contextFor(model, prompt, 0), edits);
  const pause = checkpoints(context);
  const run = async (): Promise<Lap> => {
    const lap: { name: string; ms: number }[] = [];
    let from = 0;
    const close = (): void => {
      const last = lap.at(-1);
      if (last) last.ms = performance.now() - from;
    };
    const onSegment = async (name: string): Promise<void> => {
      close();
      await pause();
      lap.push({ name, ms: 0 });
      from = performance.now();
    };
    const source = prompt.source ? { source: [prompt.source.ids] } : {};
    await forward(model, { variant, ids: [prompt.ids], ...source, capture: new Set(), onSegment });
    close();
    return lap;
  };
  const first = await warmed(run);
  const laps: Lap[] = [];
  while (laps.length < repeats) {
    context.progress?.({ done: laps.length, total: repeats, what: 'passes timed' });
    laps.push(await run());
  }
  const segments = first.map(({ name }, i) => ({ name, ms: median(laps.map((lap) => lap[i]?.ms ?? NaN)) }));
  return { repeats, ms: median(laps.map((lap) => lap.reduce((sum, { ms }) => sum + ms, 0))), segments };
};

/**
 * How long each segment of the model takes: whole passes, with nothing known from before.
 * @throws EngineError CANCELLED
 */
export const times = async (input: TimesInput, context: OperationContext): Promise<TimesResult> => {
  const result = await onEachPrompt(input, context, (opened) => timesAt(opened, input, context));
  if (Array.isArray(result)) throw bug('times are of one prompt');
  return result;
};
