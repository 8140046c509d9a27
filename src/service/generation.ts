import {
  checkSampling,
  generate,
  prepareExperiment,
  prepareForward,
  topTokens,
  type GenerateRequest,
  type Prompt,
  type SamplingOptions,
  type Step,
} from '../engine/index.js';
import { eosIds } from '../formats/index.node.js';
import type { Edit } from '../language/index.js';
import type { RunInput, RunResult, ScoredToken, StepView } from '../protocol/index.js';
import { checkpoints } from './cancel.js';
import { contextFor, forcedTokens, samplingOf } from './experiment.js';
import { nanNote } from './nan.js';
import type { OpenModel } from './open-model.js';
import type { OperationContext } from './operation.js';
import { textOf } from './prompts.js';

/** What to run: the request, its edits, and one prompt of it. */
export interface RunPlan {
  readonly input: RunInput;
  readonly edits: readonly Edit[];
  readonly prompt: Prompt;
}

const samplingInput = (input: RunInput): SamplingOptions => {
  const { temperature, topK, topP, minP, repetitionPenalty, seed } = input;
  const all = { temperature, topK, topP, minP, repetitionPenalty, seed };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
};

/** Tokens that a rule has left possible; they lead any list of the likeliest. */
const countLeft = (logits: Float32Array): number => logits.reduce((n, x) => n + (x === -Infinity ? 0 : 1), 0);

const seconds = (since: number): number => (performance.now() - since) / 1000;

/** Tells something once, when more than a second has gone by. */
const tellOnce = (context: OperationContext, text: string): ((since: number) => void) => {
  let told = false;
  return (since) => {
    if (told || seconds(since) < 1) return;
    told = true;
    context.note(text);
  };
};

/** What one prompt's run gave, as far as it went. */
export class Generation {
  readonly next: ScoredToken[] = [];
  readonly ids: number[] = [];
  readonly steps: StepView[] = [];
  readonly notes: string[] = [];
  text = '';
  stop: RunResult['stop'] = 'none';
  /** Making the sessions that run it; the prompt; all later steps. Seconds. */
  readonly seconds = { prepare: 0, prefill: 0, decode: 0 };
  readonly #words;

  constructor(
    readonly model: OpenModel,
    readonly plan: RunPlan,
    readonly context: OperationContext,
  ) {
    this.#words = model.tokenizer?.stream(plan.prompt.ids);
  }

  /** Steps through the generation, writing text as it comes; a cancel between steps keeps what is there. */
  async run(): Promise<this> {
    const { input, edits } = this.plan;
    const sampling = checkSampling(samplingOf(samplingInput(input), edits));
    const request = await this.#request(sampling);
    const steps = generate(this.model, request);
    let from = performance.now();
    try {
      for (let item = await steps.next(); ; item = await steps.next()) {
        if (item.done) {
          this.stop = item.value;
          break;
        }
        await this.#step(item.value, from);
        if (item.value.step === 0) from = performance.now();
      }
    } catch (error) {
      if (!this.context.signal.aborted || this.ids.length === 0) throw error;
      this.stop = 'cancelled';
    }
    this.seconds.decode = this.ids.length > 1 ? seconds(from) : 0;
    this.#write(this.#words?.flush() ?? '');
    return this;
  }

  async #request(sampling: SamplingOptions): Promise<GenerateRequest> {
    const { model, context } = this;
    const { input, edits, prompt } = this.plan;
    const maxNewTokens = input.maxNewTokens ?? 0;
    const { variant, notes } = await prepareExperiment(contextFor(model, prompt, maxNewTokens), edits);
    this.notes.push(...notes);
    const from = performance.now();
    const onSegment = checkpoints(context);
    const telling = tellOnce(context, 'packing the weights, which takes some seconds for a large model');
    await prepareForward(model, { variant, onSegment: () => (telling(from), onSegment()) });
    this.seconds.prepare = seconds(from);
    const eos = new Set(input.ignoreEos ? [] : eosIds(model.program.config, model.folder.generationConfig));
    const forced = forcedTokens(model, edits);
    return { variant, ids: prompt.ids, maxNewTokens, sampling, eos, forced, onSegment };
  }

  async #step(made: Step, from: number): Promise<void> {
    if (made.step === 0) {
      this.seconds.prefill = seconds(from);
      this.next.push(...this.#scored(made.logits));
      const note = await nanNote(this.model, made.logits);
      if (note !== undefined) this.notes.push(note);
    }
    if (!made.taken) return;
    this.ids.push(made.taken.id);
    this.#write(this.#words?.push(made.taken.id) ?? '');
    if (this.plan.input.stages) this.steps.push(this.#view(made.step, made.taken));
  }

  #write(text: string): void {
    this.text += text;
    if (text !== '') this.context.stream?.(text);
  }

  #scored(logits: Float32Array): ScoredToken[] {
    const { model } = this;
    return topTokens(logits, this.plan.input.top).map(({ id, logit, probability }) => ({
      id,
      text: textOf(model, id),
      logit: Number.isFinite(logit) ? logit : null,
      probability,
    }));
  }

  #view(step: number, { id, stages }: NonNullable<Step['taken']>): StepView {
    const views = stages.map(({ name, setting, logits }) => ({
      name,
      setting,
      left: countLeft(logits),
      top: this.#scored(logits).slice(0, countLeft(logits)),
    }));
    return { step, id, text: textOf(this.model, id), stages: views };
  }
}
