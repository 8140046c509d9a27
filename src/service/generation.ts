import {
  checkSampling,
  generate,
  prepareExperiment,
  type GenerateRequest,
  type Prompt,
  type SamplingOptions,
  type Step,
  type Variant,
} from '../engine/index.js';
import { eosIds } from '../formats/index.node.js';
import type { Edit } from '../language/index.js';
import type { RunInput, RunResult, ScoredToken, StepView } from '../protocol/index.js';
import { checkpoints } from './cancel.js';
import { partOf, sitesFor, type Wanted } from './chosen-sites.js';
import { contextFor, forcedTokens, samplingOf } from './experiment.js';
import { generationRules, suppressedAt, suppressionOf } from './generation-rules.js';
import { nanNote } from './nan.js';
import type { OpenModel } from './open-model.js';
import type { OperationContext } from './operation.js';
import { prepareSegments, secondsSince } from './prepare.js';
import { textOf } from './prompts.js';
import { predictBytes, wholeOf } from './predict-bytes.js';
import type { Recorder } from './recording/recorder.js';
import { stepFacts } from './recording/step-facts.js';
import { scoredTokens } from './scored.js';

/** What to run: the request, its edits, and one prompt of it. */
export interface RunPlan {
  readonly input: RunInput;
  readonly edits: readonly Edit[];
  readonly prompt: Prompt;
  readonly recorder?: Recorder | undefined;
}

const samplingInput = (input: RunInput): SamplingOptions => {
  const { temperature, topK, topP, minP, repetitionPenalty, seed } = input;
  const all = { temperature, topK, topP, minP, repetitionPenalty, seed };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value !== undefined));
};

/** The sites that a recording is to keep, once their bytes were found to fit. */
const recordedSites = (model: OpenModel, variant: Variant, { input, prompt, recorder }: RunPlan): readonly Wanted[] => {
  if (!recorder || input.recordSites === undefined) return [];
  const wanted = sitesFor(model, variant, input.recordSites);
  predictBytes(
    wanted.map((w) => wholeOf(w.place)),
    prompt,
    {},
  );
  return wanted;
};

/** Tokens that a rule has left possible; they lead any list of the likeliest. */
const countLeft = (logits: Float32Array): number => logits.reduce((n, x) => n + (x === -Infinity ? 0 : 1), 0);

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
  readonly #rules;
  /** Sites whose values are recorded. */
  #recorded: readonly Wanted[] = [];
  /** Suppressed tokens that were told of. */
  readonly #told = new Set<number>();

  constructor(
    readonly model: OpenModel,
    readonly plan: RunPlan,
    readonly context: OperationContext,
  ) {
    this.#words = model.tokenizer?.stream(plan.prompt.ids);
    this.#rules = generationRules(model, plan.prompt.ids.length);
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
    this.seconds.decode = this.ids.length > 1 ? secondsSince(from) : 0;
    this.#write(this.#words?.flush() ?? '');
    return this;
  }

  async #request(sampling: SamplingOptions): Promise<GenerateRequest> {
    const { model, context } = this;
    const { input, edits, prompt } = this.plan;
    const maxNewTokens = input.maxNewTokens ?? 0;
    const { variant, notes } = await prepareExperiment(contextFor(model, prompt, maxNewTokens), edits);
    this.notes.push(...notes);
    this.#recorded = recordedSites(model, variant, this.plan);
    const capture = new Set(this.#recorded.map((w) => w.place.name));
    this.seconds.prepare = await prepareSegments(model, { variant, capture }, context);
    const eos = new Set(input.ignoreEos ? [] : eosIds(model.program.config, model.folder.generationConfig));
    const forced = new Map([...this.#rules.forced, ...forcedTokens(model, edits)]);
    if (maxNewTokens > 0) this.notes.push(...this.#rules.notes);
    return {
      ...{ variant, ids: prompt.ids, maxNewTokens, sampling, eos, forced, onSegment: checkpoints(context) },
      ...(prompt.source ? { source: prompt.source.ids } : {}),
      ...{ capture, captureEach: true },
      suppressed: (step) => new Set(suppressedAt(this.#rules, step).keys()),
    };
  }

  /** Tells once of each token that the model would have taken and may not. */
  #tellSuppressed({ step, logits }: Step): void {
    const kept = suppressionOf(this.#rules, step, logits);
    if (!kept || this.#told.has(kept.id)) return;
    this.#told.add(kept.id);
    this.notes.push(`at step ${step} ${textOf(this.model, kept.id)} is likeliest and may not be taken: ${kept.reason}`);
  }

  async #step(made: Step, from: number): Promise<void> {
    if (made.step === 0) {
      this.seconds.prefill = secondsSince(from);
      this.next.push(...this.#scored(made.logits));
      const note = await nanNote(this.model, made.logits);
      if (note !== undefined) this.notes.push(note);
    }
    await this.#record(made);
    if (!made.taken) return;
    this.#tellSuppressed(made);
    this.ids.push(made.taken.id);
    this.context.progress?.({ done: this.ids.length, total: this.plan.input.maxNewTokens ?? 0, what: 'tokens' });
    this.#write(this.#words?.push(made.taken.id) ?? '');
    if (this.plan.input.stages) this.steps.push(this.#view(made.step, made.taken));
  }

  /** Hands a step to the recording, with the values that it is to keep. */
  async #record({ step, logits, taken, sites }: Step): Promise<void> {
    const { prompt, input, recorder } = this.plan;
    if (!recorder) return;
    const length = prompt.ids.length + step;
    const reached = { prompt, length, most: prompt.ids.length + (input.maxNewTokens ?? 0) };
    const there = this.#recorded.filter((w) => sites.has(w.place.name));
    await recorder.values(
      step,
      there.map((w) => partOf(sites.get(w.place.name), w, reached)),
    );
    const token = taken && { id: taken.id, text: textOf(this.model, taken.id) };
    const facts = { ...stepFacts(logits, taken?.id), top: this.#scored(logits) };
    await recorder.step({ step, ...(token ? { token } : {}), ...facts });
  }

  #write(text: string): void {
    this.text += text;
    if (text !== '') this.context.stream?.(text);
  }

  #scored(logits: Float32Array): ScoredToken[] {
    return scoredTokens(logits, this.plan.input.top, (id) => textOf(this.model, id));
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
