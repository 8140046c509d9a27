import pkg from '../../../package.json' with { type: 'json' };
import { createRecording, tensorCrc32, type NamedTensor, type RecordingWriter } from '../../formats/index.node.js';
import { makeExperiment } from '../../language/index.js';
import {
  recordingVersion,
  type DebugInput,
  type GenerationInput,
  type InspectInput,
  type RecordedSite,
  type RecordedStep,
  type RecordingManifest,
  type RunInput,
} from '../../protocol/index.js';
import type { SiteValue } from '../chosen-sites.js';
import type { Opened } from '../opened.js';
import { promptEdit } from '../experiment.js';
import { readTextFile } from '../files.node.js';
import { lastPart } from '../last-part.js';
import { promptView } from '../prompts.js';
import { redactedManifest, redactedStep } from './redact.js';

/** Values are handed to the disk when they are this many bytes, and facts after this many steps. */
const flushBytes = 16 * 2 ** 20;
const flushSteps = 64;

/** What a run tells at its end. */
export type RunEnd = Partial<
  Pick<RecordingManifest, 'stop' | 'generated' | 'masks' | 'labels' | 'notes' | 'experiment' | 'stages'>
>;

/** The last of each key, in the order in which the keys came. */
const latest = <T>(all: readonly T[], keyOf: (item: T) => string): T[] => [
  ...new Map(all.map((item) => [keyOf(item), item])).values(),
];

/** A run that is being saved: steps and values as they come, then the manifest. */
export class Recorder {
  readonly #steps: RecordedStep[] = [];
  readonly #sites: RecordedSite[] = [];
  #tensors: NamedTensor[] = [];
  #bytes = 0;
  /** How many steps and sites the parts so far tell of. */
  #flushed = { steps: 0, sites: 0 };

  constructor(
    readonly writer: RecordingWriter,
    readonly start: RecordingManifest,
  ) {}

  /** Keeps values of a step. */
  async values(step: number, values: readonly SiteValue[]): Promise<void> {
    for (const value of values) if (value.tensor.data.length > 0) this.#value(step, value);
    if (this.#bytes >= flushBytes) await this.#flush();
  }

  async step(step: RecordedStep): Promise<void> {
    this.#steps.push(this.start.redacted ? redactedStep(step) : step);
    if (this.#steps.length - this.#flushed.steps >= flushSteps) await this.#flush();
  }

  /** Hands all that is there to the disk, where something new is. */
  async flush(): Promise<void> {
    if (this.#tensors.length > 0 || this.#steps.length > this.#flushed.steps) await this.#flush();
  }

  /** @param until steps from this one on were taken back and are left out; of a step that was run again the last counts */
  async finish(end: RunEnd, until = Infinity): Promise<void> {
    if (this.#tensors.length > 0) await this.#flush();
    const steps = latest(this.#steps, ({ step }) => String(step)).filter(({ step }) => step < until);
    const sites = latest(this.#sites, ({ name, step }) => `${step} ${name}`).filter(({ step }) => step < until);
    const manifest = { ...this.start, complete: true, ...end, steps, sites };
    await this.writer.finish(this.start.redacted ? redactedManifest(manifest) : manifest);
  }

  /**
   * Gives up. What was flushed stays beside the file, where it can be opened.
   * @returns that file
   */
  async abandon(): Promise<string | undefined> {
    const keep = this.#flushed.steps + this.#flushed.sites > 0;
    await this.writer.abandon(keep);
    return keep ? this.writer.temporary : undefined;
  }

  #value(step: number, { name, axes, tensor, whole, indices }: SiteValue): void {
    const place = { part: this.writer.nextPart(), tensor: `${name}@${step}`, crc32: tensorCrc32(tensor) };
    const kept = Object.fromEntries(Object.entries(indices).map(([axis, list]) => [axis, [...list]]));
    this.#tensors.push([place.tensor, tensor]);
    this.#bytes += tensor.data.byteLength;
    this.#sites.push({
      ...{ name, step, axes: [...axes], shape: [...tensor.shape], whole: [...whole] },
      ...(Object.keys(kept).length > 0 ? { indices: kept } : {}),
      ...place,
    });
  }

  async #flush(): Promise<void> {
    const { steps, sites } = this.#flushed;
    await this.writer.flush(this.#tensors, { steps: this.#steps.slice(steps), sites: this.#sites.slice(sites) });
    this.#flushed = { steps: this.#steps.length, sites: this.#sites.length };
    this.#tensors = [];
    this.#bytes = 0;
  }
}

const samplingOf = (input: Partial<GenerationInput>): RecordingManifest['sampling'] => {
  const { temperature, topK, topP, minP, repetitionPenalty, seed } = input;
  return { temperature, topK, topP, minP, repetitionPenalty, seed };
};

/** What the user wrote, where that was a text or a conversation in a file. */
const asGiven = async (input: RunInput | InspectInput | DebugInput, { edits }: Opened) => {
  const text = promptEdit(edits) ?? input.prompt;
  if (text !== undefined) return { text };
  if (input.chat === undefined || input.chat === '-') return {};
  return { chat: JSON.parse(await readTextFile(input.chat)) as RecordingManifest['prompt']['chat'] };
};

const startOf = async (
  input: RunInput | InspectInput | DebugInput,
  opened: Opened,
  verb: RecordingManifest['verb'],
): Promise<RecordingManifest> => {
  const { model, edits, prompt } = opened;
  const { device, engine } = input;
  const generation: Partial<GenerationInput> = 'ignoreEos' in input ? input : {};
  const { maxNewTokens, ignoreEos } = generation;
  return {
    ...{ recording: recordingVersion, writer: { name: pkg.name, version: pkg.version } },
    ...{ date: new Date().toISOString(), verb, complete: false, redacted: input.redact },
    model: { name: lastPart(input.model), summary: await model.summary() },
    engine: { device, engine },
    prompt: {
      length: prompt.ids.length,
      ...(prompt.source ? { sourceLength: prompt.source.ids.length } : {}),
      ...{ ...promptView(prompt), ...(await asGiven(input, opened)) },
    },
    experiment: makeExperiment(edits),
    ...{ sampling: samplingOf(generation), maxNewTokens, ignoreEos },
    ...{ steps: [], stop: 'none', sites: [] },
  };
};

/**
 * Begins to record a run of one prompt, where the request asks for it.
 * @throws UsageError OUT_UNWRITABLE
 */
export const startRecorder = async (
  input: RunInput | InspectInput | DebugInput,
  opened: Opened,
  verb: RecordingManifest['verb'],
): Promise<Recorder | undefined> => {
  if (input.record === undefined) return undefined;
  const start = await startOf(input, opened, verb);
  const shown = input.redact ? redactedManifest(start) : start;
  return new Recorder(await createRecording(input.record, shown), shown);
};
