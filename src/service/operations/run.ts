import {
  generate,
  prepareExperiment,
  checkSampling,
  topTokens,
  type Ending,
  type Prompt,
  type SamplingOptions,
  type Step,
} from '../../engine/index.js';
import { eosIds } from '../../formats/index.node.js';
import type { Edit } from '../../language/index.js';
import type { RunInput, RunResult, ScoredToken, StepView } from '../../protocol/index.js';
import { cancelled, checkpoint } from '../cancel.js';
import {
  configOf,
  contextFor,
  editsOf,
  forcedTokens,
  promptEdit,
  refuseUnsupported,
  samplingOf,
} from '../experiment.js';
import { nanNote } from '../nan.js';
import { openModel, type OpenModel } from '../open-model.js';
import type { Operation, OperationContext } from '../operation.js';
import { promptsOf, textOf } from '../prompts.js';

/** How many tokens are made where a way of sampling is asked for but no number. */
const defaultNewTokens = 0;

const samplingInput = (input: RunInput): SamplingOptions => {
  const { temperature, topK, topP, minP, repetitionPenalty, seed } = input;
  const all = { temperature, topK, topP, minP, repetitionPenalty, seed };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
};

const scored = (model: OpenModel, logits: Float32Array, top: number): ScoredToken[] =>
  topTokens(logits, top).map(({ id, logit, probability }) => ({ id, text: textOf(model, id), logit, probability }));

const stepView = (model: OpenModel, { step, taken }: Step, top: number): StepView | undefined => {
  if (!taken) return undefined;
  const stages = taken.stages.map(({ name, setting, logits }) => ({
    name,
    setting,
    left: logits.reduce((n, x) => n + (x === -Infinity ? 0 : 1), 0),
    top: scored(model, logits, top),
  }));
  return { step, id: taken.id, text: textOf(model, taken.id), stages };
};

interface RunPlan {
  readonly input: RunInput;
  readonly edits: readonly Edit[];
  readonly prompt: Prompt;
}

/** What one prompt's run gave, as far as it went. */
interface Gathered {
  readonly next: ScoredToken[];
  readonly ids: number[];
  readonly steps: StepView[];
  readonly notes: string[];
  text: string;
  stop: RunResult['stop'];
  prefill: number;
  decode: number;
}

const seconds = (since: number): number => (performance.now() - since) / 1000;

/** Steps through a generation, writing text as it comes; a cancel between steps keeps what is there. */
const gather = async (model: OpenModel, plan: RunPlan, context: OperationContext): Promise<Gathered> => {
  const { input, edits, prompt } = plan;
  const maxNewTokens = input.maxNewTokens ?? defaultNewTokens;
  const sampling = samplingOf(samplingInput(input), edits);
  checkSampling(sampling);
  const { variant, notes } = await prepareExperiment(contextFor(model, prompt, maxNewTokens), edits);
  const eos = new Set(input.ignoreEos ? [] : eosIds(model.program.config, model.folder.generationConfig));
  const forced = forcedTokens(model, edits);
  const g: Gathered = {
    next: [],
    ids: [],
    steps: [],
    notes: [...notes],
    text: '',
    stop: 'none',
    prefill: 0,
    decode: 0,
  };
  const words = model.tokenizer?.stream(prompt.ids);
  const write = (text: string): void => {
    g.text += text;
    if (text !== '') context.stream?.(text);
  };
  let start = performance.now();
  const run = generate(model, {
    variant,
    ids: prompt.ids,
    maxNewTokens,
    sampling,
    eos,
    forced,
    onSegment: () => checkpoint(context),
  });
  let ending: Ending | undefined;
  try {
    for (let item = await run.next(); ; item = await run.next()) {
      if (item.done) {
        ending = item.value;
        break;
      }
      const { step, logits, taken } = item.value;
      if (step === 0) {
        g.prefill = seconds(start);
        start = performance.now();
        g.next.push(...scored(model, logits, input.top));
        const note = await nanNote(model, logits);
        if (note !== undefined) g.notes.push(note);
      }
      if (!taken) continue;
      g.ids.push(taken.id);
      if (words) write(words.push(taken.id));
      const view = input.stages ? stepView(model, item.value, input.top) : undefined;
      if (view) g.steps.push(view);
    }
  } catch (error) {
    if (!context.signal.aborted || g.ids.length === 0) throw error;
  }
  if (words) write(words.flush());
  g.stop = ending ?? 'cancelled';
  g.decode = seconds(start);
  return g;
};

const resultOf = async (model: OpenModel, plan: RunPlan, g: Gathered): Promise<RunResult> => ({
  model: await model.summary(),
  tokens: plan.prompt.ids.map((id, i) => ({ id, text: plan.prompt.tokens[i]?.text ?? '' })),
  next: g.next,
  generated: { ids: g.ids, text: g.text },
  stop: g.stop,
  seconds: { load: model.loadSeconds, prefill: g.prefill, decode: g.decode },
  ...(plan.input.stages ? { steps: g.steps } : {}),
  ...(model.notes.length + g.notes.length > 0 ? { notes: [...model.notes, ...g.notes] } : {}),
});

/** Runs each prompt; several give an array. */
export const run: Operation<RunInput, RunResult | RunResult[]> = {
  name: 'run',
  help: 'Runs a model on a prompt: the likeliest next tokens, and, with --max-new-tokens, what it goes on to say. Edits change values, weights or structure first.',
  async run(input, context) {
    const edits = await editsOf(input);
    refuseUnsupported(edits);
    const model = await openModel(input.model, { ...input, configure: (config) => configOf(edits, config) });
    try {
      for (const text of model.notes) context.note(text);
      const prompts = await promptsOf(model, input, promptEdit(edits));
      const results: RunResult[] = [];
      for (const prompt of prompts) {
        if (context.signal.aborted) throw cancelled();
        const plan = { input, edits, prompt };
        const gathered = await gather(model, plan, context);
        for (const text of gathered.notes) context.note(text);
        results.push(await resultOf(model, plan, gathered));
      }
      return input.prompts === undefined ? (results[0] as RunResult) : results;
    } finally {
      await model.dispose();
    }
  },
};
