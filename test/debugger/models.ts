import { generate, runOrder, type Variant } from '../../src/engine/index.js';
import type { TimelineRequest } from '../../src/debugger/index.js';
import { openModel, promptOfIds, type OpenModel } from '../../src/service/index.js';
import { tiny } from '../cli/command.js';

/** Tokens that each run makes. */
export const made = 4;

export const opened = async (variant: string): Promise<OpenModel> =>
  openModel(tiny(variant), { device: 'cpu', engine: 'onnxruntime' });

export const plainOf = (model: OpenModel): Variant => ({
  order: runOrder(model.program, []),
  edits: new Map(),
  weights: new Map(),
});

const likeliest = (logits: Float32Array): number => logits.indexOf(logits.reduce((a, b) => Math.max(a, b), -Infinity));

export const promptOf = (model: OpenModel) =>
  promptOfIds(model, [5, 42, 9, 31], model.program.facts.encoder ? [7] : undefined);

/** A greedy run of a few tokens. */
export const requestOf = (model: OpenModel, variant = plainOf(model)): TimelineRequest => {
  const prompt = promptOf(model);
  return {
    ...{ program: model.program, compilations: model.compilations, variant, ids: prompt.ids },
    ...(prompt.source ? { source: prompt.source.ids } : {}),
    choose: (logits, _, step) => (step < made ? likeliest(logits) : undefined),
  };
};

/** The tokens of the same run, made by the engine's own loop. */
export const generated = async (model: OpenModel, variant = plainOf(model)): Promise<readonly number[]> => {
  const prompt = promptOf(model);
  const ids: number[] = [];
  const steps = generate(model, {
    ...{ variant, ids: prompt.ids, maxNewTokens: made, sampling: {}, eos: new Set<number>() },
    ...(prompt.source ? { source: prompt.source.ids } : {}),
  });
  for await (const { taken } of steps) if (taken) ids.push(taken.id);
  return ids;
};
