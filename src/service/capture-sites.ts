import {
  asFloat32,
  gradientBytes,
  gradients,
  prepareExperiment,
  type GradientsRequest,
  type Prompt,
  type Variant,
} from '../engine/index.js';
import { gradientOfSite } from '../graph/index.js';
import { parseExpression, type Edit } from '../language/index.js';
import type { InspectInput, InspectResult } from '../protocol/index.js';
import type { Tensor } from '../tensor/index.js';
import { formatBytes } from './bytes.js';
import { checkpoints } from './cancel.js';
import { partOf, sitesFor, type SiteValue, type Wanted } from './chosen-sites.js';
import { chosenWeights, weightValue } from './chosen-weights.js';
import { contextFor } from './experiment.js';
import { caughtSites, firstFault, gradientCatches } from './gradient-faults.js';
import type { OpenModel } from './open-model.js';
import type { OperationContext } from './operation.js';
import { predictBytes, wholeOf } from './predict-bytes.js';
import { promptView, tokensOfText } from './prompts.js';
import { viewOf } from './site-view.js';

export interface Captured {
  readonly result: InspectResult;
  readonly values: readonly SiteValue[];
  readonly tensors: ReadonlyMap<string, Tensor>;
}

type CaptureInput = Pick<InspectInput, 'sites'> &
  Partial<Pick<InspectInput, 'maxBytes' | 'gradOf' | 'gradWeights' | 'gradCheckpoint' | 'gradCatch'>>;

interface CaptureRequest {
  readonly input: CaptureInput;
  readonly edits: readonly Edit[];
  readonly prompt: Prompt;
}

/** What is told of a pass: the sites' values, and of a scalar its gradients. */
interface Told extends Pick<InspectResult, 'gradOf' | 'gradCaught'> {
  readonly values: readonly SiteValue[];
}

/** Runs a prompt and keeps what the sites of the request were, with their statistics; and gradients where asked for. */
export const capture = async (
  model: OpenModel,
  request: CaptureRequest,
  context: OperationContext,
): Promise<Captured> => {
  const { prompt, edits } = request;
  const { variant, notes } = await prepareExperiment(contextFor(model, prompt, 0), edits);
  for (const text of notes) context.note(text);
  const pass = { model, request, variant, context };
  const { values, ...told } = request.input.gradOf === undefined ? await plain(pass) : await backward(pass);
  const toKnow = [...model.notes, ...notes];
  const result = {
    ...promptView(prompt),
    ...told,
    sites: values.map(viewOf),
    ...(toKnow.length > 0 ? { notes: toKnow } : {}),
  };
  return { result, values, tensors: new Map(values.map(({ name, tensor }) => [name, tensor])) };
};

interface CapturePass {
  readonly model: OpenModel;
  readonly request: CaptureRequest;
  readonly variant: GradientsRequest['variant'];
  readonly context: OperationContext;
}

const plain = async ({ model, request, variant, context }: CapturePass): Promise<Told> => {
  const { prompt, input } = request;
  const wanted = sitesFor(model, variant, input.sites);
  const places = wanted.map((w) => w.place);
  const bytes = predictBytes(wanted, prompt, input);
  context.note(`${places.length} sites, ${formatBytes(bytes)}`);
  const values: SiteValue[] = [];
  await captureEach({ model, prompt, variant, wanted, context }, (value) => void values.push(value));
  return { values };
};

export interface EachCapture {
  readonly model: OpenModel;
  readonly prompt: Prompt;
  readonly variant: Variant;
  readonly wanted: readonly Wanted[];
  readonly context: OperationContext;
}

/**
 * Tells the wanted values one by one, in the order of the run: a layer's are there as soon as it has run, and this keeps
 * none of them. It begins where an earlier run has brought the stream, and ends behind the last site.
 */
export const captureEach = async (
  { model, prompt, variant, wanted, context }: EachCapture,
  told: (value: SiteValue) => void | Promise<void>,
): Promise<void> => {
  const { length } = prompt.ids;
  const byName = new Map(wanted.map((w) => [w.place.name, w]));
  await model.runs.run(model, {
    ...{ variant, ids: prompt.ids, logits: 'none', capture: new Set(byName.keys()), onSegment: checkpoints(context) },
    ...(prompt.source ? { source: prompt.source.ids } : {}),
    onSites: async (values) => {
      for (const [name, tensor] of values) {
        const one = byName.get(name);
        if (one) await told(partOf(tensor, one, { prompt, length, most: length }));
      }
    },
  });
};

const backward = async ({ model, request, variant, context }: CapturePass): Promise<Told> => {
  const { prompt, input } = request;
  const text = input.gradOf ?? '';
  const wanted = sitesFor(model, variant, input.sites);
  const weights = chosenWeights(model.program, input.gradWeights);
  const names = wanted.map((w) => w.place.name);
  const catches = input.gradCatch === undefined ? [] : gradientCatches(input.gradCatch);
  const sites = catches.length === 0 ? names : [...new Set([...names, ...caughtSites(variant)])];
  const asked: GradientsRequest = {
    ...{ variant, prompt, sites, capture: names, weights: weights.map((w) => w.name) },
    expression: parseExpression(text),
    encode: (token) => tokensOfText(model, token),
    keep: input.gradCheckpoint === true ? 'layers' : 'values',
    onSegment: checkpoints(context),
  };
  const places = wanted.map((w) => w.place);
  const bytes = predictBytes(places.map(wholeOf), prompt, { ...input, more: gradientBytes(model, asked) });
  context.note(`${places.length} sites and their gradients, ${formatBytes(bytes)}`);
  const found = await gradients(model, asked);
  const reached = { prompt, length: prompt.ids.length, most: prompt.ids.length };
  const gradientOf = (w: (typeof wanted)[number]): SiteValue => {
    const gradient = found.sites.get(w.place.name);
    return { ...partOf(gradient && asFloat32(gradient), w, reached), name: gradientOfSite(w.place.name) };
  };
  return {
    values: [
      ...wanted.map((w) => partOf(found.values.get(w.place.name), w, reached)),
      ...wanted.map(gradientOf),
      ...weights.map((w) => weightValue(w, found.weights.get(w.name))),
    ],
    gradOf: { expression: text, value: Number.isFinite(found.value) ? found.value : null },
    ...(catches.length === 0 ? {} : { gradCaught: firstFault(catches, found.sites, variant) ?? null }),
  };
};
