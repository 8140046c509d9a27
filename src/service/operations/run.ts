import type { RunInput, RunResult } from '../../protocol/index.js';
import { onEachPrompt } from '../edited-model.js';
import { Generation } from '../generation.js';
import type { Operation } from '../operation.js';
import { promptView } from '../prompts.js';
import { score } from '../scoring.js';

const resultOf = async (g: Generation): Promise<RunResult> => ({
  model: await g.model.summary(),
  ...promptView(g.plan.prompt),
  next: g.next,
  generated: { ids: g.ids, text: g.text },
  stop: g.stop,
  seconds: { load: g.model.loadSeconds + g.seconds.prepare, prefill: g.seconds.prefill, decode: g.seconds.decode },
  ...(g.plan.input.stages ? { steps: g.steps } : {}),
  ...(g.model.notes.length + g.notes.length > 0 ? { notes: [...g.model.notes, ...g.notes] } : {}),
});

/** Runs each prompt; several give an array. */
export const run: Operation<RunInput, RunResult | RunResult[]> = {
  name: 'run',
  help: 'Runs a model on a prompt: the likeliest next tokens, and, with --max-new-tokens, what it goes on to say; of a masked-word model the likeliest words at each mask, of a classifier the labels. Edits change values, weights or structure first.',
  run: (input, context) =>
    onEachPrompt(input, context, async ({ model, edits, prompt }) => {
      if (model.program.facts.output !== 'next') return score(model, { input, edits, prompt }, context);
      const generation = await new Generation(model, { input, edits, prompt }, context).run();
      for (const text of generation.notes) context.note(text);
      return resultOf(generation);
    }),
};
